// recurrent(): the fused kernels against the composed twin, gradients against differences.
#include "autograd/parallel.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Setting {
    Cell cell;
    int64_t B, T, I, H;
    bool bias = true, state = true, reverse = false;
    std::vector<int32_t> lengths{};
};

std::string label(const Setting& s) {
    return fmt::format("cell {}: B {} T {} I {} H {}{}{}{}{}", static_cast<int>(s.cell), s.B, s.T,
                       s.I, s.H, s.bias ? ", bias" : "", s.state ? ", state" : "",
                       s.reverse ? ", reverse" : "", s.lengths.empty() ? "" : ", lengths");
}

int64_t gates(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

// x, weights, biases, state: what the setting has of them.
std::vector<Tensor> inputs(const Setting& s) {
    const int64_t rows = gates(s.cell) * s.H;
    std::vector<Tensor> all = {uniform({s.B, s.T, s.I}, -1, 1, 1), uniform({rows, s.I}, -1, 1, 2),
                               uniform({rows, s.H}, -1, 1, 3)};
    if (s.bias) all.push_back(uniform({rows}, -1, 1, 4)), all.push_back(uniform({rows}, -1, 1, 5));
    if (s.state) all.push_back(uniform({s.B, s.H}, -1, 1, 6));
    if (s.state && s.cell == Cell::lstm) all.push_back(uniform({s.B, s.H}, -1, 1, 7));
    return all;
}

// A scalar to which every output counts, each element with a weight of its own.
template <class Run>
Function scalar(const Setting& s, Run run) {
    return [=](const std::vector<Tensor>& xs) {
        size_t next = 3;
        RecurrentWeights w{xs[1], xs[2], {}, {}};
        if (s.bias) w.bias_ih = xs[next++], w.bias_hh = xs[next++];
        const Tensor h0 = s.state ? xs[next++] : Tensor();
        const Tensor c0 = s.state && s.cell == Cell::lstm ? xs[next++] : Tensor();
        const Tensor lengths = s.lengths.empty() ? Tensor() : ids(s.lengths, {s.B});
        const Recurrence out = run(s.cell, xs[0], w, h0, c0, lengths, s.reverse);
        const auto weighed = [](const Tensor& y, uint64_t seed) {
            return sum(y * uniform(y.shape(), -1, 1, seed));
        };
        Tensor total = weighed(out.y, 11) + weighed(out.h, 12);
        return out.c.defined() ? total + weighed(out.c, 13) : total;
    };
}

std::vector<Setting> settings() {
    std::vector<Setting> all;
    for (const Cell cell : {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru})
        for (const bool reverse : {false, true}) {
            all.push_back({cell, 3, 5, 2, 4, true, true, reverse});
            all.push_back({cell, 3, 5, 2, 4, false, true, reverse});
            all.push_back({cell, 3, 5, 2, 4, true, false, reverse});
            all.push_back({cell, 1, 1, 1, 1, true, true, reverse});
            all.push_back({cell, 2, 1, 3, 5, true, false, reverse});
            all.push_back({cell, 3, 1, 4, 9, true, true, reverse});
            all.push_back({cell, 3, 1, 4, 9, false, true, reverse});
            all.push_back({cell, 5, 4, 3, 7, true, true, reverse, {4, 1, 3, 2, 4}});
            all.push_back({cell, 4, 3, 2, 3, false, false, reverse, {3, 1, 2, 2}});
            all.push_back({cell, 13, 3, 3, 37, true, true, reverse});
        }
    return all;
}

const auto fused = [](auto&&... xs) { return recurrent(xs...); };
const auto twin = [](auto&&... xs) { return composed::recurrent(xs...); };

}  // namespace

TEST_CASE("recurrent: fused kernels and their twin agree in values and all gradients") {
    for (const Setting& s : settings()) {
        INFO(label(s));
        const auto fast = run(scalar(s, fused), inputs(s)), plain = run(scalar(s, twin), inputs(s));
        REQUIRE(fast.size() == plain.size());
        for (size_t i = 0; i < fast.size(); ++i) {
            INFO(i << ": " << fast[i].shape());
            CHECK(distance(fast[i], plain[i]) <= 1e-10);
        }
    }
}

TEST_CASE("recurrent: gradients are those of differences") {
    for (const Setting& s : settings())
        if (s.H < 10 && s.cell != Cell::rnn_relu)
            check_gradient(label(s), scalar(s, fused), inputs(s));
}

TEST_CASE("recurrent: a tape that is opened as composed records the twin") {
    for (const Cell cell : {Cell::rnn_tanh, Cell::lstm, Cell::gru}) {
        const Setting s{cell, 2, 3, 2, 3};
        const auto plain = run(scalar(s, twin), inputs(s));
        const auto asked = run(scalar(s, fused), inputs(s), Dtype::f64, Tape::Fused::composed);
        for (size_t i = 0; i < plain.size(); ++i) CHECK(distance(asked[i], plain[i]) <= 1e-10);
        CHECK(fails(
            [&] {
                std::vector<Tensor> xs;
                for (const Tensor& x : inputs(s)) xs.push_back(x.clone().requires_grad());
                Tape tape;
                tape.gradients(scalar(s, fused)(xs), {xs[3]});
            },
            {"no second derivative", "Fused::composed"}));
    }
}

TEST_CASE("recurrent: the same bits for any number of threads, in f32 close to f64") {
    for (const Cell cell : {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru}) {
        const Setting s{cell, 21, 9, 16, 40, true, true, false};
        const int before = thread_count();
        set_thread_count(1);
        const auto one = run(scalar(s, fused), inputs(s), Dtype::f64);
        set_thread_count(3);
        const auto three = run(scalar(s, fused), inputs(s), Dtype::f64);
        set_thread_count(before);
        for (size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], three[i]));
    }
    for (const Cell cell : {Cell::rnn_tanh, Cell::lstm, Cell::gru}) {
        const Tensor x = uniform({21, 9, 16}), ih = uniform({gates(cell) * 40, 16}, -0.3, 0.3, 2),
                     hh = uniform({gates(cell) * 40, 40}, -0.3, 0.3, 3);
        const auto single = [](const Tensor& t) { return t.to(Dtype::f32); };
        const Recurrence in64 = recurrent(cell, x, {ih, hh, {}, {}});
        const Recurrence in32 = recurrent(cell, single(x), {single(ih), single(hh), {}, {}});
        CHECK(distance(in32.y.to(Dtype::f64), in64.y) < 1e-5);
        CHECK(distance(in32.h.to(Dtype::f64), in64.h) < 1e-5);
    }
}

TEST_CASE("recurrent: outputs after a row's end are 0, its state is that of its own last step") {
    for (const Cell cell : {Cell::rnn_tanh, Cell::lstm, Cell::gru})
        for (const bool reverse : {false, true}) {
            const Tensor x = uniform({2, 5, 3}), ih = uniform({gates(cell) * 4, 3}, -1, 1, 2),
                         hh = uniform({gates(cell) * 4, 4}, -1, 1, 3);
            const RecurrentWeights w{ih, hh, {}, {}};
            const Recurrence padded = recurrent(cell, x, w, {}, {}, ids({3, 5}, {2}), reverse);
            const Recurrence alone =
                recurrent(cell, slice(slice(x, 0, 0, 1), 1, 0, 3), w, {}, {}, {}, reverse);
            CHECK(close(slice(slice(padded.y, 0, 0, 1), 1, 0, 3), alone.y));
            CHECK(close(slice(slice(padded.y, 0, 0, 1), 1, 3, 5), std::vector<double>(8, 0.0)));
            CHECK(close(slice(padded.h, 0, 0, 1), alone.h));
            if (cell == Cell::lstm) CHECK(close(slice(padded.c, 0, 0, 1), alone.c));
        }
}

TEST_CASE("recurrent: errors name the op, what was given and what was expected") {
    const Tensor x = uniform({2, 3, 4}), ih = uniform({20, 4}), hh = uniform({20, 5}),
                 b = uniform({20});
    const RecurrentWeights w{ih, hh, b, b};
    const auto call = [](Cell cell, const Tensor& input, const RecurrentWeights& weights,
                         const Tensor& h0 = {}, const Tensor& c0 = {}, const Tensor& lengths = {}) {
        return [=] { recurrent(cell, input, weights, h0, c0, lengths); };
    };
    CHECK(fails(call(Cell::lstm, uniform({2, 4}), w), {"lstm: x is [2, 4]", "[B, T, I]"}));
    CHECK(fails(call(Cell::lstm, uniform({2, 0, 4}), w),
                {"lstm: x is [2, 0, 4]", "a step at least"}));
    CHECK(fails(call(Cell::lstm, uniform({2, 3, 7}), w), {"[2, 3, 7]", "weight_ih is [20, 4]"}));
    CHECK(fails(call(Cell::gru, x, w), {"gru: weight_hh is [20, 5]", "[3 H, H]"}));
    CHECK(fails(call(Cell::lstm, x, {ih, hh, b, {}}), {"one bias is missing"}));
    CHECK(fails(call(Cell::lstm, x, {ih, hh, b, uniform({5})}), {"a bias is [5]", "[20]"}));
    CHECK(fails(call(Cell::lstm, x, w, uniform({3, 5})), {"[3, 5]", "[2, 5] expected"}));
    CHECK(fails(
        call(Cell::rnn_tanh, x, {uniform({5, 4}), uniform({5, 5}), {}, {}}, {}, uniform({2, 5})),
        {"rnn: has no state c"}));
    CHECK(
        fails(call(Cell::lstm, x, w, {}, {}, ids({1, 2, 3}, {3})), {"lengths are [3] i32", "[2]"}));
    CHECK(fails(call(Cell::lstm, x, w, {}, {}, ids({0, 3}, {2})),
                {"length of row 0 is 0", "1 ... 3"}));
    CHECK(fails(call(Cell::lstm, x, w, {}, {}, ids({3, 4}, {2})), {"length of row 1 is 4"}));
    CHECK(fails(call(Cell::lstm, x.to(Dtype::f32), w), {"f32"}));
}
