// Lesson 03: training. The eight tasks, written out. README.md says what they are for.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "autograd/ops.h"
#include "data/batches.h"
#include "nn/loss.h"
#include "nn/module.h"
#include "nn/optim.h"
#include "nn/schedule.h"

namespace gradus::exercise {

/// Task 1. Fills weight [out, in] with normal numbers of mean 0 and variance gain² / in: a layer
/// whose activation has this gain (√2 for ReLU) hands the variance of its input on.
inline void kaiming_normal(Tensor weight, double gain, Rng& rng) {
    const double in = static_cast<double>(weight.size(1));
    weight.copy_from(rng.normal(weight.shape(), 0, gain / std::sqrt(in), weight.dtype()));
}

/// Task 1. Fills weight [out, in] evenly from -a to a, with variance gain² · 2 / (in + out).
/// A uniform distribution on [-a, a] has variance a² / 3.
inline void xavier_uniform(Tensor weight, double gain, Rng& rng) {
    const double in = static_cast<double>(weight.size(1)),
                 out = static_cast<double>(weight.size(0));
    const double a = gain * std::sqrt(6 / (in + out));
    weight.copy_from(rng.uniform(weight.shape(), -a, a, weight.dtype()));
}

/// Task 2. One step of gradient descent with momentum, in place: v = μ v + g;  θ = θ - η v.
/// The velocity v has the shape of theta and begins as zeros.
inline void sgd_step(Tensor theta, const Tensor& g, Tensor v, double lr, double momentum) {
    v.copy_from(momentum * v + g);
    theta.copy_from(theta - lr * v);
}

/// What Adam remembers of one parameter: m and v begin as zeros in its shape; t counts steps.
struct AdamState {
    Tensor m, v;
    int64_t t = 0;
};

/// Task 3. One step of Adam, in place, with its bias correction:
///   t = t + 1;  m = β₁ m + (1 - β₁) g;  v = β₂ v + (1 - β₂) g²;
///   θ = θ - η m̂ / (√v̂ + ε)  with  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).
inline void adam_step(Tensor theta, const Tensor& g, AdamState& state, double lr,
                      double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8) {
    state.t += 1;
    state.m.copy_from(beta1 * state.m + (1 - beta1) * g);
    state.v.copy_from(beta2 * state.v + (1 - beta2) * square(g));
    const double t = static_cast<double>(state.t);
    const Tensor m_hat = state.m / (1 - std::pow(beta1, t));
    const Tensor v_hat = state.v / (1 - std::pow(beta2, t));
    theta.copy_from(theta - lr * m_hat / (sqrt(v_hat) + eps));
}

/// Task 4. The learning rate of a step, counted from 0. Warm-up: a line, peak / warmup at step 0,
/// peak at step warmup - 1. Then half a cosine: peak at step warmup, 0 at step total and after it.
inline double warmup_cosine(int64_t step, double peak, int64_t warmup, int64_t total) {
    if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
    const double done = static_cast<double>(std::min(step, total) - warmup);
    const double share = done / static_cast<double>(total - warmup);
    return peak * (1 + std::cos(std::numbers::pi * share)) / 2;
}

/// Task 5. While training, zeroes each element of x with probability p, 0 ≤ p < 1, independently, and
/// scales the others so that the expectation stays x. Otherwise x itself. Gradients pass through.
inline Tensor dropout(const Tensor& x, double p, bool training, Rng& rng) {
    if (!training || p == 0) return x;
    const Tensor keep = rng.uniform(x.shape(), 0, 1, x.dtype()) > Tensor::full({}, p, x.dtype());
    return x * keep / (1 - p);
}

/// Task 6. Scales all gradients by one factor, in place, so that together they are no longer than
/// max_norm; shorter ones stay as they are. Returns their length before.
inline double clip_by_norm(const std::vector<Tensor>& gradients, double max_norm) {
    double squares = 0;
    for (const Tensor& g : gradients) squares += sum(square(g)).item();
    const double norm = std::sqrt(squares);
    if (norm > max_norm) {
        for (Tensor g : gradients) g.copy_from(g * (max_norm / norm));
    }
    return norm;
}

/// Task 7. Trains for one epoch, with the mean cross-entropy as the loss, and returns the mean of the
/// losses. `step` counts all steps of the training: it selects the batch and the learning rate, and
/// one is added after each update. Leaves the model in training mode.
inline double train_epoch(nn::Layer& model, nn::Optimizer& optimizer, data::Batches& batches,
                          const nn::Schedule& learning_rate, int64_t& step) {
    model.train();
    double total = 0;
    const int64_t steps = batches.per_epoch();
    for (int64_t i = 0; i < steps; ++i, ++step) {
        const auto [x, y] = batches.at(step);
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(model(x), y);
        tape.backward(loss);
        optimizer.set_lr(learning_rate(step));
        optimizer.step();
        total += loss.item();
    }
    return total / static_cast<double>(steps);
}

/// Task 8. The share of the rows of x [N, ...] whose largest logit stands at their label y [N], with
/// the model in evaluation mode, at most `at_once` rows at a time. Leaves the model in the mode in
/// which it was.
inline double accuracy(nn::Layer& model, const Tensor& x, const Tensor& y, int64_t at_once = 500) {
    const bool training = model.training();
    model.eval();
    int64_t right = 0;
    const int64_t n = y.size();
    for (int64_t begin = 0; begin < n; begin += at_once) {
        const int64_t end = std::min(n, begin + at_once);
        const Tensor guess = argmax(model(slice(x, 0, begin, end)));
        for (int64_t i = begin; i < end; ++i) right += guess.at(i - begin) == y.at(i);
    }
    model.train(training);
    return static_cast<double>(right) / static_cast<double>(n);
}

/// Task 8. Trains on one and the same batch until its loss is below `target`, at most `limit` steps:
/// the number of updates that it took, or -1 where the loss is still not below.
inline int64_t steps_to_overfit(nn::Layer& model, nn::Optimizer& optimizer,
                                const data::Batch& batch, double target, int64_t limit) {
    model.train();
    for (int64_t step = 0; step <= limit; ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(model(batch.x), batch.y);
        if (loss.item() < target) return step;
        if (step == limit) break;
        tape.backward(loss);
        optimizer.step();
    }
    return -1;
}

}  // namespace gradus::exercise
