// A matrix that multiplies a few rows at a time, many times over: the recurrent weights of a layer, once for each step.
//
// BLAS lays the matrix out anew for its kernel at every call, which for 16 rows takes longer than multiplying them. Here that
// is done once. A tile of rows times a panel of columns stays in registers while both are read once from top to bottom, so
// each element of the product is one sum in the order of k: the same bits however the rows are shared out over threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "autograd/parallel.h"
#include "autograd/tensor.h"

namespace gradus {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64, kTileRows = 8;
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32, kTileRows = 6;
#else
inline constexpr int kVectorBytes = 16, kTileRows = 6;
#endif

/// Which part of a product is wanted: terms first_k ... last_k - 1 of each sum, columns 0 ... columns - 1. Neighbours in a
/// row of A lie `step` apart, which for a matrix that is read transposed is the length of its rows.
struct PackedRange {
    int64_t first_k, last_k, columns, step = 1;
};

template <class T>
class Packed {
public:
    /// B [k, n], row-major; stored as [n, k] where `transposed`. Rows as stored are `stride` apart; 0: no gap.
    Packed(bool transposed, int64_t k, int64_t n, const T* b, int64_t stride = 0)
        : k_(k), n_(n), panels_(Tensor::empty({panel_count() * k * kWidth}, dtype_of<T>())) {
        if (stride == 0) stride = transposed ? k : n;
        T* panels = panels_.template data<T>();
        parallel_rows(panel_count(), k * kWidth, [=](int64_t begin, int64_t end) {
            for (int64_t j = begin * kWidth; j < end * kWidth; j += kWidth) {
                T* panel = panels + j * k;
                // Along the rows of b as they are stored; columns beyond the last are zeros.
                const int64_t width = std::min<int64_t>(kWidth, n - j);
                if (width < kWidth) std::fill_n(panel, k * kWidth, T(0));
                if (transposed)
                    for (int64_t c = 0; c < width; ++c)
                        for (int64_t i = 0; i < k; ++i)
                            panel[i * kWidth + c] = b[(j + c) * stride + i];
                else
                    for (int64_t i = 0; i < k; ++i)
#pragma omp simd
                        for (int64_t c = 0; c < width; ++c)
                            panel[i * kWidth + c] = b[i * stride + j + c];
            }
        });
    }

    /// c[r][0 ... n-1] += a[r][0 ... k-1] B for r = 0 ... rows-1, or the part of it that is asked for, on the calling thread.
    void multiply_add(int64_t rows, const T* const* a, T* const* c) const {
        multiply_add(rows, a, c, {0, k_, n_});
    }
    void multiply_add(int64_t rows, const T* const* a, T* const* c, const PackedRange& part) const {
        for (int64_t first = 0; first < rows; first += kBlockRows) {
            const int64_t count = std::min(kBlockRows, rows - first);
            const int64_t tiles = (count + kTileRows - 1) / kTileRows;
            for (int64_t j = 0; j < part.columns; j += kWidth)
                for (int64_t t = 0; t < tiles; ++t) {  // of equal heights, as near as can be
                    const int64_t begin = count * t / tiles, end = count * (t + 1) / tiles;
                    multiply_tile(end - begin, a + first + begin, c + first + begin, j, part,
                                  std::make_integer_sequence<int, kTileRows>());
                }
        }
    }

    /// The same for rows that lie one after the other: C [rows, n] += A [rows, k] B.
    void multiply_add(int64_t rows, const T* a, T* c) const {
        std::array<const T*, kBlockRows> as;
        std::array<T*, kBlockRows> cs;
        for (int64_t first = 0; first < rows; first += kBlockRows) {
            const int64_t count = std::min(kBlockRows, rows - first);
            for (int64_t r = 0; r < count; ++r) {
                as[static_cast<size_t>(r)] = a + (first + r) * k_;
                cs[static_cast<size_t>(r)] = c + (first + r) * n_;
            }
            multiply_add(count, as.data(), cs.data());
        }
    }

private:
    // Unaligned, because rows may begin anywhere.
    typedef T Vector __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
    static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
    static constexpr int kWidth = 2 * kLanes;
    static constexpr int64_t kBlockRows = 64;  // that stay in cache while all panels pass

    int64_t panel_count() const { return (n_ + kWidth - 1) / kWidth; }

    template <int... I>
    void multiply_tile(int64_t rows, const T* const* a, T* const* c, int64_t j,
                       const PackedRange& part, std::integer_sequence<int, I...>) const {
        ((rows == I + 1 ? tile<I + 1>(a, c, j, part) : void()), ...);
    }

    template <int R>
    void tile(const T* const* a, T* const* c, int64_t j, const PackedRange& part) const {
        const T* panel = panels_.template data<T>() + j * k_;
        Vector sums[R][2] = {};
        for (int64_t i = part.first_k; i < part.last_k; ++i) {
            const auto* b = reinterpret_cast<const Vector*>(panel + i * kWidth);
            const Vector b0 = b[0], b1 = b[1];
#pragma GCC unroll 8
            for (int r = 0; r < R; ++r) {
                sums[r][0] += a[r][i * part.step] * b0;
                sums[r][1] += a[r][i * part.step] * b1;
            }
        }
        const int64_t width = std::min<int64_t>(kWidth, part.columns - j);
        for (int r = 0; r < R; ++r) {
            T values[kWidth];
            std::memcpy(values, sums[r], sizeof values);
            T* out = c[r] + j;
#pragma omp simd
            for (int64_t i = 0; i < width; ++i) out[i] += values[i];
        }
    }

    int64_t k_, n_;
    Tensor panels_;
};

}  // namespace gradus
