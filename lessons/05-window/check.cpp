// Judges exercise.h of lesson 05: windows and gradients against lists written out, the network against
// its equation in float64 and against the library's own model.
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <cmath>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "models/window_lm.h"
#include "nn/init.h"
#include "nn/loss.h"

using namespace gradus;

namespace {

Tensor ids(const std::vector<int32_t>& values, const Shape& shape) {
    return Tensor::from(values, shape);
}

std::string listed(const std::vector<int32_t>& document) {
    return fmt::format("{}", fmt::join(document, " "));
}

// The largest difference between two tensors; infinity where shapes or dtypes differ.
double distance(const Tensor& a, const Tensor& b) {
    if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return INFINITY;
    double largest = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const double apart = std::abs(a.at(i) - b.at(i));
        if (!(apart <= largest)) largest = apart;  // a NaN stays
    }
    return largest;
}

// V = 5, n = 3, m = 2, H = 4, in f64.
exercise::Weights weights(bool direct) {
    Rng rng(7);
    const auto some = [&](const Shape& shape) { return rng.normal(shape, 0, 0.7, Dtype::f64); };
    return {some({5, 2}), some({4, 6}), some({4}),
            some({5, 4}), some({5}),    direct ? some({5, 6}) : Tensor()};
}

// Hands its input's numbers on as logits: row i of the table for windows that end in i.
struct Bigram : nn::Layer {
    explicit Bigram(Tensor rows) : table(std::move(rows)) {}
    Tensor forward(const Tensor& x) override {
        last.push_back(x.clone());
        const int64_t n = x.size(1);
        return index_select(table, 0,
                            reshape(slice(x.to(Dtype::f64), 1, n - 1, n), {-1}).to(Dtype::i32));
    }
    Tensor table;              // [V, V]
    std::vector<Tensor> last;  // every input so far
};

// ln of a table of probabilities.
Bigram bigram(const std::vector<double>& p, int64_t vocab) {
    return Bigram(log(Tensor::from(p, {vocab, vocab}) + 1e-30));
}

}  // namespace

// ---- task 1: windows ----------------------------------------------------------------------------

TEST_CASE("task 1 (2 points): each token has a row of those before it, the oldest first") {
    const auto [x, y] = exercise::windows({5, 6, 7, 8}, 2, 0);
    CHECK(distance(x, ids({0, 0, 0, 5, 5, 6, 6, 7}, {4, 2})) == 0);
    CHECK(distance(y, ids({5, 6, 7, 8}, {4})) == 0);
}

TEST_CASE("task 1 (1 point): a window may be longer than the document, and the padding any id") {
    const auto [x, y] = exercise::windows({3, 1}, 4, 9);
    CHECK(distance(x, ids({9, 9, 9, 9, 9, 9, 9, 3}, {2, 4})) == 0);
    CHECK(distance(y, ids({3, 1}, {2})) == 0);
}

// ---- task 2: look-up ----------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): embeddings stand side by side, in the window's order") {
    const Tensor table = Tensor::from<double>({0, 1, 10, 11, 20, 21, 30, 31}, {4, 2});
    const Tensor x = exercise::look_up(table, ids({2, 0, 3, 1, 1, 1}, {2, 3}));
    const std::vector<double> expected{20, 21, 0, 1, 30, 31, 10, 11, 10, 11, 10, 11};
    CHECK(distance(x, Tensor::from(expected, {2, 6})) == 0);
}

TEST_CASE("task 2 (1 point): gradients reach the table") {
    const auto result = gradcheck(
        [](const std::vector<Tensor>& in) {
            return exercise::look_up(in[0], ids({2, 0, 2, 1, 2, 2}, {2, 3}));
        },
        {Rng(1).normal({4, 3}, 0, 1, Dtype::f64)});
    CHECK_MESSAGE(result.ok, result.message);
}

// ---- task 3: the network ------------------------------------------------------------------------

TEST_CASE("task 3 (2 points): the logits are those of equation (1), number by number") {
    const Tensor windows = ids({0, 4, 2, 3, 3, 1}, {2, 3});
    for (const bool direct : {false, true}) {
        const exercise::Weights w = weights(direct);
        const Tensor y = exercise::logits(w, windows);
        CHECK(y.shape() == Shape{2, 5});
        for (int64_t b = 0; b < 2; ++b) {
            double x[6], h[4];
            for (int64_t i = 0; i < 6; ++i)
                x[i] = w.C.at(static_cast<int64_t>(windows.at(b * 3 + i / 2)) * 2 + i % 2);
            for (int64_t k = 0; k < 4; ++k) {
                h[k] = w.d.at(k);
                for (int64_t i = 0; i < 6; ++i) h[k] += w.H.at(k * 6 + i) * x[i];
            }
            for (int64_t v = 0; v < 5; ++v) {
                double expected = w.b.at(v);
                for (int64_t k = 0; k < 4; ++k) expected += w.U.at(v * 4 + k) * std::tanh(h[k]);
                for (int64_t i = 0; direct && i < 6; ++i) expected += w.W.at(v * 6 + i) * x[i];
                CAPTURE(direct);
                CHECK(std::abs(y.at(b * 5 + v) - expected) < 1e-12);
            }
        }
    }
}

TEST_CASE("task 3 (1 point): all six weights get their gradient, to 1e-6") {
    const exercise::Weights w = weights(true);
    const auto result = gradcheck(
        [](const std::vector<Tensor>& in) {
            return exercise::logits({in[0], in[1], in[2], in[3], in[4], in[5]},
                                    ids({1, 1, 4, 0, 1, 2}, {2, 3}));
        },
        {w.C, w.H, w.d, w.U, w.b, w.W});
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("task 3 (1 point): the library's model gives the same logits") {
    nn::manual_seed(3);
    models::WindowLM model({.vocab = 9, .window = 4, .dim = 3, .hidden = 8, .direct = true});
    model.to(Dtype::f64);
    const nn::StateDict p = model.state_dict();
    const exercise::Weights w{p.at("table.weight"), p.at("hidden.weight"), p.at("hidden.bias"),
                              p.at("head.weight"),  p.at("head.bias"),     p.at("direct.weight")};
    const Tensor windows = ids({0, 8, 3, 3, 7, 1, 0, 2, 5, 5, 5, 5}, {3, 4});
    CHECK(distance(exercise::logits(w, windows), model(windows)) < 1e-12);
}

// ---- task 4: the loss ---------------------------------------------------------------------------

TEST_CASE("task 4 (1 point): the loss is the mean of -ln p, and large logits do not overflow") {
    const Tensor y = log(Tensor::from<double>({0.5, 0.25, 0.25, 0.1, 0.1, 0.8}, {2, 3}));
    const double expected = -(std::log(0.25) + std::log(0.8)) / 2;
    CHECK(exercise::loss(y, ids({1, 2}, {2})).item() == doctest::Approx(expected));
    CHECK(exercise::loss(y + 1000.0, ids({1, 2}, {2})).item() == doctest::Approx(expected));
}

TEST_CASE("task 4 (1 point): its gradient at the logits is (softmax - onehot) / B") {
    Rng rng(2);
    const Tensor targets = ids({3, 0, 3, 1}, {4}), start = rng.normal({4, 5}, 0, 2, Dtype::f64);
    Tensor y = start.clone();
    y.requires_grad();
    Tape tape;
    tape.backward(exercise::loss(y, targets));
    Tensor expected = softmax(start) / 4;
    for (int64_t b = 0; b < 4; ++b) {
        const int64_t at = b * 5 + static_cast<int64_t>(targets.at(b));
        expected.set(at, expected.at(at) - 0.25);
    }
    CHECK(distance(y.grad(), expected) < 1e-12);
}

TEST_CASE("task 4 (2 points): perplexity counts every row once, in portions of any size") {
    Bigram model = bigram({0.7, 0.2, 0.1, 0.3, 0.3, 0.4, 0.05, 0.05, 0.9}, 3);
    const data::Batch rows{ids({0, 1, 1, 2, 2, 0, 0, 2, 1, 1}, {5, 2}), ids({0, 2, 1, 1, 0}, {5})};
    const double p[] = {0.3, 0.9, 0.2, 0.05, 0.3};
    double nats = 0;
    for (const double each : p) nats -= std::log(each) / 5;
    for (const int64_t at_once : {1, 2, 3, 5, 100}) {
        CAPTURE(at_once);
        CHECK(exercise::perplexity(model, rows, at_once) == doctest::Approx(std::exp(nats)));
    }
    for (const Tensor& x : model.last) CHECK(x.size(0) <= 5);
}

// ---- task 5: the table's gradient ---------------------------------------------------------------

TEST_CASE("task 5 (1 point): a token's row gets what arrives where it stands; others get zero") {
    const Tensor dx = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4});  // n = 2, m = 2
    const Tensor gradient = exercise::table_gradient(dx, ids({3, 0, 4, 1}, {2, 2}), 6);
    const std::vector<double> expected{3, 4, 7, 8, 0, 0, 1, 2, 5, 6, 0, 0};
    CHECK(distance(gradient, Tensor::from(expected, {6, 2})) == 0);
}

TEST_CASE("task 5 (2 points): a token in several places gets the sum, as the tape has it") {
    const Tensor dx = Tensor::from<double>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});  // m = 1
    const Tensor window = ids({2, 2, 0, 1, 2, 1, 1, 1, 1}, {3, 3});
    CHECK(distance(exercise::table_gradient(dx, window, 3),
                   Tensor::from<double>({3, 4 + 6 + 7 + 8 + 9, 1 + 2 + 5}, {3, 1})) == 0);

    Rng rng(4);
    Tensor table = rng.normal({4, 5}, 0, 1, Dtype::f64);
    table.requires_grad();
    const Tensor twice = ids({1, 3, 1, 1, 0, 3, 3, 3}, {4, 2});
    const Tensor seed = rng.normal({4, 10}, 0, 1, Dtype::f64);
    Tape tape;
    tape.backward(reshape(embedding(table, twice), {4, 10}), seed);
    CHECK(distance(exercise::table_gradient(seed, twice, 4), table.grad()) < 1e-12);
}

// ---- task 6: making up --------------------------------------------------------------------------

TEST_CASE(
    "task 6 (1 point): the window begins full of ends, moves on by one, and ends at the end") {
    // 0 leads to 1, 1 to 2, 2 to 3, and 3 to 0, which is the end.
    Bigram model = bigram({0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0}, 4);
    Rng rng(1);
    CHECK(listed(exercise::make_up(model, 3, 0, 50, rng)) == "1 2 3");
    REQUIRE(model.last.size() == 4);
    const std::vector<std::vector<int32_t>> windows{{0, 0, 0}, {0, 0, 1}, {0, 1, 2}, {1, 2, 3}};
    for (size_t i = 0; i < 4; ++i) CHECK(distance(model.last[i], ids(windows[i], {1, 3})) == 0);
}

TEST_CASE("task 6 (1 point): a document without an end stops at the longest") {
    Bigram model = bigram({0, 1, 0, 1}, 2);
    Rng rng(1);
    CHECK(listed(exercise::make_up(model, 2, 0, 7, rng)) == "1 1 1 1 1 1 1");
    CHECK(exercise::make_up(model, 2, 0, 0, rng).empty());
}

TEST_CASE("task 6 (2 points): tokens come as often as the softmax says") {
    Bigram model = bigram({0, 0.3, 0.7, 0.5, 0.25, 0.25, 0.2, 0.8, 0}, 3);
    Rng rng(5);
    double counts[3][3] = {};
    for (int i = 0; i < 4000; ++i) {
        int32_t before = 0;
        for (const int32_t id : exercise::make_up(model, 1, 0, 200, rng)) {
            REQUIRE((id == 1 || id == 2));
            counts[before][id] += 1;
            before = id;
        }
        counts[before][0] += 1;
    }
    const double expected[3][3] = {{0, 0.3, 0.7}, {0.5, 0.25, 0.25}, {0.2, 0.8, 0}};
    for (int a = 0; a < 3; ++a) {
        const double total = counts[a][0] + counts[a][1] + counts[a][2];
        for (int b = 0; b < 3; ++b) {
            CAPTURE(a);
            CAPTURE(b);
            CHECK(counts[a][b] / total == doctest::Approx(expected[a][b]).scale(1).epsilon(0.015));
        }
    }
}

// ---- task 7: the principal axis -----------------------------------------------------------------

TEST_CASE("task 7 (2 points): finds where a cloud is long, wherever the cloud lies") {
    Rng rng(6);
    const Tensor a = Tensor::from<double>({3, -4, 12, 0}, {1, 4}) / 13;  // of length 1
    for (const double away : {0.0, 50.0}) {
        const Tensor x = rng.normal({500, 1}, 0, 3, Dtype::f64) * a +
                         rng.normal({500, 4}, 0, 0.2, Dtype::f64) + away;
        const Tensor v = exercise::principal_axis(x);
        CAPTURE(away);
        CHECK(v.shape() == Shape{4});
        CHECK(std::abs(sum(square(v)).item() - 1) < 1e-9);
        CHECK(std::abs(sum(v * reshape(a, {4})).item()) > 0.999);
    }
}

TEST_CASE("task 7 (1 point): it is an eigenvector of the covariance") {
    Tensor rows = Rng(8).normal({30, 5}, 2, 1, Dtype::f64);
    const Tensor v = exercise::principal_axis(rows.to(Dtype::f32), 3000);
    rows = rows - mean(rows, {0}, true);
    const Tensor turned = matmul(matmul(rows, rows, Trans::a), reshape(v, {5, 1}));
    const double value = sqrt(sum(square(turned))).item();
    CHECK(distance(abs(turned) / value, abs(reshape(v, {5, 1}))) < 1e-4);
}
