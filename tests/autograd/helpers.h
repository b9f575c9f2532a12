// What the tests of the engine share: numbers to feed in, and ways to compare what comes out.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"

namespace gradus::test {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Uniform numbers in low ... high.
inline Tensor uniform(const Shape& shape, double low = -1, double high = 1, uint64_t seed = 1) {
    return Rng(seed).uniform(shape, low, high, Dtype::f64);
}

/// Numbers in random order with nothing near zero and no two alike: kinks and ties are far from each of them.
inline Tensor apart(const Shape& shape, uint64_t seed = 1) {
    const int64_t n = shape.size();
    const Tensor order = Rng(seed).permutation(n);
    Tensor x = Tensor::empty(shape, Dtype::f64);
    const double step = 4.0 / static_cast<double>(n + 1);
    for (int64_t i = 0; i < n; ++i) {
        const double value = -2 + step * (order.at(i) + 0.37);
        x.set(i, std::abs(value) < step / 5 ? step / 4 : value);
    }
    return x;
}

/// Multiples of 1/4 in -2 ... 2, plus `offset`: two of them with other offsets are nowhere close to a tie.
inline Tensor grid(const Shape& shape, double offset, uint64_t seed = 1) {
    Tensor x = uniform(shape, -8, 8, seed);
    for (int64_t i = 0; i < x.size(); ++i) x.set(i, std::round(x.at(i)) / 4 + offset);
    return x;
}

inline Tensor ids(const std::vector<int32_t>& values, const Shape& shape) {
    return Tensor::from(values, shape);
}
inline Tensor vector(const std::vector<double>& values) { return Tensor::from(values); }
inline Tensor vector(const std::vector<double>& values, const Shape& shape) {
    return Tensor::from(values, shape);
}

/// The largest |a - b| / max(1, |b|); equal infinities and two NaN are no distance, other shapes or dtypes an infinite one.
inline double distance(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return kInfinity;
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const double x = a.at(i), y = b.at(i);
        if (x == y || (std::isnan(x) && std::isnan(y))) continue;
        const double error = std::abs(x - y) / std::max(1.0, std::abs(y));
        worst = std::isnan(error) ? kInfinity : std::max(worst, error);
    }
    return worst;
}
inline bool close(const Tensor& a, const Tensor& b, double tolerance = 1e-12) {
    return distance(a, b) <= tolerance;
}
inline bool close(const Tensor& a, const std::vector<double>& b, double tolerance = 1e-12) {
    return close(a.to(Dtype::f64), Tensor::from(b, a.shape()), tolerance);
}
inline bool same_bits(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
    return dispatch("same_bits", a.dtype(), [&](auto zero) {
        const auto x = a.values<decltype(zero)>(), y = b.values<decltype(zero)>();
        return x.empty() || std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
    });
}

/// What the Error that f throws says; "no error" where it throws none.
template <class F>
std::string error_of(F f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

/// Whether f throws an Error whose text has each of `parts`.
template <class F>
bool fails(F f, std::initializer_list<std::string_view> parts) {
    const std::string text = error_of(f);
    for (std::string_view part : parts)
        if (text.find(part) == std::string::npos) {
            MESSAGE("\"" << std::string(part) << "\" is not in \"" << text << "\"");
            return false;
        }
    return true;
}

/// gradcheck as an assertion.
inline void check_gradient(const std::string& name, const Function& f,
                           const std::vector<Tensor>& inputs,
                           const GradcheckOptions& options = {}) {
    const GradcheckResult result = gradcheck(f, inputs, options);
    INFO(name << ": " << result.message);
    CHECK(result.ok);
}

/// f's value, then the gradient of each input, of the sum of f with fixed weights.
inline std::vector<Tensor> run(const Function& f, const std::vector<Tensor>& inputs,
                               Dtype dtype = Dtype::f64, Tape::Fused fused = Tape::Fused::kernels) {
    std::vector<Tensor> xs, results;
    for (const Tensor& input : inputs) xs.push_back(input.to(dtype).requires_grad());
    Tape tape(fused);
    const Tensor y = f(xs);
    tape.backward(y, Rng(9).uniform(y.shape(), 0.5, 1.5, dtype));
    results.push_back(y);
    for (const Tensor& x : xs)
        results.push_back(x.grad().defined() ? x.grad() : Tensor::zeros(x.shape(), dtype));
    return results;
}

}  // namespace gradus::test
