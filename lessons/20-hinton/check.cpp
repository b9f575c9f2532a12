// Judges exercise.h of lesson 20: against closed forms in float64, differences, and the library's own losses,
// which are themselves tested against PyTorch's figures.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "nn/distill.h"

using namespace gradus;

namespace {

Tensor noise(const Shape& shape, uint64_t seed, double stddev = 2) {
    return Rng(seed).normal(shape, 0, stddev, Dtype::f64);
}

// The largest difference between two tensors; infinity where their shapes differ.
double distance(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() ? max(abs(a - b)).item() : INFINITY;
}

// The gradient of f at z.
template <class F>
Tensor gradient(const Tensor& z, F&& f) {
    Tensor leaf = z.clone();
    leaf.requires_grad();
    Tape tape;
    tape.backward(f(leaf));
    return leaf.grad();
}

double entropy(const Tensor& q) { return -mean(sum(q * log(q), {1})).item(); }

// How many rows have their largest logit in a class.
int64_t chosen(const Tensor& z, int64_t of_class) {
    const Tensor guess = argmax(z);
    int64_t count = 0;
    for (int64_t i = 0; i < guess.size(); ++i) count += guess.at(i) == double(of_class);
    return count;
}

Tensor with_bias(const Tensor& z, int64_t of_class, double bias) {
    Tensor moved = z.clone();
    for (int64_t i = of_class; i < z.size(); i += z.size(1)) moved.set(i, moved.at(i) + bias);
    return moved;
}

}  // namespace

// ---- task 1: soft targets -----------------------------------------------------------------------

TEST_CASE("task 1 (1 point): rows sum to 1, and a ratio of two is exp of their difference over T") {
    const Tensor v = noise({4, 5}, 1);
    for (const double T : {0.5, 1.0, 20.0}) {
        const Tensor q = exercise::soft_targets(v, T);
        CHECK(distance(sum(q, {1}), Tensor::ones({4}, Dtype::f64)) < 1e-12);
        CHECK(q.at(7) / q.at(8) == doctest::Approx(std::exp((v.at(7) - v.at(8)) / T)));
    }
}

TEST_CASE("task 1 (1 point): large logits are no trouble, and a large T makes all alike") {
    const Tensor v = Tensor::from<double>({2000, 0, -2000}, {1, 3});
    const Tensor cold = exercise::soft_targets(v, 1);
    CHECK(cold.at(0) == 1);
    CHECK(cold.at(1) == 0);
    CHECK(exercise::soft_targets(v, 1e7).at(2) == doctest::Approx(1 / 3.0).epsilon(1e-3));
}

// ---- task 2: the loss ---------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): a student that is its teacher pays T² times the teacher's entropy") {
    const Tensor v = noise({6, 4}, 1);
    for (const double T : {1.0, 3.0, 20.0}) {
        const Tensor q = nn::soft_targets(v, T);
        CHECK(exercise::soft_target_loss(v, q, T).item() ==
              doctest::Approx(T * T * entropy(q)).epsilon(1e-10));
    }
}

TEST_CASE("task 2 (2 points): it is the library's, with its gradient, for any number of classes") {
    for (const int64_t C : {2, 7}) {
        const Tensor z = noise({5, C}, 1), q = nn::soft_targets(noise({5, C}, 2), 4);
        const auto yours = [&](const Tensor& x) { return exercise::soft_target_loss(x, q, 4); };
        const auto ours = [&](const Tensor& x) { return nn::soft_target_loss(x, q, 4); };
        CHECK(yours(z).item() == doctest::Approx(ours(z).item()).epsilon(1e-10));
        CHECK(distance(gradient(z, yours), gradient(z, ours)) < 1e-9);
    }
}

// ---- task 3: its gradient -----------------------------------------------------------------------

TEST_CASE("task 3 (2 points): it is what the tape finds, to 1e-9") {
    for (const double T : {0.7, 1.0, 5.0, 20.0}) {
        const Tensor z = noise({6, 5}, 1), q = nn::soft_targets(noise({6, 5}, 2), T);
        const Tensor tape =
            gradient(z, [&](const Tensor& x) { return nn::soft_target_loss(x, q, T); });
        CHECK(distance(exercise::soft_target_gradient(z, q, T), tape) < 1e-9);
    }
}

TEST_CASE("task 3 (1 point): for a large T it is the logits' difference over B C") {
    const Tensor z = noise({6, 5}, 1), v = noise({6, 5}, 2);
    const auto centred = [](const Tensor& x) { return x - mean(x, {1}, true); };
    const double T = 1e4;
    CHECK(distance(exercise::soft_target_gradient(z, nn::soft_targets(v, T), T),
                   (centred(z) - centred(v)) / 30) < 1e-4);
}

// ---- task 4: labels -----------------------------------------------------------------------------

TEST_CASE("task 4 (2 points): teacher and labels, each with its weight and its temperature") {
    const Tensor z = noise({4, 3}, 1), q = nn::soft_targets(noise({4, 3}, 2), 6);
    const Tensor labels = Tensor::from<int32_t>({0, 2, 1, 1});
    for (const double weight : {0.0, 0.3, 1.0}) {
        const auto yours = [&](const Tensor& x) {
            return exercise::distillation_loss(x, q, labels, 6, weight);
        };
        const auto ours = [&](const Tensor& x) {
            return nn::distillation_loss(x, q, labels, 6, weight);
        };
        CHECK(yours(z).item() == doctest::Approx(ours(z).item()).epsilon(1e-10));
        CHECK(distance(gradient(z, yours), gradient(z, ours)) < 1e-9);
    }
}

TEST_CASE("task 4 (1 point): rows without a label leave the other rows' part as it is") {
    const Tensor z = noise({4, 3}, 1), q = nn::soft_targets(noise({4, 3}, 2), 6);
    const auto hard = [&](const std::vector<int32_t>& labels) {
        return exercise::distillation_loss(z, q, Tensor::from(labels), 6, 0).item();
    };
    CHECK(hard({0, -100, -100, 2}) + hard({-100, 1, 1, -100}) ==
          doctest::Approx(hard({0, 1, 1, 2})));
    CHECK(hard({-100, -100, -100, -100}) == doctest::Approx(0).scale(1));
}

// ---- task 5: an ensemble ------------------------------------------------------------------------

TEST_CASE("task 5 (2 points): the mean of probabilities, not of logits") {
    const Tensor a = noise({4, 3}, 1, 6), b = noise({4, 3}, 2, 6), c = noise({4, 3}, 3, 6);
    CHECK(distance(exercise::ensemble_targets({a, b, c}, 2),
                   (softmax(a / 2) + softmax(b / 2) + softmax(c / 2)) / 3) < 1e-12);
    CHECK(distance(exercise::ensemble_targets({a}, 2), softmax(a / 2)) < 1e-12);
}

// ---- task 6: logit matching ---------------------------------------------------------------------

TEST_CASE("task 6 (1 point): a row's shift, which no softmax sees, costs nothing") {
    const Tensor v = noise({4, 3}, 1), shift = noise({4, 1}, 2);
    CHECK(exercise::logit_matching(v + shift, v).item() == doctest::Approx(0).scale(1));
    CHECK(exercise::logit_matching(noise({4, 3}, 3), v).item() > 0.1);
}

TEST_CASE("task 6 (2 points): its gradient is the limit of task 2's loss for a large T") {
    const Tensor z = noise({4, 3}, 1), v = noise({4, 3}, 2);
    const double T = 1e4;
    const Tensor limit = gradient(
        z, [&](const Tensor& x) { return nn::soft_target_loss(x, nn::soft_targets(v, T), T); });
    const Tensor yours =
        gradient(z, [&](const Tensor& x) { return exercise::logit_matching(x, v); });
    CHECK(distance(yours, limit) < 1e-3);
    const auto loss = [&](const std::vector<Tensor>& x) {
        return exercise::logit_matching(x[0], v);
    };
    CHECK(gradcheck(loss, {z}).message == "");
}

// ---- task 7: a bias -----------------------------------------------------------------------------

TEST_CASE("task 7 (2 points): the class gets as many rows as it is to have") {
    const Tensor z = with_bias(noise({200, 10}, 1), 3, -30);
    CHECK(chosen(z, 3) == 0);
    for (const int64_t count : {1, 20, 199})
        CHECK(chosen(with_bias(z, 3, exercise::bias_correction(z, 3, count)), 3) == count);
}

TEST_CASE("task 7 (1 point): a class that was shown too often is taken back") {
    const Tensor z = with_bias(noise({200, 4}, 2), 0, 5);
    const double bias = exercise::bias_correction(z, 0, 50);
    CHECK(bias < 0);
    CHECK(chosen(with_bias(z, 0, bias), 0) == 50);
}
