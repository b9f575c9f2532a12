// Judges exercise.h of lesson 07: the network against scalar loops and against the tape in float64,
// the forward algorithm against a sum over every path of hidden states.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"

using namespace gradus;
using exercise::Rnn;

namespace {

constexpr int64_t B = 3, T = 7, I = 4, H = 5;

// The largest difference between two tensors.
double distance(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    return max(abs(a - b)).item();
}

// A network, its sequences and its first state. A scale of 1 keeps the states from going numb.
struct Case {
    Rnn rnn;
    Tensor x, h0;
    explicit Case(uint64_t seed = 1, int64_t time = T, double scale = 0.5) {
        Rng rng(seed);
        rnn = {rng.normal({H, I}, 0, scale, Dtype::f64), rng.normal({H, H}, 0, scale, Dtype::f64),
               rng.normal({H}, 0, scale, Dtype::f64)};
        x = rng.normal({B, time, I}, 0, 1, Dtype::f64);
        h0 = rng.normal({B, H}, 0, 0.5, Dtype::f64);
    }
    std::vector<Tensor> weights() const { return {rnn.w_ih, rnn.w_hh, rnn.b}; }
    void want_gradients() {
        for (Tensor w : weights()) w.requires_grad();
    }
};

// One number of the next state, by the formula.
double one_number(const Rnn& rnn, const Tensor& x, const Tensor& h, int64_t row, int64_t unit) {
    double u = rnn.b.at(unit);
    for (int64_t i = 0; i < I; ++i) u += rnn.w_ih.at(unit * I + i) * x.at(row * I + i);
    for (int64_t j = 0; j < H; ++j) u += rnn.w_hh.at(unit * H + j) * h.at(row * H + j);
    return std::tanh(u);
}

// The states by the library's own recurrent op.
Tensor library_states(const Rnn& rnn, const Tensor& x, const Tensor& h0) {
    const Tensor none = Tensor::zeros({H}, Dtype::f64);
    return composed::recurrent(Cell::rnn_tanh, x, {rnn.w_ih, rnn.w_hh, rnn.b, none}, h0).y;
}

// A loss that hears each number of each state, differently.
Tensor weighted(const std::vector<Tensor>& states, int64_t first = 0) {
    Tensor total = Tensor::zeros({}, Dtype::f64);
    for (size_t t = 0; t < states.size(); ++t) {
        Rng rng(100 + static_cast<uint64_t>(first) + t);
        total = total + sum(square(states[t]) * rng.normal({B, H}, 0, 1, Dtype::f64));
    }
    return total;
}

// The sum over all paths of hidden states, written as a loop over them.
double nats_by_paths(const exercise::HiddenMarkov& source, const std::vector<int32_t>& symbols) {
    const int64_t states = source.start.size(), vocab = source.emission.size(1);
    int64_t paths = 1;
    for (size_t t = 0; t < symbols.size(); ++t) paths *= states;
    double total = 0;
    for (int64_t path = 0; path < paths; ++path) {
        double p = 1;
        int64_t rest = path, before = -1;
        for (const int32_t symbol : symbols) {
            const int64_t state = rest % states;
            rest /= states;
            p *=
                before < 0 ? source.start.at(state) : source.transition.at(before * states + state);
            p *= source.emission.at(state * vocab + symbol);
            before = state;
        }
        total += p;
    }
    return -std::log(total);
}

exercise::HiddenMarkov source() {
    return {
        Tensor::from<double>({0.6, 0.3, 0.1}),
        Tensor::from<double>({0.7, 0.2, 0.1, 0.05, 0.9, 0.05, 0.3, 0.3, 0.4}, {3, 3}),
        Tensor::from<double>({0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.7, 0, 0.5, 0.25, 0.25}, {3, 4})};
}

}  // namespace

// ---- task 1: the cell ---------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): each number of the next state is tanh(W_ih x + W_hh h + b)") {
    const Case c;
    const Tensor x = reshape(slice(c.x, 1, 0, 1), {B, I});
    const Tensor next = exercise::rnn_cell(c.rnn, x, c.h0);
    REQUIRE(next.shape() == Shape{B, H});
    for (int64_t row = 0; row < B; ++row) {
        for (int64_t unit = 0; unit < H; ++unit) {
            CAPTURE(row);
            CAPTURE(unit);
            CHECK(next.at(row * H + unit) ==
                  doctest::Approx(one_number(c.rnn, x, c.h0, row, unit)).epsilon(1e-12));
        }
    }
}

TEST_CASE("task 1 (1 point): its gradients to the input, the state and the weights are right") {
    const Case c;
    const auto check = gradcheck(
        [](const std::vector<Tensor>& in) {
            return exercise::rnn_cell({in[0], in[1], in[2]}, in[3], in[4]);
        },
        {c.rnn.w_ih, c.rnn.w_hh, c.rnn.b, slice(reshape(c.x, {B * T, I}), 0, 0, B), c.h0});
    CHECK_MESSAGE(check.ok, check.message);
}

// ---- task 2: unrolled ---------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): T states, the same as the library's own") {
    for (const int64_t time : {1, 2, 7, 40}) {
        const Case c(2, time);
        const auto states = exercise::unroll(c.rnn, c.x, c.h0);
        CAPTURE(time);
        REQUIRE(states.size() == static_cast<size_t>(time));
        CHECK(distance(stack(states, 1), library_states(c.rnn, c.x, c.h0)) < 1e-12);
    }
}

TEST_CASE("task 2 (1 point): under a tape, what the last state says reaches the first input") {
    Case c;
    c.x.requires_grad();
    Tape tape;
    const auto states = exercise::unroll(c.rnn, c.x, c.h0);
    tape.backward(sum(states.back()));
    const Tensor dx = c.x.grad();
    REQUIRE(dx.defined());
    for (int64_t t = 0; t < T; ++t) {
        CAPTURE(t);
        CHECK(max(abs(slice(dx, 1, t, t + 1))).item() > 0);
    }
}

// ---- task 3: backpropagation through time -------------------------------------------------------

TEST_CASE("task 3 (3 points): all four gradients agree with the tape's") {
    for (const int64_t time : {1, 2, 7, 25}) {
        Case c(3, time);
        c.want_gradients();
        c.h0.requires_grad();
        std::vector<Tensor> states, dy;
        {
            Tape tape;
            for (const Tensor& h : split(library_states(c.rnn, c.x, c.h0), 1, 1))
                states.push_back(reshape(h, {B, H}));
            const Tensor loss = weighted(states);
            tape.backward(loss);
        }
        for (size_t t = 0; t < states.size(); ++t) {  // of weighted(), by hand
            Rng rng(100 + t);
            dy.push_back(2 * states[t] * rng.normal({B, H}, 0, 1, Dtype::f64));
        }
        const auto d = exercise::backward_through_time(c.rnn, c.x, c.h0, states, dy);
        CAPTURE(time);
        CHECK(distance(d.w_ih, c.rnn.w_ih.grad()) < 1e-10);
        CHECK(distance(d.w_hh, c.rnn.w_hh.grad()) < 1e-10);
        CHECK(distance(d.b, c.rnn.b.grad()) < 1e-10);
        CHECK(distance(d.h0, c.h0.grad()) < 1e-10);
    }
}

TEST_CASE("task 3 (1 point): a loss of the last step alone reaches the first state") {
    const Case c(4);
    const auto states = exercise::unroll(c.rnn, c.x, c.h0);
    std::vector<Tensor> dy(T, Tensor::zeros({B, H}, Dtype::f64));
    dy.back() = Tensor::ones({B, H}, Dtype::f64);
    const auto d = exercise::backward_through_time(c.rnn, c.x, c.h0, states, dy);
    const auto end = [&](const std::vector<Tensor>& in) {
        const Tensor y = library_states(c.rnn, c.x, in[0]);
        return sum(slice(y, 1, T - 1, T));
    };
    for (const int64_t i : {int64_t{0}, B * H - 1}) {
        Tensor up = c.h0.clone(), down = c.h0.clone();
        up.set(i, up.at(i) + 1e-5);
        down.set(i, down.at(i) - 1e-5);
        const double slope = (end({up}).item() - end({down}).item()) / 2e-5;
        CAPTURE(i);
        CHECK(d.h0.at(i) == doctest::Approx(slope).epsilon(1e-6));
    }
}

// ---- task 4: the gradient over distance ---------------------------------------------------------

TEST_CASE("task 4 (2 points): without inputs, and one unit, it is the product of the slopes") {
    const double w = 0.8;
    const Rnn rnn{Tensor::zeros({1, 1}, Dtype::f64), Tensor::from<double>({w}, {1, 1}),
                  Tensor::from<double>({0.3})};
    const int64_t time = 12;
    const Tensor x = Tensor::zeros({1, time, 1}, Dtype::f64);
    const auto norms = exercise::gradient_over_distance(
        rnn, x, Tensor::from<double>({-0.9}, {1, 1}), [](const Tensor& h) { return sum(3.0 * h); });
    REQUIRE(norms.size() == static_cast<size_t>(time));
    std::vector<double> h{-0.9};
    for (int64_t t = 0; t < time; ++t) h.push_back(std::tanh(w * h.back() + 0.3));
    double expected = 3;
    for (size_t k = 0; k < norms.size(); ++k) {
        CAPTURE(k);
        CHECK(norms[k] == doctest::Approx(expected).epsilon(1e-10));
        const double state = h[h.size() - 1 - k];
        expected *= w * (1 - state * state);
    }
}

TEST_CASE("task 4 (1 point): it starts at dL / dh_T, vanishes for small weights, grows for large") {
    for (const double scale : {0.1, 1.5}) {
        Case c(5, 30, scale);
        c.x = Tensor::zeros({B, 30, I}, Dtype::f64);
        c.rnn.b.fill(0);
        c.h0 = 1e-12 * c.h0;  // so small that tanh is a line: the product is W's alone
        Tensor last;
        const auto norms = exercise::gradient_over_distance(c.rnn, c.x, c.h0, [&](const Tensor& h) {
            last = h;
            return sum(square(h));
        });
        REQUIRE(norms.size() == 30);
        CAPTURE(scale);
        CHECK(norms[0] == doctest::Approx(2 * std::sqrt(sum(square(last)).item())));
        CHECK((scale < 1 ? norms[29] < 1e-3 * norms[0] : norms[29] > 1e3 * norms[0]));
    }
}

// ---- task 5: truncation -------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): the state goes on through windows of any length, whole or not") {
    for (const int64_t window : {1, 3, 7, 100}) {
        Case c(6);
        c.want_gradients();
        std::vector<int64_t> begins;
        const Tensor h = exercise::truncated_backward(
            c.rnn, c.x, c.h0, window, [&](const std::vector<Tensor>& states, int64_t first) {
                begins.push_back(first);
                CHECK(static_cast<int64_t>(states.size()) == std::min(window, T - first));
                return weighted(states, first);
            });
        CAPTURE(window);
        CHECK(distance(h, reshape(slice(library_states(c.rnn, c.x, c.h0), 1, T - 1, T), {B, H})) <
              1e-12);
        REQUIRE(static_cast<int64_t>(begins.size()) == (T + window - 1) / window);
        for (size_t i = 0; i < begins.size(); ++i)
            CHECK(begins[i] == static_cast<int64_t>(i) * window);
    }
}

TEST_CASE("task 5 (1 point): one window over everything gives the whole gradient") {
    Case c(7), whole(7);
    c.want_gradients();
    whole.want_gradients();
    exercise::truncated_backward(c.rnn, c.x, c.h0, T, weighted);
    std::vector<Tensor> states;
    Tape tape;
    for (const Tensor& h : split(library_states(whole.rnn, whole.x, whole.h0), 1, 1))
        states.push_back(reshape(h, {B, H}));
    tape.backward(weighted(states));
    for (size_t i = 0; i < 3; ++i) {
        CAPTURE(i);
        CHECK(distance(c.weights()[i].grad(), whole.weights()[i].grad()) < 1e-10);
    }
}

TEST_CASE("task 5 (1 point): the gradient is the sum of the windows', each from a fixed state") {
    Case c(8), apart(8);
    c.want_gradients();
    apart.want_gradients();
    exercise::truncated_backward(c.rnn, c.x, c.h0, 3, weighted);
    const Tensor y = library_states(c.rnn, c.x, c.h0).clone();
    for (int64_t first = 0; first < T; first += 3) {
        const int64_t end = std::min<int64_t>(first + 3, T);
        const Tensor start =
            first == 0 ? c.h0 : reshape(slice(y, 1, first - 1, first), {B, H}).clone();
        std::vector<Tensor> states;
        Tape tape;
        for (const Tensor& h :
             split(library_states(apart.rnn, slice(apart.x, 1, first, end), start), 1, 1))
            states.push_back(reshape(h, {B, H}));
        tape.backward(weighted(states, first));
    }
    for (size_t i = 0; i < 3; ++i) {
        CAPTURE(i);
        CHECK(distance(c.weights()[i].grad(), apart.weights()[i].grad()) < 1e-10);
    }
}

// ---- task 6: clipping ---------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): long gradients are scaled together, short ones stay to the bit") {
    Tensor a = Tensor::from<double>({3, 0}), b = Tensor::from<double>({0, -4, 12}, {3, 1});
    CHECK(exercise::clip_or_skip({a, b}, 6.5) == doctest::Approx(13));
    CHECK(distance(a, Tensor::from<double>({1.5, 0})) < 1e-5);
    CHECK(distance(b, Tensor::from<double>({0, -2, 6}, {3, 1})) < 1e-5);
    const Tensor before = b.clone();
    exercise::clip_or_skip({b}, 100);
    CHECK(distance(b, before) == 0);
}

TEST_CASE("task 6 (1 point): after an explosion all gradients are zero, and the length says why") {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {infinity, -infinity, std::nan("")}) {
        Tensor a = Tensor::from<double>({1, bad, 2}), b = Tensor::from<double>({5, 6});
        CAPTURE(bad);
        CHECK(!std::isfinite(exercise::clip_or_skip({a, b}, 1)));
        CHECK(max(abs(a)).item() == 0);
        CHECK(max(abs(b)).item() == 0);
    }
}

// ---- task 7: perplexity -------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): knowing nothing, it is the size of the vocabulary; knowing all, 1") {
    const std::vector<Tensor> targets{Tensor::from<int32_t>({0, 3, 2})};
    CHECK(exercise::perplexity({Tensor::zeros({3, 4}, Dtype::f64)}, targets) == doctest::Approx(4));
    Tensor sure = Tensor::zeros({3, 4}, Dtype::f64);
    for (const int64_t at : {0, 7, 10}) sure.set(at, 2000);  // e^2000 is no double
    CHECK(exercise::perplexity({sure}, targets) == doctest::Approx(1));
}

TEST_CASE("task 7 (1 point): every token counts the same, however the text was cut; padding not") {
    Rng rng(9);
    const Tensor logits = rng.normal({11, 6}, 0, 2, Dtype::f64);
    const std::vector<int32_t> ids{1, 5, -100, 0, 0, 3, 2, -100, -100, 4, 1};
    const double whole = exercise::perplexity({logits}, {Tensor::from<int32_t>(ids)});
    double nats = 0;
    for (int64_t i = 0; i < 11; ++i) {
        const int32_t id = ids[static_cast<size_t>(i)];
        double total = 0;
        for (int64_t v = 0; v < 6; ++v) total += std::exp(logits.at(i * 6 + v));
        if (id >= 0) nats -= logits.at(i * 6 + id) - std::log(total);
    }
    CHECK(whole == doctest::Approx(std::exp(nats / 8)));
    std::vector<Tensor> parts, targets;
    for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, 1}, {1, 3}, {3, 11}}) {
        parts.push_back(slice(logits, 0, begin, end));
        targets.push_back(Tensor::from<int32_t>({ids.begin() + begin, ids.begin() + end}));
    }
    CHECK(exercise::perplexity(parts, targets) == doctest::Approx(whole));
}

// ---- task 8: the forward algorithm --------------------------------------------------------------

TEST_CASE("task 8 (2 points): it is the sum over every path of hidden states") {
    for (const std::vector<int32_t>& symbols :
         {std::vector<int32_t>{2}, {0, 3}, {3, 3, 1, 0, 2}, {1, 0, 0, 3, 2, 2, 3, 3}}) {
        CAPTURE(symbols.size());
        CHECK(exercise::forward_nats(source(), symbols) ==
              doctest::Approx(nats_by_paths(source(), symbols)).epsilon(1e-12));
    }
}

TEST_CASE("task 8 (1 point): a hundred thousand symbols do not become 0") {
    // Both states emit alike, so the symbols are independent coins: the answer is a closed form.
    const exercise::HiddenMarkov coins{Tensor::from<double>({0.5, 0.5}),
                                       Tensor::from<double>({0.9, 0.1, 0.2, 0.8}, {2, 2}),
                                       Tensor::from<double>({0.25, 0.75, 0.25, 0.75}, {2, 2})};
    std::vector<int32_t> symbols(100000);
    for (size_t i = 0; i < symbols.size(); ++i) symbols[i] = i % 4 != 0;
    CHECK(exercise::forward_nats(coins, symbols) ==
          doctest::Approx(-25000 * std::log(0.25) - 75000 * std::log(0.75)).epsilon(1e-10));
}
