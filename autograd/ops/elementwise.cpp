#include "autograd/ops/elementwise.h"

#include <numbers>

namespace gradus {
namespace detail {

Broadcast::Broadcast(const Shape& a, const Shape& b, const Shape& y)
    : rows(1), inner(1), a_moves(true), b_moves(true) {
    // Sizes and steps of both inputs along y's axes: a step of 0 where the input has one element for all.
    Shape steps_a, steps_b;
    auto steps = [&](const Shape& x, Shape& result) {
        const int missing = y.rank() - x.rank();
        for (int axis = 0; axis < y.rank(); ++axis) {
            const bool moves = axis >= missing && x[axis - missing] == y[axis];
            result.append(moves ? x.size(axis - missing + 1, x.rank()) : 0);
        }
    };
    steps(a, steps_a);
    steps(b, steps_b);
    int axis = y.rank();
    for (bool first = true; axis > 0;
         --axis) {  // the longest run of last axes along which neither input changes its kind
        if (y[axis - 1] == 1) continue;
        const bool moves_a = steps_a[axis - 1] != 0, moves_b = steps_b[axis - 1] != 0;
        if (first) {
            a_moves = moves_a;
            b_moves = moves_b;
        } else if (moves_a != a_moves || moves_b != b_moves)
            break;
        inner *= y[axis - 1];
        first = false;
    }
    for (int i = 0; i < axis; ++i) {
        rows *= y[i];
        outer.append(y[i]);
        a_strides.append(steps_a[i]);
        b_strides.append(steps_b[i]);
    }
}

std::pair<int64_t, int64_t> Broadcast::offsets(int64_t row) const {
    int64_t ia = 0, ib = 0;
    for (int axis = outer.rank() - 1; axis >= 0; --axis) {
        const int64_t i = row % outer[axis];
        row /= outer[axis];
        ia += i * a_strides[axis];
        ib += i * b_strides[axis];
    }
    return {ia, ib};
}

}  // namespace detail

// Capital letters are Tensors, small ones their elements. The gradient formulas below name what they use of (x, y, dy) or (a, b, y, dy).
using U = Unused;

Tensor operator+(const Tensor& A, const Tensor& B) {
    return elementwise(
        "add", A, B, [](auto a, auto b) { return a + b; }, Unchanged(), Unchanged());
}
Tensor operator-(const Tensor& A, const Tensor& B) {
    return elementwise(
        "sub", A, B, [](auto a, auto b) { return a - b; }, Unchanged(),
        [](U, U, U, auto dy) { return -dy; });
}
Tensor operator*(const Tensor& A, const Tensor& B) {
    return elementwise(
        "mul", A, B, [](auto a, auto b) { return a * b; },
        [](U, auto b, U, auto dy) { return dy * b; }, [](auto a, U, U, auto dy) { return dy * a; });
}
Tensor operator/(const Tensor& A, const Tensor& B) {
    return elementwise(
        "div", A, B, [](auto a, auto b) { return a / b; },
        [](U, auto b, U, auto dy) { return dy / b; },
        [](U, auto b, auto y, auto dy) { return -dy * y / b; });
}
Tensor operator-(const Tensor& X) {
    return elementwise(
        "neg", X, [](auto x) { return -x; }, [](U, U, auto dy) { return -dy; });
}

Tensor operator+(const Tensor& X, double c) {
    return elementwise(
        "add", X, [c](auto x) { return x + as(x, c); }, Unchanged());
}
Tensor operator*(const Tensor& X, double c) {
    return elementwise(
        "mul", X, [c](auto x) { return x * as(x, c); },
        [c](U, U, auto dy) { return dy * as(dy, c); });
}
Tensor operator/(double c, const Tensor& X) {
    return elementwise(
        "div", X, [c](auto x) { return as(x, c) / x; },
        [](auto x, auto y, auto dy) { return -dy * y / x; });
}
Tensor operator-(const Tensor& X, double c) { return X + -c; }
Tensor operator/(const Tensor& X, double c) { return X * (1 / c); }
Tensor operator+(double c, const Tensor& X) { return X + c; }
Tensor operator-(double c, const Tensor& X) { return -X + c; }
Tensor operator*(double c, const Tensor& X) { return X * c; }

Tensor pow(const Tensor& X, double p) {
    if (p == 0) return X * 0 + 1;
    return elementwise(
        "pow", X, [p](auto x) { return pow(x, as(x, p)); },
        [p](auto x, U, auto dy) { return dy * as(x, p) * pow(x, as(x, p - 1)); });
}
Tensor pow(const Tensor& A, const Tensor& B) {
    return elementwise(
        "pow", A, B, [](auto a, auto b) { return pow(a, b); },
        [](auto a, auto b, U, auto dy) { return dy * b * pow(a, b - as(b, 1)); },
        [](auto a, U, auto y, auto dy) {
            return where(equal(a, as(a, 0)), as(a, 0), dy * y * log(a));
        });
}
Tensor exp(const Tensor& X) {
    return elementwise(
        "exp", X, [](auto x) { return exp(x); }, [](U, auto y, auto dy) { return dy * y; });
}
Tensor log(const Tensor& X) {
    return elementwise(
        "log", X, [](auto x) { return log(x); }, [](auto x, U, auto dy) { return dy / x; });
}
Tensor sqrt(const Tensor& X) {
    return elementwise(
        "sqrt", X, [](auto x) { return sqrt(x); }, [](U, auto y, auto dy) { return dy / (y + y); });
}
Tensor square(const Tensor& X) {
    return elementwise(
        "square", X, [](auto x) { return x * x; }, [](auto x, U, auto dy) { return dy * (x + x); });
}
Tensor abs(const Tensor& X) {
    return elementwise(
        "abs", X, [](auto x) { return abs(x); },
        [](auto x, U, auto dy) {
            return where(x > as(x, 0), dy, where(x < as(x, 0), -dy, as(dy, 0)));
        });
}
Tensor erf(const Tensor& X) {
    return elementwise(
        "erf", X, [](auto x) { return erf(x); },
        [](auto x, U, auto dy) { return dy * as(x, 2 * std::numbers::inv_sqrtpi) * exp(-x * x); });
}
Tensor tanh(const Tensor& X) {
    return elementwise(
        "tanh", X, [](auto x) { return tanh(x); },
        [](U, auto y, auto dy) { return dy * (as(y, 1) - y * y); });
}
Tensor sigmoid(const Tensor& X) {
    return elementwise(
        "sigmoid", X, [](auto x) { return sigmoid(x); },
        [](U, auto y, auto dy) { return dy * y * (as(y, 1) - y); });
}
Tensor relu(const Tensor& X) {  // !(x < 0) rather than x > 0: NaN stays NaN
    return elementwise(
        "relu", X, [](auto x) { return where(x < as(x, 0), as(x, 0), x); },
        [](U, auto y, auto dy) { return where(y > as(y, 0), dy, as(dy, 0)); });
}
Tensor silu(const Tensor& X) {
    return elementwise(
        "silu", X, [](auto x) { return x * sigmoid(x); },
        [](auto x, U, auto dy) {
            auto s = sigmoid(x);
            return dy * s * (as(x, 1) + x * (as(x, 1) - s));
        });
}
Tensor softplus(const Tensor& X) {
    return elementwise(
        "softplus", X,
        [](auto x) { return where(x > as(x, 0), x, as(x, 0)) + vec::log1p(exp(-abs(x))); },
        [](auto x, U, auto dy) { return dy * sigmoid(x); });
}

// Φ(x) = (1 + erf(x / √2)) / 2, φ(x) = e^(-x²/2) / √(2π):  dx = dy (Φ + x φ)
static Tensor exact_gelu(const Tensor& X) {
    auto Phi = [](auto x) {
        return as(x, 0.5) * (as(x, 1) + erf(x * as(x, std::numbers::sqrt2 / 2)));
    };
    return elementwise(
        "gelu", X, [Phi](auto x) { return x * Phi(x); },
        [Phi](auto x, U, auto dy) {
            const double scale = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
            return dy * (Phi(x) + x * as(x, scale) * exp(as(x, -0.5) * x * x));
        });
}

// y = x (1 + t) / 2 with t = tanh(u), u = √(2/π) (x + 0.044715 x³):  dx = dy ((1 + t) + x (1 - t²) du/dx) / 2
static constexpr double kSlope = 0.7978845608028654, kCubic = 0.044715;
static Tensor tanh_gelu(const Tensor& X) {
    auto t = [](auto x) { return tanh(as(x, kSlope) * (x + as(x, kCubic) * x * x * x)); };
    return elementwise(
        "gelu_tanh", X, [t](auto x) { return as(x, 0.5) * x * (as(x, 1) + t(x)); },
        [t](auto x, U, auto dy) {
            auto tx = t(x);
            auto du = as(x, kSlope) * (as(x, 1) + as(x, 3 * kCubic) * x * x);
            return dy * as(x, 0.5) * (as(x, 1) + tx + x * (as(x, 1) - tx * tx) * du);
        });
}

Tensor gelu(const Tensor& X, Gelu form) {
    return form == Gelu::exact ? exact_gelu(X) : tanh_gelu(X);
}

Tensor composed::gelu(const Tensor& X, Gelu form) {
    if (form == Gelu::exact) return 0.5 * X * (1 + erf(X / std::numbers::sqrt2));
    return 0.5 * X * (1 + tanh(kSlope * (X + kCubic * pow(X, 3))));
}

Tensor clamp(const Tensor& X, double low, double high) {
    check(low <= high, "clamp", "low {} is above high {}", low, high);
    return elementwise(
        "clamp", X,
        [=](auto x) {
            return where(x < as(x, low), as(x, low), where(x > as(x, high), as(x, high), x));
        },
        [=](auto x, U, auto dy) {
            return where(x < as(x, low), as(dy, 0), where(x > as(x, high), as(dy, 0), dy));
        });
}

// The share of a in the gradient: 1 where it won, 1/2 where both are equal.
static constexpr auto kShare = [](auto winner, auto loser, auto dy) {
    return where(winner > loser, dy, where(winner < loser, as(dy, 0), dy * as(dy, 0.5)));
};
Tensor maximum(const Tensor& A, const Tensor& B) {
    return elementwise(
        "maximum", A, B, [](auto a, auto b) { return where(a < b, b, where(b != b, b, a)); },
        [](auto a, auto b, U, auto dy) { return kShare(a, b, dy); },
        [](auto a, auto b, U, auto dy) { return kShare(b, a, dy); });
}
Tensor minimum(const Tensor& A, const Tensor& B) {
    return elementwise(
        "minimum", A, B, [](auto a, auto b) { return where(a > b, b, where(b != b, b, a)); },
        [](auto a, auto b, U, auto dy) { return kShare(b, a, dy); },
        [](auto a, auto b, U, auto dy) { return kShare(a, b, dy); });
}

// What a comparison or a condition looks at gets no gradient: they see the numbers, not the recorded value.
static Tensor numbers_of(const Tensor& X) { return X.view(X.shape()); }

Tensor operator>(const Tensor& A, const Tensor& B) {
    return detail::map2("greater", A, B, [](auto a, auto b) { return as(a, a > b); });
}
Tensor operator<(const Tensor& A, const Tensor& B) { return B > A; }
Tensor equal(const Tensor& A, const Tensor& B) {
    return detail::map2("equal", A, B, [](auto a, auto b) { return as(a, a == b); });
}

Tensor where(const Tensor& condition, const Tensor& A, const Tensor& B) {
    check_same_dtype("where", A, B);
    check_same_dtype("where", condition, A);
    const Shape shape =
        broadcast("where", condition.shape(), broadcast("where", A.shape(), B.shape()));
    const Tensor C = detail::expand(numbers_of(condition), shape);
    const Tensor wide_A = detail::expand(A, shape), wide_B = detail::expand(B, shape);
    Tensor Y = Tensor::empty(shape, A.dtype());
    dispatch("where", Y.dtype(), [&](auto zero) {
        using T = decltype(zero);
        detail::map(
            Y.size(), Y.data<T>(), false, [](T c, T a, T b) { return c != 0 ? a : b; }, C.data<T>(),
            wide_A.data<T>(), wide_B.data<T>());
    });
    return record("where", {wide_A, wide_B}, Y, [C](const Tensor& dY, Gradient dA, Gradient dB) {
        const Tensor nothing = Tensor::zeros({}, dY.dtype());
        if (dA) dA += where(C, dY, nothing);
        if (dB) dB += where(C, nothing, dY);
    });
}

void detail::accumulate(Tensor& into, const Tensor& t, bool add) {
    dispatch("accumulate", t.dtype(), [&](auto zero) {
        using T = decltype(zero);
        map(
            t.size(), into.data<T>(), add, [](auto x) { return x; }, t.data<T>());
    });
}

}  // namespace gradus
