// Lesson 03: training. Yours to write: each function below takes at most 20 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 03 whether it does. Tensors
// share their numbers when copied, so `theta.copy_from(...)` changes the caller's tensor in place.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "autograd/ops.h"
#include "data/batches.h"
#include "lessons/not_yet_written.h"
#include "nn/loss.h"
#include "nn/module.h"
#include "nn/optim.h"
#include "nn/schedule.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. Fills weight [out, in] with normal numbers of mean 0 and variance gain² / in: a layer
/// whose activation has this gain (√2 for ReLU) hands the variance of its input on.
inline void kaiming_normal(Tensor weight, double gain, Rng& rng) { throw NotYetWritten("task 1"); }

/// Task 1. Fills weight [out, in] evenly from -a to a, with variance gain² · 2 / (in + out).
/// A uniform distribution on [-a, a] has variance a² / 3.
inline void xavier_uniform(Tensor weight, double gain, Rng& rng) { throw NotYetWritten("task 1"); }

/// Task 2. One step of gradient descent with momentum, in place: v = μ v + g;  θ = θ - η v.
/// The velocity v has the shape of theta and begins as zeros.
inline void sgd_step(Tensor theta, const Tensor& g, Tensor v, double lr, double momentum) {
    throw NotYetWritten("task 2");
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
    throw NotYetWritten("task 3");
}

/// Task 4. The learning rate of a step, counted from 0. Warm-up: a line, peak / warmup at step 0,
/// peak at step warmup - 1. Then half a cosine: peak at step warmup, 0 at step total and after it.
inline double warmup_cosine(int64_t step, double peak, int64_t warmup, int64_t total) {
    throw NotYetWritten("task 4");
}

/// Task 5. While training, zeroes each element of x with probability p, 0 ≤ p < 1, independently, and
/// scales the others so that the expectation stays x. Otherwise x itself. Gradients pass through.
inline Tensor dropout(const Tensor& x, double p, bool training, Rng& rng) {
    throw NotYetWritten("task 5");
}

/// Task 6. Scales all gradients by one factor, in place, so that together they are no longer than
/// max_norm; shorter ones stay as they are. Returns their length before.
inline double clip_by_norm(const std::vector<Tensor>& gradients, double max_norm) {
    throw NotYetWritten("task 6");
}

/// Task 7. Trains for one epoch, with the mean cross-entropy as the loss, and returns the mean of the
/// losses. `step` counts all steps of the training: it selects the batch and the learning rate, and
/// one is added after each update. Leaves the model in training mode.
inline double train_epoch(nn::Layer& model, nn::Optimizer& optimizer, data::Batches& batches,
                          const nn::Schedule& learning_rate, int64_t& step) {
    throw NotYetWritten("task 7");
}

/// Task 8. The share of the rows of x [N, ...] whose largest logit stands at their label y [N], with
/// the model in evaluation mode, at most `at_once` rows at a time. Leaves the model in the mode in
/// which it was.
inline double accuracy(nn::Layer& model, const Tensor& x, const Tensor& y, int64_t at_once = 500) {
    throw NotYetWritten("task 8");
}

/// Task 8. Trains on one and the same batch until its loss is below `target`, at most `limit` steps:
/// the number of updates that it took, or -1 where the loss is still not below.
inline int64_t steps_to_overfit(nn::Layer& model, nn::Optimizer& optimizer,
                                const data::Batch& batch, double target, int64_t limit) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
