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

// C [R, columns] (+)= A [R, k] Bᵀ for B [columns, k], a few columns at a time.
template <int R, int Columns, class T>
void few_dots(int64_t k, const T* a, const T* b, T* c, int64_t ldc, bool add) {
    typedef T Vector __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
    constexpr int64_t kLanes = kVectorBytes / sizeof(T);
    Vector sums[R][Columns] = {};
    int64_t i = 0;
    for (; i + kLanes <= k; i += kLanes)
#pragma GCC unroll 4
        for (int j = 0; j < Columns; ++j) {
            const T* at = b + j * k + i;
            __builtin_prefetch(at + Columns * k);  // where the next columns are
            const Vector v = *reinterpret_cast<const Vector*>(at);
#pragma GCC unroll 4
            for (int r = 0; r < R; ++r)
                sums[r][j] += *reinterpret_cast<const Vector*>(a + r * k + i) * v;
        }
    for (int r = 0; r < R; ++r)
        for (int j = 0; j < Columns; ++j) {
            T sum = 0;
            for (int64_t lane = 0; lane < kLanes; ++lane) sum += sums[r][j][lane];
            for (int64_t rest = i; rest < k; ++rest) sum += a[r * k + rest] * b[j * k + rest];
            T& out = c[r * ldc + j];
            out = add ? out + sum : sum;
        }
}

}  // namespace detail

/// C [m, n] (+)= A [m, k] Bᵀ for m = 1 ... kFewRows and B [n, k], on the calling thread. Rows of C are `ldc` apart.
template <class T>
void multiply_few_rows(int64_t m, int64_t n, int64_t k, const T* a, const T* b, T* c, int64_t ldc,
                       bool add) {
    const auto columns = [&](auto rows) {
        constexpr int R = decltype(rows)::value;
        int64_t j = 0;
        for (; j + 4 <= n; j += 4) detail::few_dots<R, 4>(k, a, b + j * k, c + j, ldc, add);
        for (; j < n; ++j) detail::few_dots<R, 1>(k, a, b + j * k, c + j, ldc, add);
    };
    switch (m) {
        case 1:
            return columns(std::integral_constant<int, 1>());
        case 2:
            return columns(std::integral_constant<int, 2>());
        case 3:
            return columns(std::integral_constant<int, 3>());
        case 4:
            return columns(std::integral_constant<int, 4>());
    }
}

}  // namespace gradus
