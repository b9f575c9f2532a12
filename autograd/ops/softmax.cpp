// Softmax and its relatives along the last axis; another axis is moved there first.
#include <cmath>
#include <limits>

#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

// f(x) along the last axis, for any axis.
template <class F>
Tensor along(const char* op, const Tensor& x, int axis, F f) {
    axis = normal_axis(op, axis, x.shape());
    return axis == x.rank() - 1 ? f(x) : transpose(f(transpose(x, axis, -1)), axis, -1);
}

// Forward: row(x, y, n) for each row of the last axis; `inner` elements of y a row.
template <class Row>
Tensor by_row(const char* op, const Tensor& x, const Shape& shape, Row row) {
    Tensor y = Tensor::empty(shape, x.dtype());
    const int64_t n = x.size(-1), rows = n ? x.size() / n : 0, width = rows ? y.size() / rows : 0;
    if (n == 0) y.fill(-std::numeric_limits<double>::infinity());
    dispatch(op, x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = x.data<T>();
        T* out = y.data<T>();
        parallel_rows(rows, n, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) row(in + i * n, out + i * width, n);
        });
    });
    return y;
}

// Backward: row(y, dy, dx, n, add), where y and dy have `width` elements a row and dx has n.
template <class Row>
void back_by_row(Gradient dx, const Tensor& y, const Tensor& dy, Row row) {
    if (!dx) return;
    dispatch("softmax", dy.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const auto [out, add] = dx.sink<T>();
        const T *values = y.data<T>(), *grads = dy.data<T>();
        const int64_t n = y.size(-1);
        parallel_rows(n ? y.size() / n : 0, n,
                      [&, out = out, add = add](int64_t begin, int64_t end) {
                          for (int64_t i = begin; i < end; ++i)
                              row(values + i * n, grads + i * n, out + i * n, n, add);
                      });
    });
}

template <class T>
T largest(const T* x, int64_t n) {
    T top = x[0];
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < n; ++i) top = x[i] > top ? x[i] : top;
    return std::isinf(top) && top < 0 ? T(0)
                                      : top;  // a row of nothing but -inf: any finite shift will do
}
template <class T>
T sum_of_exp(const T* x, int64_t n, T shift) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += vec::exp(x[i] - shift);
    return sum;
}
template <class T>
T log_sum_exp(const T* x, int64_t n) {
    const T top = largest(x, n);
    return top + std::log(sum_of_exp(x, n, top));
}

}  // namespace

// The shift by the largest element changes nothing but keeps e^x in range, so it needs no gradient.
static Tensor shifted(const Tensor& x, int axis) {
    Tensor top = max(x, axis, true);
    return x - top.view(top.shape());
}
Tensor composed::softmax(const Tensor& x, int axis) {
    const Tensor e = exp(shifted(x, axis));
    return e / sum(e, axis, true);
}
Tensor composed::log_softmax(const Tensor& x, int axis) {
    const Tensor z = shifted(x, axis);
    return z - log(sum(exp(z), axis, true));
}
Tensor composed::logsumexp(const Tensor& x, int axis, bool keepdim) {
    Tensor top = max(x, axis, true);
    top = top.view(top.shape());
    const Tensor y = top + log(sum(exp(x - top), axis, true));
    return keepdim ? y : reshape(y, sum(top, axis).shape());
}

// y = e^x / Σ e^x;  dx = y (dy - Σ dy y)
Tensor softmax(const Tensor& x, int axis) {
    if (Tape::wants_composed()) return composed::softmax(x, axis);
    return along("softmax", x, axis, [](const Tensor& rows) {
        const Tensor y =
            by_row("softmax", rows, rows.shape(), [](const auto* in, auto* out, int64_t n) {
                using T = std::remove_pointer_t<decltype(out)>;
                const T top = largest(in, n);
                T sum = 0;
#pragma omp simd reduction(+ : sum)
                for (int64_t i = 0; i < n; ++i) sum += out[i] = vec::exp(in[i] - top);
                const T scale = 1 / sum;
                for (int64_t i = 0; i < n; ++i) out[i] *= scale;
            });
        return record("softmax", {rows}, y, [y](const Tensor& dy, Gradient dx) {
            back_by_row(
                dx, y, dy, [](const auto* p, const auto* dp, auto* out, int64_t n, bool add) {
                    using T = std::remove_pointer_t<decltype(out)>;
                    T dot = 0;
#pragma omp simd reduction(+ : dot)
                    for (int64_t i = 0; i < n; ++i) dot += p[i] * dp[i];
                    detail::map_serial(
                        n, out, add, [dot](T p_i, T d_i) { return p_i * (d_i - dot); }, p, dp);
                });
        });
    });
}

// y = x - ln Σ e^x;  dx = dy - e^y Σ dy
Tensor log_softmax(const Tensor& x, int axis) {
    if (Tape::wants_composed()) return composed::log_softmax(x, axis);
    return along("log_softmax", x, axis, [](const Tensor& rows) {
        const Tensor y =
            by_row("log_softmax", rows, rows.shape(), [](const auto* in, auto* out, int64_t n) {
                const auto lse = log_sum_exp(in, n);
                for (int64_t i = 0; i < n; ++i) out[i] = in[i] - lse;
            });
        return record("log_softmax", {rows}, y, [y](const Tensor& dy, Gradient dx) {
            back_by_row(
                dx, y, dy, [](const auto* log_p, const auto* d, auto* out, int64_t n, bool add) {
                    using T = std::remove_pointer_t<decltype(out)>;
                    T total = 0;
#pragma omp simd reduction(+ : total)
                    for (int64_t i = 0; i < n; ++i) total += d[i];
                    detail::map_serial(
                        n, out, add,
                        [total](T log_p_i, T d_i) { return d_i - vec::exp(log_p_i) * total; },
                        log_p, d);
                });
        });
    });
}

// y = ln Σ e^x;  dx = dy softmax(x)
Tensor logsumexp(const Tensor& x, int axis, bool keepdim) {
    axis = normal_axis("logsumexp", axis, x.shape());
    if (Tape::wants_composed()) return composed::logsumexp(x, axis, keepdim);
    const Tensor y = along("logsumexp", x, axis, [](const Tensor& rows) {
        Shape shape = rows.shape();
        shape[-1] = 1;
        const Tensor lse =
            by_row("logsumexp", rows, shape,
                   [](const auto* in, auto* out, int64_t n) { *out = log_sum_exp(in, n); });
        return record("logsumexp", {rows}, lse, [rows, lse](const Tensor& dy, Gradient dx) {
            detail::chain(
                dx, false, [](auto x_i, auto y_i, auto d) { return d * exp(x_i - y_i); },
                broadcast_to(dy, rows.shape()), rows, lse);
        });
    });
    if (keepdim) return y;
    Shape shape;
    for (int i = 0; i < x.rank(); ++i)
        if (i != axis) shape.append(x.size(i));
    return reshape(y, shape);
}

}  // namespace gradus
