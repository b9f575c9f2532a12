#include "autograd/packed.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/parallel.h"

namespace gradus {
namespace {

template <class T>
struct Kernel {
    // Unaligned, because rows may begin anywhere.
    typedef T Vector __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
    static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
    static constexpr int kWidth = 2 * kLanes;  // of a panel

    static Vector load(const T* from) { return *reinterpret_cast<const Vector*>(from); }
    static void store(T* to, Vector v) { *reinterpret_cast<Vector*>(to) = v; }
    // By vectors: calling a library costs more than copying these few numbers.
    static void copy(int64_t n, const T* from, T* to) {
        int64_t i = 0;
        for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
        for (; i < n; ++i) to[i] = from[i];
    }

    // panels [.., k, kWidth] = b [k, n], row after row, with zeros beyond its columns.
    static void lay_out(int64_t k, int64_t n, const T* b, int64_t stride, T* panels) {
        const int64_t whole = n / kWidth * kWidth;
        if (whole < n) std::fill_n(panels + whole * k, k * kWidth, T(0));
        for (int64_t i = 0; i < k; ++i, b += stride, panels += kWidth) {
            for (int64_t j = 0; j < whole; j += kWidth) {
                store(panels + j * k, load(b + j));
                store(panels + j * k + kLanes, load(b + j + kLanes));
            }
            copy(n - whole, b + whole, panels + whole * k);
        }
    }

    // One panel of the same for b that is stored as [width, k]: in squares, then what is left of columns and rows.
    static void lay_out_transposed(int64_t k, int64_t width, const T* b, int64_t stride, T* panel) {
        if (width < kWidth) std::fill_n(panel, k * kWidth, T(0));
        const int64_t wide = width / kLanes * kLanes, deep = k / kLanes * kLanes;
        for (int64_t c = 0; c < wide; c += kLanes)
            for (int64_t i = 0; i < deep; i += kLanes)
                transpose(b + c * stride + i, stride, panel + i * kWidth + c,
                          std::make_integer_sequence<int, kLanes>());
        for (int64_t c = 0; c < width; ++c)
            for (int64_t i = c < wide ? deep : 0; i < k; ++i)
                panel[i * kWidth + c] = b[c * stride + i];
    }

    // A square. Riffling its upper half with its lower, as cards, moves the highest bit of a number's place (its row, then its
    // column) to the lowest; as often as a column has bits, and row and column have changed places.
    template <int... I>
    static void transpose(const T* from, int64_t stride, T* to, std::integer_sequence<int, I...>) {
        Vector x[kLanes], y[kLanes];
        ((x[I] = load(from + I * stride)), ...);
        for (int bit = 1; bit < kLanes; bit *= 2) {
#pragma GCC unroll 8
            for (int r = 0; r < kLanes / 2; ++r) {
                const Vector upper = x[r], lower = x[r + kLanes / 2];
                y[2 * r] = __builtin_shufflevector(upper, lower, (I / 2 + I % 2 * kLanes)...);
                y[2 * r + 1] =
                    __builtin_shufflevector(upper, lower, (I / 2 + I % 2 * kLanes + kLanes / 2)...);
            }
            ((x[I] = y[I]), ...);
        }
        ((store(to + I * kWidth, x[I])), ...);
    }

    // C = C0 + A B for R rows of A and one panel of B. Rows lie `next` apart; of A, where it is read transposed, columns do.
    // Its sums never leave the registers: in a function of its own, where nothing else wants them.
    template <int R, bool transposed>
    [[gnu::noinline]] static void multiply(int64_t depth, const T* a, int64_t next, const T* panel,
                                           const T* c0, int64_t next_c0, T* c, int64_t next_c) {
        Vector sums[R][2];
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) sums[r][0] = sums[r][1] = Vector{};
        // Every third row: an address is one of these plus 0, 1 or 2 times `next`.
        const T *a3 = a + 3 * next, *a6 = a3 + 3 * next, *a9 = a6 + 3 * next, *a12 = a9 + 3 * next;
        for (int64_t i = 0; i < depth; ++i, panel += kWidth) {
            const Vector b0 = load(panel), b1 = load(panel + kLanes);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
                const T* third = r < 3 ? a : r < 6 ? a3 : r < 9 ? a6 : r < 12 ? a9 : a12;
                const T x = transposed ? a[r] : third[r % 3 * next];
                sums[r][0] += x * b0;
                sums[r][1] += x * b1;
            }
            if (transposed)
                a += next;
            else
                ++a, ++a3, ++a6, ++a9, ++a12;
        }
        if (c0)
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r, c0 += next_c0) {
                sums[r][0] += load(c0);
                sums[r][1] += load(c0 + kLanes);
            }
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r, c += next_c) {
            store(c, sums[r][0]);
            store(c + kLanes, sums[r][1]);
        }
    }
};

// Calls f with a number of rows, 1 ... kTileRows, as a constant.
template <class F, int... I>
void with_rows(int64_t rows, F f, std::integer_sequence<int, I...>) {
    ((rows == I + 1 ? f(std::integral_constant<int, I + 1>()) : void()), ...);
}

}  // namespace

template <class T>
Packed<T>::Packed(bool transposed, int64_t k, int64_t n, const T* b, int64_t stride)
    : k_(k), n_(n) {
    using K = Kernel<T>;
    if (stride == 0) stride = transposed ? k : n;
    const int64_t count = (n + K::kWidth - 1) / K::kWidth;
    panels_ = Tensor::empty({count * k * K::kWidth}, dtype_of<T>());
    T* panels = panels_.template data<T>();
    parallel_rows(count, k * K::kWidth, [=](int64_t begin, int64_t end) {
        const int64_t last = std::min(n, end * K::kWidth);
        if (!transposed) {
            const int64_t j = begin * K::kWidth;
            return K::lay_out(k, last - j, b + j, stride, panels + j * k);
        }
        for (int64_t j = begin * K::kWidth; j < last; j += K::kWidth)
            K::lay_out_transposed(k, std::min<int64_t>(K::kWidth, n - j), b + j * stride, stride,
                                  panels + j * k);
    });
}

template <class T>
void Packed<T>::multiply(int64_t rows, Rows<const T> a, Rows<const T> c0, Rows<T> c,
                         const PackedRange& part) const {
    const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
    for (int64_t tile = 0; tile < tiles; ++tile) {  // of equal heights, as near as can be
        const int64_t first = rows * tile / tiles, last = rows * (tile + 1) / tiles;
        with_rows(
            last - first,
            [&](auto R) {
                part.step == 1 ? multiply_tile<R(), false>(first, a, c0, c, part)
                               : multiply_tile<R(), true>(first, a, c0, c, part);
            },
            std::make_integer_sequence<int, kTileRows>());
    }
}

// Rows first ... first + R - 1, for all panels.
template <class T>
template <int R, bool transposed>
void Packed<T>::multiply_tile(int64_t first, Rows<const T> a, Rows<const T> c0, Rows<T> c,
                              const PackedRange& part) const {
    using K = Kernel<T>;
    constexpr int64_t kColumn = 16, kRow = kDepth + kColumn;  // of a copy; no power of two
    static_assert(kTileRows <= 15 && kColumn >= kTileRows);
    alignas(kVectorBytes) T copy[transposed ? kDepth * kColumn : R * kRow];
    alignas(kVectorBytes) T beside[R * K::kWidth];
    int64_t k = part.first_k;
    do {  // once at least: over no terms C is C0
        const int64_t depth = std::min(kDepth, part.last_k - k);
        const T* from = a[first] + k * part.step;
        int64_t next = a.stride();
        if (transposed) {  // columns of so few elements are gathered once for all panels
            for (int64_t i = 0; i < depth; ++i)
                std::memcpy(copy + i * kColumn, from + i * part.step, R * sizeof(T));
            from = copy, next = kColumn;
        } else if (next % 1024 == 0) {  // such rows share few places in a cache; a list has 0
            for (int r = 0; r < R; ++r) K::copy(depth, a[first + r] + k, copy + r * kRow);
            from = copy, next = kRow;
        }
        const T* panel = panels_.template data<T>() + k * K::kWidth;
        for (int64_t j = 0; j < part.columns; j += K::kWidth, panel += k_ * K::kWidth) {
            const auto multiply = K::template multiply<R, transposed>;
            const int64_t width = std::min<int64_t>(K::kWidth, part.columns - j);
            if (width == K::kWidth && !c0.is_list() && !c.is_list()) {
                multiply(depth, from, next, panel, c0 ? c0[first] + j : nullptr, c0.stride(),
                         c[first] + j, c.stride());
                continue;
            }
            for (int r = 0; c0 && r < R; ++r)
                std::copy_n(c0[first + r] + j, width, beside + r * K::kWidth);
            multiply(depth, from, next, panel, c0 ? beside : nullptr, K::kWidth, beside, K::kWidth);
            for (int r = 0; r < R; ++r)
                std::copy_n(beside + r * K::kWidth, width, c[first + r] + j);
        }
        c0 = c;
        k += depth;
    } while (k < part.last_k);
}

template class Packed<float>;
template class Packed<double>;

}  // namespace gradus
