// Elementwise ops as formulas: one for the value, one for the gradient of each input. The gradient's formula is written once
// and used twice: over numbers it is the inner loop of the way back; over Tensors it is itself recorded, which gives second
// derivatives. Ops of your own are written in the same way:
//
//     // y = x³;  dx = 3 x² dy
//     Tensor cube(const Tensor& X) {
//         return elementwise("cube", X, [](auto x) { return x * x * x; },
//                            [](auto x, Unused /*y*/, auto dy) { return as(x, 3) * x * x * dy; });
//     }
//
// An argument declared as Unused is not kept for the way back. In the formulas, exp, tanh, where ... are found for numbers
// and Tensors alike; as(x, 3) is the number 3 in the type of x, so that a float loop stays one of floats.
#pragma once

#include <concepts>

#include "autograd/ops.h"
#include "autograd/ops/map.h"
#include "autograd/vec.h"

namespace gradus {

inline float as(float, double number) { return static_cast<float>(number); }
inline double as(double, double number) { return number; }
inline Tensor as(const Tensor& like, double number) {
    return Tensor::full({}, number, like.dtype());
}

// What formulas use, for numbers (for Tensors: autograd/ops.h). Templates, so that the global functions of <math.h> are
// no rivals where somebody says `using namespace gradus`.
template <std::floating_point T>
T exp(T x) {
    return vec::exp(x);
}
template <std::floating_point T>
T log(T x) {
    return vec::log(x);
}
template <std::floating_point T>
T tanh(T x) {
    return vec::tanh(x);
}
template <std::floating_point T>
T sigmoid(T x) {
    return vec::sigmoid(x);
}
template <std::floating_point T>
T erf(T x) {
    return vec::erf(x);
}
template <std::floating_point T>
T sqrt(T x) {
    return std::sqrt(x);
}
template <std::floating_point T>
T abs(T x) {
    return std::fabs(x);
}
template <std::floating_point T>
T pow(T x, T y) {
    return std::pow(x, y);
}
template <std::floating_point T>
bool equal(T a, T b) {
    return a == b;
}
template <std::floating_point T>
T where(bool condition, T a, T b) {
    return condition ? a : b;
}

/// The gradient's formula of an input whose gradient is dy itself, which then goes on without a copy.
struct Unchanged {
    template <class T>
    T operator()(Unused, Unused, T dy) const {
        return dy;
    }
    template <class T>
    T operator()(Unused, Unused, Unused, T dy) const {
        return dy;
    }
};

/// One input: f(x) and df(x, y, dy).
template <class F, class DF>
Tensor elementwise(const char* op, const Tensor& x, F f, DF df);

/// Two inputs that broadcast against each other: f(a, b), then da(a, b, y, dy) and db(a, b, y, dy).
template <class F, class DA, class DB>
Tensor elementwise(const char* op, const Tensor& a, const Tensor& b, F f, DA da, DB db);

// ---------------------------------------------------------------------------------------------------------------------

namespace detail {

// Which of the `N` arguments before dy a gradient's formula uses, as bits: those not declared Unused.
template <class F, unsigned mask, size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return std::is_invocable_v<F, std::conditional_t<(mask >> I & 1) != 0, float, Unused>...,
                               float>;
}
template <class F, size_t N, int count = static_cast<int>(N), unsigned mask = (1u << N) - 1>
constexpr unsigned
used() {  // tries the larger sets first, so that no formula is ever compiled for a missing argument
    if constexpr (std::popcount(mask) == count) {
        if constexpr (takes<F, mask>(std::make_index_sequence<N>()))
            return mask;
        else if constexpr (mask > 0)
            return used<F, N, count, mask - 1>();
        else
            static_assert(mask > 0, "a gradient's formula takes (inputs ..., y, dy)");
    } else if constexpr (mask > 0)
        return used<F, N, count, mask - 1>();
    else
        return used<F, N, count - 1>();
}
template <unsigned bit>
auto keep(const Tensor& x) {
    if constexpr (bit != 0)
        return x;
    else
        return Unused{};
}
template <unsigned bit, class Kept>
decltype(auto) pass(const Kept& kept) {
    if constexpr (bit != 0)
        return (kept);
    else
        return Unused{};
}

inline Unused expand(Unused, const Shape&) { return {}; }
inline Tensor expand(const Tensor& x, const Shape& shape) {
    return x.shape() == shape ? x : broadcast_to(x, shape);
}
template <class T>
Unused numbers(Unused) {
    return {};
}
template <class T>
const T* numbers(const Tensor& x) {
    return x.data<T>();
}

// dx += df(values ..., dy), summed over the axes along which x was broadcast. `same` says that all of them have dy's shape.
template <class DF, class... Values>
void chain(Gradient dx, bool same, DF df, const Tensor& dy, const Values&... values) {
    if (!dx) return;
    if (Tape::current() || std::is_same_v<DF, Unchanged>)
        return dx += sum_to(df(values..., dy), dx.shape());
    dispatch("chain", dy.dtype(), [&](auto zero) {
        using T = decltype(zero);
        if (same) {
            const auto [out, add] = dx.sink<T>();
            map(dy.size(), out, add, df, numbers<T>(values)..., dy.data<T>());
        } else {
            Tensor full = Tensor::empty(dy.shape(), dy.dtype());
            [&](const auto&... wide) {
                map(dy.size(), full.data<T>(), false, df, numbers<T>(wide)..., dy.data<T>());
            }(expand(values, dy.shape())...);
            dx += sum_to(full, dx.shape());
        }
    });
}

}  // namespace detail

template <class F, class DF>
Tensor elementwise(const char* op, const Tensor& x, F f, DF df) {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch(op, x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::map(x.size(), y.data<T>(), false, f, x.data<T>());
    });
    constexpr unsigned used = detail::used<DF, 2>();
    auto backward = [df, kept_x = detail::keep<used & 1>(x), kept_y = detail::keep<used & 2>(y)](
                        const Tensor& dy, Gradient dx) {
        detail::chain(dx, true, df, dy, kept_x, kept_y);
    };
    return record(op, {x}, std::move(y), std::move(backward));
}

template <class F, class DA, class DB>
Tensor elementwise(const char* op, const Tensor& a, const Tensor& b, F f, DA da, DB db) {
    Tensor y = detail::map2(op, a, b, f);
    constexpr unsigned for_a = detail::used<DA, 3>(), for_b = detail::used<DB, 3>(),
                       used = for_a | for_b;
    auto backward = [da, db, same = a.shape() == b.shape(), kept_a = detail::keep<used & 1>(a),
                     kept_b = detail::keep<used & 2>(b), kept_y = detail::keep<used & 4>(y)](
                        const Tensor& dy, Gradient to_a, Gradient to_b) {
        using detail::pass;
        detail::chain(to_a, same, da, dy, pass<for_a & 1>(kept_a), pass<for_a & 2>(kept_b),
                      pass<for_a & 4>(kept_y));
        detail::chain(to_b, same, db, dy, pass<for_b & 1>(kept_a), pass<for_b & 2>(kept_b),
                      pass<for_b & 4>(kept_y));
    };
    return record(op, {a, b}, std::move(y), std::move(backward));
}

}  // namespace gradus
