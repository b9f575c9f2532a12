// Lesson 02, written out. Read it after your own exercise.h passes, or when you are stuck.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "autograd/ops.h"

// N rows (examples) · C classes · M, K, N sizes of a product [M, K] x [K, N]

namespace gradus::exercise {

/// Task 1. The shape of an elementwise result. Shapes are laid against each other from the last axis
/// on; a missing axis counts as 1; sizes are equal, or one of them is 1 and gives way. Anything else
/// is an Error whose text names both shapes.
inline Shape broadcast_shape(const Shape& a, const Shape& b) {
    Shape shape = a.rank() > b.rank() ? a : b;
    for (int axis = 1; axis <= std::min(a.rank(), b.rank()); ++axis) {  // counted from the end
        const int64_t of_a = a[-axis], of_b = b[-axis];
        check(of_a == of_b || of_a == 1 || of_b == 1, "broadcast",
              "{} and {} do not fit: {} against {} on axis {} from the end", a, b, of_a, of_b,
              axis);
        shape[-axis] = of_a == 1 ? of_b : of_a;
    }
    return shape;
}

/// Task 2. The way back of broadcasting: x of shape `to` was stretched to shape `from`, and dy is the
/// gradient there, row by row. Each element of x gets the sum of dy over all places that read it.
inline std::vector<double> sum_back(const std::vector<double>& dy, const Shape& from,
                                    const Shape& to) {
    std::vector<double> dx(static_cast<size_t>(to.size()), 0.0);
    for (int64_t place = 0; place < from.size(); ++place) {
        int64_t rest = place, source = 0, step = 1;  // the element of x that this place read
        for (int axis = 1; axis <= to.rank(); ++axis) {
            const int64_t index = rest % from[-axis];
            rest /= from[-axis];
            source += to[-axis] == 1 ? 0 : index * step;
            step *= to[-axis];
        }
        dx[static_cast<size_t>(source)] += dy[static_cast<size_t>(place)];
    }
    return dx;
}

struct ProductGradients {
    Tensor da, db;
};

/// Task 3. C = A B with A [..., M, K], B [..., K, N], dC [..., M, N]: the gradients of A and B, in
/// their shapes. Products alone, no transpose: matmul reads an operand transposed by Trans::a or
/// Trans::b. Leading axes may have been broadcast.
inline ProductGradients product_gradients(const Tensor& a, const Tensor& b, const Tensor& dc) {
    const Tensor da = matmul(dc, b, Trans::b);  // dA = dC Bᵀ
    const Tensor db = matmul(a, dc, Trans::a);  // dB = Aᵀ dC
    return {sum_to(da, a.shape()), sum_to(db, b.shape())};
}

/// Task 4. y = mean(x, axis, keepdim): the gradient of x. dy has x's shape, with size 1 on that axis.
inline Tensor mean_gradient(const Tensor& x, const Tensor& dy, int axis) {
    return broadcast_to(dy, x.shape()) / static_cast<double>(x.size(axis));
}

/// Task 4. y = max(x, axis, keepdim), x f64: the gradient of x. All of dy goes to the largest
/// element; where several are largest, to the first of them.
inline Tensor max_gradient(const Tensor& x, const Tensor& dy, int axis) {
    Tensor dx = Tensor::zeros(x.shape(), x.dtype());
    const Around at(x.shape(), normal_axis("max", axis, x.shape()));
    for (int64_t outer = 0; outer < at.outer; ++outer) {
        for (int64_t inner = 0; inner < at.inner; ++inner) {
            int64_t best = outer * at.size * at.inner + inner;
            for (int64_t k = 1; k < at.size; ++k) {
                const int64_t place = (outer * at.size + k) * at.inner + inner;
                if (x.at(place) > x.at(best)) best = place;
            }
            dx.set(best, dy.at(outer * at.inner + inner));
        }
    }
    return dx;
}

/// Task 5. ln Σ e^x, for numbers of any size. −∞ counts nothing; of nothing, the sum is 0 and its
/// logarithm −∞.
inline double log_sum_exp(std::span<const double> x) {
    double top = -std::numeric_limits<double>::infinity();
    for (double value : x) top = std::max(top, value);
    if (std::isinf(top)) return top;  // all −∞, or one +∞: there is nothing to shift by
    double sum = 0;
    for (double value : x) sum += std::exp(value - top);
    return top + std::log(sum);
}

/// Task 6. An op of your own. Mean over the rows of −ln softmax(z)[target]: logits z [N, C] f64,
/// targets [N] i32 -> a scalar. Its way back, dz = dloss · (softmax(z) − onehot) / N, goes to
/// record() under the name "my_cross_entropy".
inline Tensor my_cross_entropy(const Tensor& logits, const Tensor& targets) {
    const int64_t rows = logits.size(0), classes = logits.size(1);
    Tensor dz = Tensor::empty(logits.shape(), Dtype::f64);  // for dloss = 1
    double loss = 0;
    for (int64_t i = 0; i < rows; ++i) {
        const double* z = logits.data<double>() + i * classes;
        double* d = dz.data<double>() + i * classes;
        const int32_t target = targets.data<int32_t>()[i];
        const double norm = log_sum_exp({z, static_cast<size_t>(classes)});
        loss += norm - z[target];
        for (int64_t c = 0; c < classes; ++c) {
            d[c] = std::exp(z[c] - norm) - (c == target ? 1 : 0);
        }
    }
    const double share = 1 / static_cast<double>(rows);
    return record("my_cross_entropy", {logits}, Tensor::full({}, loss * share, Dtype::f64),
                  [dz, share](const Tensor& dloss, Gradient dlogits) {
                      if (dlogits) dlogits += dz * (share * dloss.item());
                  });
}

/// Task 7. The same with two refinements: rows whose target is `ignored` count neither in the sum
/// nor in the mean; and the target is a distribution q = (1 − smoothing) · onehot + smoothing / C, so
/// that a row's loss is −Σ_c q_c ln softmax(z)_c. Softmax minus q is its gradient.
inline Tensor my_smooth_cross_entropy(const Tensor& logits, const Tensor& targets, int32_t ignored,
                                      double smoothing) {
    const int64_t rows = logits.size(0), classes = logits.size(1);
    Tensor dz = Tensor::zeros(logits.shape(), Dtype::f64);  // for dloss = counted
    double loss = 0, counted = 0;
    for (int64_t i = 0; i < rows; ++i) {
        const double* z = logits.data<double>() + i * classes;
        double* d = dz.data<double>() + i * classes;
        const int32_t target = targets.data<int32_t>()[i];
        if (target == ignored) continue;
        ++counted;
        const double norm = log_sum_exp({z, static_cast<size_t>(classes)});
        for (int64_t c = 0; c < classes; ++c) {
            const double even = smoothing / static_cast<double>(classes);
            const double q = even + (c == target ? 1 - smoothing : 0);
            if (q > 0)
                loss += q * (norm - z[c]);  // 0 · ∞ is NaN: a class without weight is left out
            d[c] = std::exp(z[c] - norm) - q;
        }
    }
    return record("my_smooth_cross_entropy", {logits}, Tensor::full({}, loss / counted, Dtype::f64),
                  [dz, counted](const Tensor& dloss, Gradient dlogits) {
                      if (dlogits) dlogits += dz * (dloss.item() / counted);
                  });
}

/// Task 8. C = A B for row-major A [m, k], B [k, n], C [m, n], in blocks: k and j are cut into pieces
/// of `block`, so that a block of B stays in the cache while all rows of A pass by; inside, the order
/// is i-k-j. What was in C is overwritten.
inline void blocked_matmul(int64_t m, int64_t n, int64_t k, const double* a, const double* b,
                           double* c, int64_t block) {
    std::fill_n(c, m * n, 0.0);
    for (int64_t first_k = 0; first_k < k; first_k += block) {
        const int64_t last_k = std::min(k, first_k + block);
        for (int64_t first_j = 0; first_j < n; first_j += block) {
            const int64_t last_j = std::min(n, first_j + block);
            for (int64_t i = 0; i < m; ++i) {
                for (int64_t p = first_k; p < last_k; ++p) {
                    const double factor = a[i * k + p];
                    for (int64_t j = first_j; j < last_j; ++j) {
                        c[i * n + j] += factor * b[p * n + j];
                    }
                }
            }
        }
    }
}

}  // namespace gradus::exercise
