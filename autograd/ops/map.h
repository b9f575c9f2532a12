// Loops over the elements of tensors: what elementwise ops, and the kernels of others, are made of.
#pragma once

#include <utility>

#include "autograd/parallel.h"
#include "autograd/tensor.h"

namespace gradus {

/// Stands for an argument that a formula does not use.
struct Unused {};

namespace detail {

inline Unused load(Unused, int64_t) { return {}; }
template <class T>
T load(const T* values, int64_t i) {
    return values[i];
}
template <class T>
requires std::is_floating_point_v<T> T load(T number, int64_t) { return number; }

// out[i] = f(args[i] ...), or += where `add`. Each argument is an array, a number, or Unused. Flattened: a call left in the
// loop would keep it from being vectorised.
template <class T, class F, class... Args>
[[gnu::flatten]] void map_serial(int64_t n, T* out, bool add, F f, Args... args) {
    if (add) {
#pragma omp simd
        for (int64_t i = 0; i < n; ++i) out[i] += f(load(args, i)...);
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; ++i) out[i] = f(load(args, i)...);
    }
}

inline Unused from(Unused, int64_t) { return {}; }
template <class T>
const T* from(const T* values, int64_t i) {
    return values + i;
}

template <class T, class F, class... Args>
void map(int64_t n, T* out, bool add, F f, Args... args) {
    parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
        map_serial(end - begin, out + begin, add, f, from(args, begin)...);
    });
}

// into = t, or += where `add`.
void accumulate(Tensor& into, const Tensor& t, bool add);

// How two shapes broadcast, as rows of one inner loop in which each input is either read on or stays at one number.
struct Broadcast {
    int64_t rows, inner;
    bool a_moves, b_moves;
    Shape outer, a_strides, b_strides;  // of the axes that the rows run over

    Broadcast(const Shape& a, const Shape& b, const Shape& y);
    std::pair<int64_t, int64_t> offsets(int64_t row) const;
};

template <class T, class F>
void map_broadcast(const Tensor& a, const Tensor& b, Tensor& y, F f) {
    const Broadcast plan(a.shape(), b.shape(), y.shape());
    const T *pa = a.data<T>(), *pb = b.data<T>();
    T* py = y.data<T>();
    parallel_rows(plan.rows, plan.inner, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row) {
            const auto [ia, ib] = plan.offsets(row);
            T* out = py + row * plan.inner;
            if (!plan.a_moves)
                map_serial(plan.inner, out, false, f, pa[ia], pb + ib);
            else if (!plan.b_moves)
                map_serial(plan.inner, out, false, f, pa + ia, pb[ib]);
            else
                map_serial(plan.inner, out, false, f, pa + ia, pb + ib);
        }
    });
}

// f(a, b) for every pair of elements, not recorded.
template <class F>
Tensor map2(const char* op, const Tensor& a, const Tensor& b, F f) {
    check_same_dtype(op, a, b);
    const bool same = a.shape() == b.shape();
    Tensor y = Tensor::empty(same ? a.shape() : broadcast(op, a.shape(), b.shape()), a.dtype());
    dispatch(op, a.dtype(), [&](auto zero) {
        using T = decltype(zero);
        if (same)
            map(y.size(), y.data<T>(), false, f, a.data<T>(), b.data<T>());
        else
            map_broadcast<T>(a, b, y, f);
    });
    return y;
}

}  // namespace detail
}  // namespace gradus
