// Reductions. Any set of axes is reduced as one or more runs of neighbouring axes, each a loop over [outer, n, inner].
#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

// Which axes a reduction removes, and the shapes with and without them.
struct Reduction {
    std::array<bool, kMaxRank> over{};
    Shape kept;    // the reduced axes at size 1
    Shape result;  // as the caller wants it
    int64_t count = 1;

    Reduction(const char* op, const Shape& shape, const Axes& axes, bool keepdim) : kept(shape) {
        for (int64_t axis : axes) {
            const int i = normal_axis(op, axis, shape);
            check(!over[static_cast<size_t>(i)], op, "axis {} is named twice", i);
            over[static_cast<size_t>(i)] = true;
            count *= shape[i];
            kept[i] = 1;
        }
        for (int i = 0; i < shape.rank(); ++i)
            if (keepdim || !over[static_cast<size_t>(i)]) result.append(kept[i]);
    }
};

Axes all_axes(const Tensor& x) {
    Axes axes;
    for (int i = 0; i < x.rank(); ++i) axes.append(i);
    return axes;
}

// A sum in an order that depends on n alone: chunks of fixed size, whose sums are added in double.
template <class T>
double sum_run(const T* x, int64_t n) {
    constexpr int64_t kChunk = 1024;
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += kChunk) {
        const int64_t end = std::min(n, begin + kChunk);
        T sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = begin; i < end; ++i) sum += x[i];
        total += static_cast<double>(sum);
    }
    return total;
}

// y[o, i] = Σ_n x[o, n, i]
template <class T>
void sum_axis(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) {
    if (inner == 1 && outer == 1) {
        const int64_t pieces = (n + kGrain - 1) / kGrain;
        Tensor partial = Tensor::empty({pieces}, Dtype::f64);
        parallel_for(pieces, 1, [&, sums = partial.data<double>()](int64_t piece, int64_t) {
            sums[piece] = sum_run(x + piece * kGrain, std::min(kGrain, n - piece * kGrain));
        });
        double total = 0;
        for (double sum : partial.values<double>()) total += sum;
        *y = static_cast<T>(total);
    } else if (inner == 1) {
        parallel_rows(outer, n, [&](int64_t begin, int64_t end) {
            for (int64_t o = begin; o < end; ++o) y[o] = static_cast<T>(sum_run(x + o * n, n));
        });
    } else {
        // Threads share out the columns, so that each sum runs down its column in order: in blocks wide enough to read
        // memory in long runs, four rows for each time that the sums are read and written.
        constexpr int64_t kColumns = 256, kRows = 4;
        const int64_t blocks = (inner + kColumns - 1) / kColumns;
        parallel_rows(outer * blocks, n * std::min(inner, kColumns),
                      [&](int64_t begin, int64_t end) {
                          for (int64_t piece = begin; piece < end; ++piece) {
                              const int64_t o = piece / blocks, first = piece % blocks * kColumns,
                                            columns = std::min(inner - first, kColumns);
                              const T* row = x + o * n * inner + first;
                              T* out = y + o * inner + first;
                              std::fill_n(out, columns, T(0));
                              int64_t k = 0;
                              for (; k + kRows <= n; k += kRows, row += kRows * inner)
                                  detail::map_serial(
                                      columns, out, false,
                                      [](T sum, T a, T b, T c, T d) { return sum + a + b + c + d; },
                                      out, row, row + inner, row + 2 * inner, row + 3 * inner);
                              for (; k < n; ++k, row += inner)
                                  detail::map_serial(
                                      columns, out, true, [](T a) { return a; }, row);
                          }
                      });
    }
}

}  // namespace

// y = Σ x over some axes;  dx = dy, repeated along them
static Tensor sum(const Tensor& x, const Reduction& reduction) {
    Tensor y = x;
    for (int last = x.rank();
         last > 0;) {  // one run of neighbouring reduced axes after the other, from the back
        int first = last - 1;
        if (!reduction.over[static_cast<size_t>(first)]) {
            --last;
            continue;
        }
        while (first > 0 && reduction.over[static_cast<size_t>(first - 1)]) --first;
        const Shape& shape = y.shape();
        Shape reduced = shape;
        for (int i = first; i < last; ++i) reduced[i] = 1;
        Tensor partial = Tensor::empty(reduced, x.dtype());
        dispatch("sum", x.dtype(), [&](auto zero) {
            using T = decltype(zero);
            sum_axis(std::as_const(y).data<T>(), partial.data<T>(), shape.size(0, first),
                     shape.size(first, last), shape.size(last, shape.rank()));
        });
        y = partial;
        last = first;
    }
    y = y.same_as(x) ? x.clone() : y;
    y = y.shape() == reduction.result ? y : y.view(reduction.result);
    return record("sum", {x}, y, [kept = reduction.kept](const Tensor& dy, Gradient dx) {
        if (dx) dx += broadcast_to(reshape(dy, kept), dx.shape());
    });
}

Tensor sum(const Tensor& x) { return sum(x, all_axes(x)); }
Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
    return sum(x, Reduction("sum", x.shape(), axes, keepdim));
}

Tensor mean(const Tensor& x) { return mean(x, all_axes(x)); }
Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
    const Reduction reduction("mean", x.shape(), axes, keepdim);
    return sum(x, reduction) / static_cast<double>(reduction.count);
}

Tensor var(const Tensor& x, const Axes& axes, double correction, bool keepdim) {
    const Reduction reduction("var", x.shape(), axes, keepdim);
    return sum(square(x - mean(x, axes, true)), reduction) /
           std::max(0.0, static_cast<double>(reduction.count) - correction);
}

// The position along an axis of each largest element, i32, with that axis at size 1.
static Tensor largest(const char* op, const Tensor& x, int axis) {
    const Around at(x.shape(), axis);
    check(at.size > 0, op, "axis {} of shape {} has no elements to choose from", axis, x.shape());
    Shape shape = x.shape();
    shape[axis] = 1;
    Tensor ids = Tensor::empty(shape, Dtype::i32);
    int32_t* out = ids.data<int32_t>();
    dispatch(op, x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = x.data<T>();
        parallel_rows(at.outer, at.size * at.inner, [&](int64_t begin, int64_t end) {
            for (int64_t o = begin; o < end; ++o)
                for (int64_t i = 0; i < at.inner; ++i) {
                    const T* column = in + o * at.size * at.inner + i;
                    int64_t best = 0;
                    for (int64_t k = 1; k < at.size; ++k) {
                        const T value = column[k * at.inner], champion = column[best * at.inner];
                        if (value > champion || (value != value && champion == champion)) best = k;
                    }
                    out[o * at.inner + i] = static_cast<int32_t>(best);
                }
        });
    });
    return ids;
}

Tensor argmax(const Tensor& x, int axis) {
    axis = normal_axis("argmax", axis, x.shape());
    return largest("argmax", x, axis).view(Reduction("argmax", x.shape(), axis, false).result);
}

// The largest element is one that is gathered: its gradient goes where it came from.
Tensor max(const Tensor& x, const Axes& axes, bool keepdim) {
    const Reduction reduction("max", x.shape(), axes, keepdim);
    Shape order, flat;  // the reduced axes go to the back and become one
    for (int i = 0; i < x.rank(); ++i)
        if (!reduction.over[static_cast<size_t>(i)]) order.append(i), flat.append(x.size(i));
    for (int i = 0; i < x.rank(); ++i)
        if (reduction.over[static_cast<size_t>(i)]) order.append(i);
    flat.append(reduction.count);
    const Tensor rows = reshape(permute(x, Axes(std::span(order.begin(), order.end()))), flat);
    return reshape(gather(rows, -1, largest("max", rows, flat.rank() - 1)), reduction.result);
}
Tensor max(const Tensor& x) { return max(x, all_axes(x)); }

}  // namespace gradus
