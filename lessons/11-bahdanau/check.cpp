// Judges exercise.h of lesson 11: attention against the library's composed twin, encoder and decoder
// against its layers, which are themselves tested against PyTorch's figures; gradients against the
// tape, in float64; the rest against sums written out.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "nn/recurrent.h"

using namespace gradus;

namespace {

constexpr int64_t kB = 3, kS = 5, kK = 6, kN = 4, kA = 7;
const double kNan = std::numeric_limits<double>::quiet_NaN();

// The largest difference between two tensors; infinity where their shapes differ or one is NaN.
double distance(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape()) return INFINITY;
    const double largest = max(abs(a - b)).item();
    return std::isnan(largest) ? INFINITY : largest;
}

Tensor noise(const Shape& shape, uint64_t seed, double size = 1) {
    return Rng(seed).normal(shape, 0, size, Dtype::f64);
}

const Tensor kLengths = Tensor::from<int32_t>({5, 1, 3});

struct Case {
    exercise::Additive a{noise({kA, kN}, 1), noise({kA, kK}, 2), noise({kA}, 3), noise({kA}, 4)};
    Tensor q = noise({kB, kN}, 5), h = noise({kB, kS, kK}, 6);

    // The library's, for lengths [B].
    Attention reference(const Tensor& lengths) const {
        return composed::additive_attention(reshape(matmul(q, a.w, Trans::b), {kB, 1, kA}),
                                            matmul(h, a.u, Trans::b) + a.b, a.v, h, lengths);
    }
};

// Row b of x [B, S, W], its first `length` steps: [1, length, W].
Tensor row(const Tensor& x, int64_t b, int64_t length) {
    return slice(slice(x, 0, b, b + 1), 1, 0, length);
}

// A layer of the library as the exercise sees it.
exercise::Layer layer(nn::GRU& gru) {
    return [&gru](const Tensor& x) { return gru(x).y; };
}

// Two directions of a GRU, apart and together, with the same weights.
struct BothWays {
    static constexpr int64_t kI = 3, kH = 4;
    nn::GRU forwards{kI, kH}, backwards{kI, kH}, together{kI, kH, {.bidirectional = true}};

    BothWays() {
        for (nn::GRU* gru : {&forwards, &backwards, &together}) gru->to(Dtype::f64);
        const auto fill = [](RecurrentWeights& w, RecurrentWeights& same, uint64_t seed) {
            for (auto [one, other] :
                 {std::pair(&w.ih, &same.ih), std::pair(&w.hh, &same.hh),
                  std::pair(&w.bias_ih, &same.bias_ih), std::pair(&w.bias_hh, &same.bias_hh)}) {
                one->copy_from(noise(one->shape(), seed++, 0.5));
                other->copy_from(*one);
            }
        };
        fill(forwards.weights(0), together.weights(0), 10);
        fill(backwards.weights(0), together.weights(0, true), 20);
    }
};

}  // namespace

// ---- task 1: scores -----------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): dot and general are sums of products") {
    const Tensor h = noise({kB, kS, kK}, 1), q = noise({kB, kK}, 2), small = noise({kB, kN}, 3),
                 w = noise({kK, kN}, 4);
    Tensor dot = Tensor::zeros({kB, kS}, Dtype::f64), general = dot.clone();
    for (int64_t b = 0; b < kB; ++b)
        for (int64_t s = 0; s < kS; ++s)
            for (int64_t k = 0; k < kK; ++k) {
                const int64_t e = b * kS + s;
                dot.set(e, dot.at(e) + h.at(e * kK + k) * q.at(b * kK + k));
                for (int64_t n = 0; n < kN; ++n)
                    general.set(e, general.at(e) +
                                       h.at(e * kK + k) * w.at(k * kN + n) * small.at(b * kN + n));
            }
    CHECK(distance(exercise::dot_score(q, h), dot) < 1e-12);
    CHECK(distance(exercise::general_score(w, small, h), general) < 1e-12);
}

TEST_CASE("task 1 (2 points): additive is vᵀ tanh(W q + U h + b)") {
    const Case c;
    Tensor expected = Tensor::zeros({kB, kS}, Dtype::f64);
    for (int64_t b = 0; b < kB; ++b)
        for (int64_t s = 0; s < kS; ++s) {
            double e = 0;
            for (int64_t i = 0; i < kA; ++i) {
                double u = c.a.b.at(i);
                for (int64_t n = 0; n < kN; ++n) u += c.a.w.at(i * kN + n) * c.q.at(b * kN + n);
                for (int64_t k = 0; k < kK; ++k)
                    u += c.a.u.at(i * kK + k) * c.h.at((b * kS + s) * kK + k);
                e += c.a.v.at(i) * std::tanh(u);
            }
            expected.set(b * kS + s, e);
        }
    CHECK(distance(exercise::additive_score(c.a, c.q, c.h), expected) < 1e-12);
}

// ---- task 2: the mask ---------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): each row is the softmax of its own places, and 0 after them") {
    const Tensor scores = noise({kB, kS}, 1, 3);
    const Tensor p = exercise::masked_softmax(scores, kLengths);
    REQUIRE(p.shape() == Shape{kB, kS});
    for (int64_t b = 0; b < kB; ++b) {
        const auto length = static_cast<int64_t>(kLengths.at(b));
        const Tensor mine = slice(p, 0, b, b + 1);
        CAPTURE(b);
        CHECK(distance(slice(mine, 1, 0, length),
                       softmax(slice(slice(scores, 0, b, b + 1), 1, 0, length))) < 1e-12);
        for (int64_t s = length; s < kS; ++s) CHECK(mine.at(s) == 0);
    }
}

TEST_CASE("task 2 (1 point): large scores, a row of length 0, and NaN in the padding do no harm") {
    const Tensor scores =
        Tensor::from<double>({5000, 4999, -5000, 3, kNan, 7, -5000, -5000, 900}, {3, 3});
    const Tensor p = exercise::masked_softmax(scores, Tensor::from<int32_t>({3, 0, 2}));
    const double first = 1 / (1 + std::exp(-1));
    CHECK(distance(p, Tensor::from<double>({first, 1 - first, 0, 0, 0, 0, 0.5, 0.5, 0}, {3, 3})) <
          1e-12);
    const Tensor q = exercise::masked_softmax(Tensor::from<double>({1, kNan}, {1, 2}),
                                              Tensor::from<int32_t>({1}));
    CHECK(distance(q, Tensor::from<double>({1, 0}, {1, 2})) < 1e-12);
}

TEST_CASE("task 2 (1 point): gradients are right, and none comes from the padding") {
    const Tensor lengths = Tensor::from<int32_t>({5, 0, 3}), direction = noise({kB, kS}, 2);
    Tensor scores = noise({kB, kS}, 1);
    const auto report = gradcheck(
        [&](const std::vector<Tensor>& x) {
            return sum(exercise::masked_softmax(x[0], lengths) * direction);
        },
        {scores});
    CHECK_MESSAGE(report.ok, report.message);
    scores.requires_grad();
    Tape tape;
    tape.backward(sum(exercise::masked_softmax(scores, lengths) * direction));
    CHECK(max(abs(slice(scores.grad(), 0, 1, 2))).item() == 0);
    CHECK(max(abs(slice(slice(scores.grad(), 0, 2, 3), 1, 3, 5))).item() == 0);
    CHECK(max(abs(slice(scores.grad(), 0, 0, 1))).item() > 1e-3);
}

// ---- task 3: context and decoder ----------------------------------------------------------------

TEST_CASE("task 3 (1 point): the context is a mean of the states by their weights") {
    const Tensor h = noise({kB, kS, kK}, 1);
    Tensor weights = Tensor::zeros({kB, kS}, Dtype::f64);
    weights.set(2, 1);                                     // row 0: state 2 alone
    weights.set(kS, 0.25), weights.set(2 * kS - 1, 0.75);  // row 1: the first and the last
    const Tensor c = exercise::context(weights, h);        // row 2: nothing
    REQUIRE(c.shape() == Shape{kB, kK});
    for (int64_t k = 0; k < kK; ++k) {
        CHECK(c.at(k) == doctest::Approx(h.at(2 * kK + k)));
        CHECK(c.at(kK + k) ==
              doctest::Approx(0.25 * h.at(kS * kK + k) + 0.75 * h.at((2 * kS - 1) * kK + k)));
        CHECK(c.at(2 * kK + k) == 0);
    }
}

TEST_CASE("task 3 (2 points): a step of the decoder looks with the state before it") {
    const Case c;
    const int64_t E = 2;
    nn::RecurrentCell gru(Cell::gru, E + kK, kN);
    gru.to(Dtype::f64);
    const Tensor y = noise({kB, E}, 8);
    const exercise::CellStep cell = [&](const Tensor& x, const Tensor& s) {
        return gru(x, {s, {}}).h;
    };
    const exercise::Step step = exercise::decoder_step(c.a, cell, y, c.q, c.h, kLengths);
    const Attention reference = c.reference(kLengths);
    const Tensor found = reshape(reference.y, {kB, kK});
    CHECK(distance(step.weights, reshape(reference.weights, {kB, kS})) < 1e-12);
    CHECK(distance(step.context, found) < 1e-12);
    CHECK(distance(step.s, gru(concat({y, found}, 1), {c.q, {}}).h) < 1e-12);
}

// ---- task 4: both ways --------------------------------------------------------------------------

TEST_CASE("task 4 (2 points): each row of a padded batch is what it is alone") {
    BothWays gru;
    const Tensor x = noise({kB, kS, BothWays::kI}, 7);
    const Tensor states = exercise::encode(layer(gru.forwards), layer(gru.backwards), x, kLengths);
    REQUIRE(states.shape() == Shape{kB, kS, 2 * BothWays::kH});
    CHECK(distance(states, gru.together(x, {}, kLengths).y) < 1e-12);
    for (int64_t b = 0; b < kB; ++b) {
        const auto length = static_cast<int64_t>(kLengths.at(b));
        CAPTURE(b);
        CHECK(distance(row(states, b, length), gru.together(row(x, b, length)).y) < 1e-12);
    }
}

TEST_CASE("task 4 (1 point): what stands in the padding changes nothing, gradients neither") {
    BothWays gru;
    const Tensor direction = noise({1, 5, 2 * BothWays::kH}, 4);
    const auto gradient = [&](const Tensor& padding) {
        Tensor x = concat({noise({1, 3, BothWays::kI}, 7), padding}, 1);
        x.requires_grad();
        Tape tape;
        tape.backward(sum(exercise::encode(layer(gru.forwards), layer(gru.backwards), x,
                                           Tensor::from<int32_t>({3})) *
                          direction));
        return x.grad();
    };
    const Tensor a = gradient(noise({1, 2, BothWays::kI}, 1)),
                 b = gradient(noise({1, 2, BothWays::kI}, 2, 50));
    CHECK(distance(a, b) < 1e-12);
    CHECK(max(abs(slice(a, 1, 3, 5))).item() == 0);
    CHECK(max(abs(slice(a, 1, 0, 3))).item() > 0.01);
}

// ---- task 5: the first state --------------------------------------------------------------------

TEST_CASE("task 5 (2 points): the decoder begins with what each direction knows at its end") {
    BothWays gru;
    const int64_t H = BothWays::kH;
    const Tensor x = noise({kB, kS, BothWays::kI}, 7), w = noise({kN, 2 * H}, 8),
                 b = noise({kN}, 9);
    const auto [states, last] = gru.together(x, {}, kLengths);  // last.h: [2, B, H]
    const Tensor ends = reshape(transpose(last.h, 0, 1), {kB, 2 * H});
    CHECK(distance(exercise::first_state(w, b, states, kLengths),
                   tanh(matmul(ends, w, Trans::b) + b)) < 1e-12);
}

// ---- task 6: maxout -----------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): of each two neighbours the larger") {
    const Tensor eye =
        Tensor::from<double>({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, {4, 4});
    const Tensor x = Tensor::from<double>({1, 2, 3, -4, -1, -2, 0, 5}, {2, 4});
    const Tensor b = Tensor::from<double>({0, 0, 0, 10});
    CHECK(distance(exercise::maxout(x, eye, b), Tensor::from<double>({2, 6, -1, 15}, {2, 2})) <
          1e-12);
}

TEST_CASE("task 6 (1 point): it can be an absolute value, and passes the winner's gradient alone") {
    const Tensor w = Tensor::from<double>({1, -1}, {2, 1}), b = Tensor::zeros({2}, Dtype::f64);
    Tensor x = Tensor::from<double>({-3, 0.5, 2}, {3, 1});
    x.requires_grad();
    Tape tape;
    const Tensor y = exercise::maxout(x, w, b);
    CHECK(distance(y, Tensor::from<double>({3, 0.5, 2}, {3, 1})) < 1e-12);
    tape.backward(sum(y));
    CHECK(distance(x.grad(), Tensor::from<double>({-1, 1, 1}, {3, 1})) < 1e-12);
}

// ---- task 7: the way back -----------------------------------------------------------------------

TEST_CASE("task 7 (4 points): every gradient is the tape's, padding and empty rows included") {
    for (const Tensor& lengths :
         {kLengths, Tensor::from<int32_t>({5, 5, 5}), Tensor::from<int32_t>({2, 0, 4})}) {
        Case c;
        const Tensor dc = noise({kB, kK}, 9);
        const auto d = exercise::attention_backward(c.a, c.q, c.h, lengths, dc);
        for (Tensor t : {c.a.w, c.a.u, c.a.b, c.a.v, c.q, c.h}) t.requires_grad();
        Tape tape;
        tape.backward(sum(reshape(c.reference(lengths).y, {kB, kK}) * dc));
        CAPTURE(lengths.at(1));
        CHECK(distance(d.weights.w, c.a.w.grad()) < 1e-11);
        CHECK(distance(d.weights.u, c.a.u.grad()) < 1e-11);
        CHECK(distance(d.weights.b, c.a.b.grad()) < 1e-11);
        CHECK(distance(d.weights.v, c.a.v.grad()) < 1e-11);
        CHECK(distance(d.q, c.q.grad()) < 1e-11);
        CHECK(distance(d.h, c.h.grad()) < 1e-11);
    }
}

// ---- task 8: alignments -------------------------------------------------------------------------

TEST_CASE("task 8 (1 point): the strongest weight of a word's own row is compared with the truth") {
    const Tensor backwards = Tensor::from<double>({0.1, 0.2, 0.7, 0.0,   // word 0 comes from 2
                                                   0.3, 0.4, 0.2, 0.1,   // word 1 from 1
                                                   0.4, 0.3, 0.2, 0.1,   // word 2 from 0
                                                   0.1, 0.1, 0.1, 0.7},  // the end
                                                  {4, 4});
    CHECK(exercise::alignment_accuracy({backwards}, {{2, 1, 0}}) == doctest::Approx(1));
    CHECK(exercise::alignment_accuracy({backwards}, {{2, 0, 0}}) == doctest::Approx(2. / 3));
    CHECK(exercise::alignment_accuracy({backwards}, {{1, 0, 3}}) == doctest::Approx(0));
}

TEST_CASE("task 8 (1 point): words count, not sentences; of equal weights the first wins") {
    const Tensor even = Tensor::full({2, 2}, 0.5, Dtype::f64);
    Tensor diagonal = Tensor::zeros({4, 4}, Dtype::f64);
    for (int64_t t = 0; t < 4; ++t) diagonal.set(5 * t, 1);
    CHECK(exercise::alignment_accuracy({even}, {{0}}) == doctest::Approx(1));
    CHECK(exercise::alignment_accuracy({even, diagonal}, {{1}, {0, 1, 2}}) ==
          doctest::Approx(0.75));
}
