// Elementary functions that a compiler can vectorise: in float short branch-free polynomials, in double the standard
// library's (double is for checking gradients). Relative error of the float forms: below 4e-7 over the whole range, tested;
// NaN gives NaN, infinities give their limits, results too small for a normal float may be 0.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gradus::vec {

namespace detail {

// Both coefficients and argument in the order of Horner's rule: c0 + x (c1 + x (c2 + ...)).
template <class... C>
[[gnu::always_inline]] inline float polynomial(float x, float c0, C... rest) {
    if constexpr (sizeof...(rest) == 0)
        return c0;
    else
        return c0 + x * polynomial(x, rest...);
}

// x = n ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds a float to a whole number.
struct Reduced {
    float n, r;
};
[[gnu::always_inline]] inline Reduced reduce(float x) {
    constexpr float kRound = 12582912.0f, kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;
    const float n = (x * 1.44269504f + kRound) - kRound;
    return {n, (x - n * kLn2High) - n * kLn2Low};
}

// 2^n for whole n in -126 ... 127.
[[gnu::always_inline]] inline float power_of_two(float n) {
    return std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// e^r - 1 for |r| <= ln 2 / 2: Taylor's series; the first term left out is r^8 / 8! < 6e-9.
[[gnu::always_inline]] inline float expm1_near_zero(float r) {
    return r *
           polynomial(r, 1.0f, 1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040);
}

// 2 atanh(s) = ln((1 + s) / (1 - s)) for |s| <= 1/3: its odd series.
[[gnu::always_inline]] inline float two_atanh(float s) {
    return 2 * s *
           polynomial(s * s, 1.0f, 1.0f / 3, 1.0f / 5, 1.0f / 7, 1.0f / 9, 1.0f / 11, 1.0f / 13);
}

}  // namespace detail

[[gnu::always_inline]] inline float exp(float x) {
    constexpr float kLargest = 88.7228394f,
                    kSmallest =
                        -87.3365479f;  // ln of the largest float, of the smallest normal one
    const float inside = x > kLargest ? kLargest : x < kSmallest ? kSmallest : x;
    const auto [n, r] = detail::reduce(inside);
    const float half =
        n > 0 ? 1 : 0;  // 2^n in two factors, because 2^128 is not a float although e^88.7 is
    const float y = (1 + detail::expm1_near_zero(r)) * detail::power_of_two(n - half) * (1 + half);
    return x > kLargest ? std::numeric_limits<float>::infinity() : x < kSmallest ? 0.0f : y;
}

/// |x| <= 9.02: x times one even polynomial over another, fitted to the least largest relative error (2e-8); beyond, tanh rounds
/// to 1.
[[gnu::always_inline]] inline float tanh(float x) {
    constexpr float kEnd = 9.02f;
    const float y =
        x *
        detail::polynomial(x * x, 1.0f, 0.13379718f, 3.4940343e-3f, 2.0583479e-5f, 1.33190685e-8f) /
        detail::polynomial(x * x, 1.0f, 0.46713033f, 2.5871072e-2f, 3.2830925e-4f, 7.7620183e-7f);
    const float inside = y > 1 ? 1 : y < -1 ? -1 : y;
    return x > kEnd ? 1 : x < -kEnd ? -1 : inside;
}

[[gnu::always_inline]] inline float sigmoid(float x) { return 1 / (1 + vec::exp(-x)); }

/// x = 2^n m with m in sqrt(1/2) ... sqrt(2); then ln m = 2 atanh((m - 1) / (m + 1)).
[[gnu::always_inline]] inline float log(float x) {
    constexpr float kSmallestNormal = 1.17549435e-38f, kTwo23 = 8388608.0f;
    const bool denormal = x < kSmallestNormal;
    const uint32_t bits = std::bit_cast<uint32_t>(denormal ? x * kTwo23 : x);
    const uint32_t shifted = bits - 0x3f3504f3u;  // sqrt(1/2): its exponent field counts n
    const float n =
        static_cast<float>(static_cast<int32_t>(shifted) >> 23) - (denormal ? 23.0f : 0.0f);
    const float m = std::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u);
    const float y = n * 0.693147181f + detail::two_atanh((m - 1) / (m + 1));
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float positive = x == kInfinity ? kInfinity : y;
    return x > 0 ? positive : x == 0 ? -kInfinity : std::numeric_limits<float>::quiet_NaN();
}

/// ln(1 + u) for u in 0 ... 1, as softplus and the logistic loss need it.
[[gnu::always_inline]] inline float log1p(float u) { return detail::two_atanh(u / (2 + u)); }

/// |x| <= 1: x times an even polynomial; beyond: 1 - e^Q(|x|). Both fitted to the least largest relative error (5e-8).
[[gnu::always_inline]] inline float erf(float x) {
    const float a = std::fabs(x) > 4 ? 4 : std::fabs(x);
    const float near = a * detail::polynomial(a * a, 1.1283791065f, -0.3761232793f, 0.1128018200f,
                                              -0.0267113541f, 0.0049175941f, -0.0005631577f);
    const float far = 1 - vec::exp(detail::polynomial(a, -3.4151258e-4f, -1.1270892620f,
                                                      -0.6381447315f, -0.1031068191f, 0.0218380969f,
                                                      -0.0029476669f, 1.8638009e-4f));
    const float y = std::copysign(a <= 1 ? near : far, x);
    return x != x ? x : y;
}

inline double exp(double x) { return std::exp(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double log(double x) { return std::log(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double erf(double x) { return std::erf(x); }

}  // namespace gradus::vec
