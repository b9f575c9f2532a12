// A few rows times a matrix that lies transposed: what a model multiplies that writes one token at a time.
//
// BLAS lays the matrix out anew first, which takes longer than the product. Here it is read once, as it lies, at the speed
// of memory. Each element of the product is one sum in an order of its own: the same bits wherever the work is cut.
#pragma once

#include "autograd/packed.h"

namespace gradus {

/// Up to so many rows are few.
inline constexpr int64_t kFewRows = 4;

namespace detail {

// C [R, n] (+)= A [R, k] Bᵀ for B [n, k].
template <int R, class T>
void few_rows(int64_t n, int64_t k, const T* a, const T* b, T* c, int64_t ldc, bool add) {
    typedef T Vector __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
    constexpr int64_t kLanes = kVectorBytes / sizeof(T), kAhead = 4096 / sizeof(T);
    for (int64_t j = 0; j < n; ++j, b += k) {
        Vector sums[R] = {};
        int64_t i = 0;
        for (; i + kLanes <= k; i += kLanes) {
            __builtin_prefetch(b + i + kAhead);  // so that it is there in time
            const Vector v = *reinterpret_cast<const Vector*>(b + i);
#pragma GCC unroll 4
            for (int r = 0; r < R; ++r)
                sums[r] += *reinterpret_cast<const Vector*>(a + r * k + i) * v;
        }
        for (int r = 0; r < R; ++r) {
            T sum = 0;
            for (int64_t lane = 0; lane < kLanes; ++lane) sum += sums[r][lane];
            for (int64_t rest = i; rest < k; ++rest) sum += a[r * k + rest] * b[rest];
            T& out = c[r * ldc + j];
            out = add ? out + sum : sum;
        }
    }
}

}  // namespace detail

/// C [m, n] (+)= A [m, k] Bᵀ for m = 1 ... kFewRows and B [n, k], on the calling thread. Rows of C are `ldc` apart.
template <class T>
void multiply_few_rows(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, int64_t ldc,
                       bool add) {
    switch (m) {
        case 1:
            return detail::few_rows<1>(n, k, a, b, c, ldc, add);
        case 2:
            return detail::few_rows<2>(n, k, a, b, c, ldc, add);
        case 3:
            return detail::few_rows<3>(n, k, a, b, c, ldc, add);
        case 4:
            return detail::few_rows<4>(n, k, a, b, c, ldc, add);
    }
}

}  // namespace gradus
