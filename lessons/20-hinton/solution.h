// Lesson 20: distillation. One way to write what exercise.h asks for.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

// B rows · C classes · z logits of the student · v logits of the teacher · T temperature
// q = softmax(v / T),  p = softmax(z / T)

/// Task 1. What a teacher says at a temperature: q [B, C] of its logits v [B, C]. Logits may be as large as
/// they like.
inline Tensor soft_targets(const Tensor& v, double T) { return softmax(v / T); }

/// Task 2. T² times the cross-entropy of p against q, in nats, the mean over the rows: z and q are [B, C].
inline Tensor soft_target_loss(const Tensor& z, const Tensor& q, double T) {
    const double B = static_cast<double>(z.size(0));
    return sum(q * log_softmax(z / T)) * (-T * T / B);
}

/// Task 3. The gradient of task 2's loss at z, by hand: [B, C].
inline Tensor soft_target_gradient(const Tensor& z, const Tensor& q, double T) {
    const double B = static_cast<double>(z.size(0));
    return (softmax(z / T) - q) * (T / B);
}

/// Task 4. weight times task 2's loss, plus 1 - weight times the cross-entropy with the labels, which is taken
/// at temperature 1. Labels [B] (i32) are -100 for a row that has none: such a row adds nothing to the second
/// part, which is divided by B all the same.
inline Tensor distillation_loss(const Tensor& z, const Tensor& q, const Tensor& labels, double T,
                                double weight) {
    const int64_t B = z.size(0), C = z.size(1);
    Tensor truth = Tensor::zeros({B, C}, z.dtype());
    for (int64_t i = 0; i < B; ++i)
        if (labels.at(i) >= 0) truth.set(i * C + static_cast<int64_t>(labels.at(i)), 1);
    const Tensor hard = sum(truth * log_softmax(z)) * (-1 / static_cast<double>(B));
    return soft_target_loss(z, q, T) * weight + hard * (1 - weight);
}

/// Task 5. Several teachers as one: the mean of what they say at T. Each gives logits [B, C].
inline Tensor ensemble_targets(const std::vector<Tensor>& teachers, double T) {
    Tensor q = soft_targets(teachers[0], T);
    for (size_t i = 1; i < teachers.size(); ++i) q = q + soft_targets(teachers[i], T);
    return q / static_cast<double>(teachers.size());
}

/// Task 6. Half the mean over all B C elements of (z - v)², after each row's mean is taken off z and v: what
/// task 2's loss comes to for a large T, but for a number that z does not change.
inline Tensor logit_matching(const Tensor& z, const Tensor& v) {
    const Tensor apart = (z - mean(z, {1}, true)) - (v - mean(v, {1}, true));
    return mean(square(apart)) * 0.5;
}

/// Task 7. A number to be added to one class's logits, z [N, C], so that this class is the largest in exactly
/// `count` of the rows, 0 < count < N. No two rows need the same number. (The bias of a class that was never
/// shown.)
inline double bias_correction(const Tensor& z, int64_t of_class, int64_t count) {
    const int64_t N = z.size(0), C = z.size(1);
    std::vector<double> missing;  // how far the class is below the best of the others
    for (int64_t i = 0; i < N; ++i) {
        double best = -std::numeric_limits<double>::infinity();
        for (int64_t c = 0; c < C; ++c)
            if (c != of_class) best = std::max(best, z.at(i * C + c));
        missing.push_back(best - z.at(i * C + of_class));
    }
    std::sort(missing.begin(), missing.end());
    const auto at = static_cast<size_t>(count);
    return (missing[at - 1] + missing[at]) / 2;
}

}  // namespace gradus::exercise
