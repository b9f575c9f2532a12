// Lesson 20: distillation. Yours to write: each function below takes at most 15 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 20 whether it does.
#pragma once

#include <algorithm>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// B rows · C classes · z logits of the student · v logits of the teacher · T temperature
// q = softmax(v / T),  p = softmax(z / T)

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. What a teacher says at a temperature: q [B, C] of its logits v [B, C]. Logits may be as large as
/// they like.
inline Tensor soft_targets(const Tensor& v, double T) { throw NotYetWritten("task 1"); }

/// Task 2. T² times the cross-entropy of p against q, in nats, the mean over the rows: z and q are [B, C].
inline Tensor soft_target_loss(const Tensor& z, const Tensor& q, double T) {
    throw NotYetWritten("task 2");
}

/// Task 3. The gradient of task 2's loss at z, by hand: [B, C].
inline Tensor soft_target_gradient(const Tensor& z, const Tensor& q, double T) {
    throw NotYetWritten("task 3");
}

/// Task 4. weight times task 2's loss, plus 1 - weight times the cross-entropy with the labels, which is taken
/// at temperature 1. Labels [B] (i32) are -100 for a row that has none: such a row adds nothing to the second
/// part, which is divided by B all the same.
inline Tensor distillation_loss(const Tensor& z, const Tensor& q, const Tensor& labels, double T,
                                double weight) {
    throw NotYetWritten("task 4");
}

/// Task 5. Several teachers as one: the mean of what they say at T. Each gives logits [B, C].
inline Tensor ensemble_targets(const std::vector<Tensor>& teachers, double T) {
    throw NotYetWritten("task 5");
}

/// Task 6. Half the mean over all B C elements of (z - v)², after each row's mean is taken off z and v: what
/// task 2's loss comes to for a large T, but for a number that z does not change.
inline Tensor logit_matching(const Tensor& z, const Tensor& v) { throw NotYetWritten("task 6"); }

/// Task 7. A number to be added to one class's logits, z [N, C], so that this class is the largest in exactly
/// `count` of the rows, 0 < count < N. No two rows need the same number. (The bias of a class that was never
/// shown.)
inline double bias_correction(const Tensor& z, int64_t of_class, int64_t count) {
    throw NotYetWritten("task 7");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
