// Lesson 02: tensors. Yours to write: each function below takes from two lines to twenty-five.
// README.md says what they are for, the comment above each what it must do, and ./run check 02
// whether it does.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

// N rows (examples) · C classes · M, K, N sizes of a product [M, K] x [K, N]

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. The shape of an elementwise result. Shapes are laid against each other from the last axis
/// on; a missing axis counts as 1; sizes are equal, or one of them is 1 and gives way. Anything else
/// is an Error whose text names both shapes.
inline Shape broadcast_shape(const Shape& a, const Shape& b) { throw NotYetWritten("task 1"); }

/// Task 2. The way back of broadcasting: x of shape `to` was stretched to shape `from`, and dy is the
/// gradient there, row by row. Each element of x gets the sum of dy over all places that read it.
inline std::vector<double> sum_back(const std::vector<double>& dy, const Shape& from,
                                    const Shape& to) {
    throw NotYetWritten("task 2");
}

struct ProductGradients {
    Tensor da, db;
};

/// Task 3. C = A B with A [..., M, K], B [..., K, N], dC [..., M, N]: the gradients of A and B, in
/// their shapes. Products alone, no transpose: matmul reads an operand transposed by Trans::a or
/// Trans::b. Leading axes may have been broadcast.
inline ProductGradients product_gradients(const Tensor& a, const Tensor& b, const Tensor& dc) {
    throw NotYetWritten("task 3");
}

/// Task 4. y = mean(x, axis, keepdim): the gradient of x. dy has x's shape, with size 1 on that axis.
inline Tensor mean_gradient(const Tensor& x, const Tensor& dy, int axis) {
    throw NotYetWritten("task 4");
}

/// Task 4. y = max(x, axis, keepdim), x f64: the gradient of x. All of dy goes to the largest
/// element; where several are largest, to the first of them.
inline Tensor max_gradient(const Tensor& x, const Tensor& dy, int axis) {
    throw NotYetWritten("task 4");
}

/// Task 5. ln Σ e^x, for numbers of any size. −∞ counts nothing; of nothing, the sum is 0 and its
/// logarithm −∞.
inline double log_sum_exp(std::span<const double> x) { throw NotYetWritten("task 5"); }

/// Task 6. An op of your own. Mean over the rows of −ln softmax(z)[target]: logits z [N, C] f64,
/// targets [N] i32 -> a scalar. Its way back, dz = dloss · (softmax(z) − onehot) / N, goes to
/// record() under the name "my_cross_entropy".
inline Tensor my_cross_entropy(const Tensor& logits, const Tensor& targets) {
    throw NotYetWritten("task 6");
}

/// Task 7. The same with two refinements: rows whose target is `ignored` count neither in the sum
/// nor in the mean; and the target is a distribution q = (1 − smoothing) · onehot + smoothing / C, so
/// that a row's loss is −Σ_c q_c ln softmax(z)_c. Softmax minus q is its gradient.
inline Tensor my_smooth_cross_entropy(const Tensor& logits, const Tensor& targets, int32_t ignored,
                                      double smoothing) {
    throw NotYetWritten("task 7");
}

/// Task 8. C = A B for row-major A [m, k], B [k, n], C [m, n], in blocks: k and j are cut into pieces
/// of `block`, so that a block of B stays in the cache while all rows of A pass by; inside, the order
/// is i-k-j. What was in C is overwritten.
inline void blocked_matmul(int64_t m, int64_t n, int64_t k, const double* a, const double* b,
                           double* c, int64_t block) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
