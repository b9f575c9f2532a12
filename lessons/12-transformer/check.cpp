// Judges exercise.h of lesson 12: attention against the library's composed form, which is itself tested
// against PyTorch's figures; the model's layers against its own parameters; the rest against closed forms.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "models/transformer.h"
#include "nn/schedule.h"

using namespace gradus;

namespace {

constexpr int64_t kB = 2, kH = 3, kT = 5, kS = 4, kD = 6, kWidth = kH * kD;

// The largest difference between two tensors; infinity where their shapes differ.
double distance(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() ? max(abs(a - b)).item() : INFINITY;
}

Tensor noise(const Shape& shape, uint64_t seed) {
    return Rng(seed).normal(shape, 0, 1, Dtype::f64);
}

Tensor cut(const Tensor& x) {  // [B, T, H d] -> [B, H, T, d]
    return transpose(reshape(x, {x.size(0), x.size(1), kH, kD}), 1, 2);
}

Tensor table(const std::vector<double>& values, const Shape& shape) {
    Tensor t = Tensor::empty(shape, Dtype::f64);
    for (size_t i = 0; i < values.size(); ++i) t.set(static_cast<int64_t>(i), values[i]);
    return t;
}

// 1 where the key is one of the first lengths[b].
Tensor padding(const std::vector<int>& lengths, int64_t S) {
    Tensor allowed = Tensor::zeros({static_cast<int64_t>(lengths.size()), 1, 1, S}, Dtype::f64);
    for (size_t b = 0; b < lengths.size(); ++b)
        for (int64_t s = 0; s < lengths[b]; ++s) allowed.set(static_cast<int64_t>(b) * S + s, 1);
    return allowed;
}

}  // namespace

// ---- task 1: attention --------------------------------------------------------------------------

TEST_CASE("task 1 (2 points): it is the library's, with padding and without") {
    const Tensor q = noise({kB, kT, kWidth}, 1), k = noise({kB, kS, kWidth}, 2),
                 v = noise({kB, kS, kWidth}, 3);
    for (const std::vector<int>& lengths : {std::vector<int>{4, 4}, std::vector<int>{3, 1}}) {
        const Tensor i32 = Tensor::from<int32_t>({lengths[0], lengths[1]});
        const Tensor expected =
            composed::scaled_dot_product_attention(q, k, v, kH, {.key_lengths = i32}).y;
        CHECK(distance(exercise::attention(cut(q), cut(k), cut(v), padding(lengths, kS)),
                       cut(expected)) < 1e-12);
    }
}

TEST_CASE("task 1 (1 point): what is not allowed changes nothing, be it as large as it may") {
    const Tensor q = noise({1, 1, kT, kD}, 1), k = noise({1, 1, kS, kD}, 2),
                 v = noise({1, 1, kS, kD}, 3), allowed = padding({3}, kS);
    Tensor other_k = k.clone(), other_v = v.clone();
    for (int64_t i = 3 * kD; i < kS * kD; ++i) other_k.set(i, 100), other_v.set(i, 1e6);
    const Tensor y = exercise::attention(q, k, v, allowed);
    CHECK(distance(y, exercise::attention(q, other_k, other_v, allowed)) < 1e-12);
    // Weights of what is left still sum to 1.
    const Tensor ones = exercise::attention(q, k, Tensor::ones(v.shape(), Dtype::f64), allowed);
    CHECK(distance(ones, Tensor::ones(q.shape(), Dtype::f64)) < 1e-12);
}

TEST_CASE("task 1 (1 point): who may attend to nothing gets zeros, and gradients stay right") {
    const Tensor q = noise({2, 1, 2, kD}, 1), k = noise({2, 1, kS, kD}, 2),
                 v = noise({2, 1, kS, kD}, 3), allowed = padding({0, 2}, kS);
    const Tensor y = exercise::attention(q, k, v, allowed);
    CHECK(max(abs(slice(y, 0, 0, 1))).item() == 0);
    CHECK(max(abs(slice(y, 0, 1, 2))).item() > 0.01);
    const auto loss = [&](const std::vector<Tensor>& x) {
        return sum(square(exercise::attention(x[0], x[1], x[2], allowed)));
    };
    CHECK(gradcheck(loss, {q, k, v}).message == "");
}

// ---- task 2: heads ------------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): a head is a group of columns, position by position") {
    const Tensor x = noise({kB, kT, kWidth}, 1);
    const Tensor heads = exercise::split_heads(x, kH);
    REQUIRE(heads.shape() == Shape{kB, kH, kT, kD});
    for (const int64_t h : {0, 1, 2}) {
        const Tensor columns = slice(x, 2, h * kD, (h + 1) * kD);  // [B, T, d]
        CHECK(distance(reshape(slice(heads, 1, h, h + 1), columns.shape()), columns) == 0);
    }
}

TEST_CASE("task 2 (1 point): and back") {
    const Tensor x = noise({kB, kT, kWidth}, 1);
    const Tensor heads = cut(x);
    CHECK(distance(exercise::merge_heads(heads), x) == 0);
    CHECK(distance(exercise::merge_heads(exercise::split_heads(x, 2)), x) == 0);
}

// ---- task 3: masks ------------------------------------------------------------------------------

TEST_CASE("task 3 (2 points): padding, the future, and both together") {
    const Tensor lengths = Tensor::from<int32_t>({3, 2});
    const Shape shape{2, 1, 3, 3};
    CHECK(distance(exercise::allowed_keys(lengths, 3, false),
                   table({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0}, shape)) == 0);
    CHECK(distance(exercise::allowed_keys(lengths, 3, true),
                   table({1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 0}, shape)) == 0);
}

TEST_CASE("task 3 (1 point): a sentence of nothing is all padding") {
    const Tensor lengths = Tensor::from<int32_t>({0, 4});
    for (const bool causal : {false, true}) {
        const Tensor allowed = exercise::allowed_keys(lengths, 4, causal);
        REQUIRE(allowed.shape() == Shape{2, 1, 4, 4});
        CHECK(sum(slice(allowed, 0, 0, 1)).item() == 0);
        CHECK(sum(slice(allowed, 0, 1, 2)).item() == (causal ? 10 : 16));
    }
}

// ---- task 4: positions --------------------------------------------------------------------------

TEST_CASE("task 4 (1 point): the table is the paper's") {
    CHECK(distance(exercise::sinusoids(2, 4),
                   table({0, 1, 0, 1, std::sin(1), std::cos(1), std::sin(0.01), std::cos(0.01)},
                         {2, 4})) < 1e-12);
    const Tensor P = exercise::sinusoids(40, 8);
    CHECK(P.at(39 * 8 + 2) == doctest::Approx(std::sin(39 / std::pow(10000, 0.25))));
    CHECK(P.at(39 * 8 + 7) == doctest::Approx(std::cos(39 / std::pow(10000, 0.75))));
}

TEST_CASE("task 4 (1 point): how alike two positions are depends on their distance alone") {
    const int64_t T = 30, D = 16;
    const Tensor P = exercise::sinusoids(T, D);
    const Tensor products = matmul(P, P, Trans::b);  // [T, T]
    for (int64_t t = 1; t < T; ++t)
        for (int64_t s = 1; s < T; ++s)
            CHECK(products.at(t * T + s) == doctest::Approx(products.at((t - 1) * T + s - 1)));
    CHECK(products.at(0) == doctest::Approx(D / 2.0));
    CHECK(products.at(1) < D / 2.0 - 0.1);
}

// ---- task 5: a sub-layer ------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): post-norm normalises the sum") {
    const Tensor x = noise({kB, kT, kD}, 1) * 5 + 3;
    const Tensor one = Tensor::ones({kD}, Dtype::f64), zero = Tensor::zeros({kD}, Dtype::f64);
    const exercise::Function norm = [&](const Tensor& z) { return layer_norm(z, one, zero); };
    const exercise::Function f = [](const Tensor& z) { return tanh(z) * 2 + 1; };
    const Tensor y = exercise::sub_layer(x, f, norm, false);
    CHECK(distance(y, norm(x + tanh(x) * 2 + 1)) < 1e-12);
    CHECK(max(abs(mean(y, {2}))).item() < 1e-12);
}

TEST_CASE("task 5 (1 point): pre-norm leaves a straight way through") {
    const Tensor x = noise({kB, kT, kD}, 1) * 5 + 3;
    const Tensor one = Tensor::ones({kD}, Dtype::f64), zero = Tensor::zeros({kD}, Dtype::f64);
    const exercise::Function norm = [&](const Tensor& z) { return layer_norm(z, one, zero); };
    const exercise::Function nothing = [](const Tensor& z) { return z * 0; };
    const exercise::Function f = [](const Tensor& z) { return tanh(z) * 2 + 1; };
    CHECK(distance(exercise::sub_layer(x, nothing, norm, true), x) == 0);
    CHECK(distance(exercise::sub_layer(x, f, norm, true), x + tanh(norm(x)) * 2 + 1) < 1e-12);
}

// ---- task 6: label smoothing --------------------------------------------------------------------

TEST_CASE("task 6 (2 points): it is the library's, with targets that do not count") {
    const Tensor logits = noise({4, 7}, 1), targets = Tensor::from<int32_t>({3, 0, -100, 6});
    for (const double epsilon : {0.0, 0.1, 0.5}) {
        const double expected =
            composed::softmax_cross_entropy(logits, targets, {.label_smoothing = epsilon}).item();
        CHECK(exercise::smoothed_cross_entropy(logits, targets, epsilon).item() ==
              doctest::Approx(expected).epsilon(1e-12));
    }
    const auto loss = [&](const std::vector<Tensor>& x) {
        return exercise::smoothed_cross_entropy(x[0], targets, 0.1);
    };
    CHECK(gradcheck(loss, {logits}).message == "");
}

TEST_CASE("task 6 (1 point): it is least where the softmax is the softened target") {
    const double epsilon = 0.2;  // over 4 classes: 0.85 and three times 0.05
    Tensor logits = Tensor::full({1, 4}, std::log(0.05), Dtype::f64);
    logits.set(2, std::log(0.85));
    logits.requires_grad();
    Tape tape;
    const Tensor loss =
        exercise::smoothed_cross_entropy(logits, Tensor::from<int32_t>({2}), epsilon);
    CHECK(loss.item() == doctest::Approx(-0.85 * std::log(0.85) - 0.15 * std::log(0.05)));
    tape.backward(loss);
    CHECK(max(abs(logits.grad())).item() < 1e-12);
}

// ---- task 7: Noam -------------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): the rate is the library's") {
    const nn::Noam library{.dim = 512, .warmup = 4000};
    for (const int64_t n : {1, 2, 100, 3999, 4000, 4001, 100'000})
        CHECK(exercise::noam(n, 512, 4000) == doctest::Approx(library(n - 1)).epsilon(1e-12));
}

TEST_CASE("task 7 (1 point): it rises in a line, and falls by half in four times the steps") {
    const double peak = exercise::noam(50, 64, 50);
    CHECK(peak == doctest::Approx(1 / std::sqrt(64.0 * 50)));
    CHECK(exercise::noam(10, 64, 50) == doctest::Approx(peak / 5));
    CHECK(exercise::noam(25, 64, 50) == doctest::Approx(peak / 2));
    CHECK(exercise::noam(200, 64, 50) == doctest::Approx(peak / 2));
}

// ---- task 8: parameters -------------------------------------------------------------------------

TEST_CASE("task 8 (1 point): a layer has as many parameters as the model's") {
    for (const auto& [D, F] : {std::pair<int64_t, int64_t>{8, 20}, {12, 6}}) {
        // What a second layer adds, encoder's and decoder's together.
        const auto count = [D = D, F = F](int64_t layers) {
            return models::Transformer({.source_vocab = 5,
                                        .target_vocab = 5,
                                        .dim = D,
                                        .heads = 2,
                                        .layers = layers,
                                        .ff = F})
                .parameter_count();
        };
        CHECK(exercise::layer_parameters(D, F, false) + exercise::layer_parameters(D, F, true) ==
              count(2) - count(1));
    }
    CHECK(exercise::layer_parameters(512, 2048, false) == 3'152'384);  // the paper's base model
    CHECK(exercise::layer_parameters(512, 2048, true) == 4'204'032);
}
