// Thirty functions with their derivatives in closed form, and sin and cos as ops of our own.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <vector>

#include "autograd/ops/elementwise.h"

namespace gradus::tape_lesson {

// Ops that the library lacks, written outside of it. Over numbers `cos` is that of <cmath>; over
// Tensors it is the op below, which is recorded, and so sin can be differentiated without end.
using std::cos, std::sin;
Tensor cos(const Tensor& X);

// y = sin x;  dx = cos(x) dy
inline Tensor sin(const Tensor& X) {
    return elementwise(
        "sin", X, [](auto x) { return sin(x); },
        [](auto x, Unused /*y*/, auto dy) { return cos(x) * dy; });
}

// y = cos x;  dx = −sin(x) dy
inline Tensor cos(const Tensor& X) {
    return elementwise(
        "cos", X, [](auto x) { return cos(x); },
        [](auto x, Unused /*y*/, auto dy) { return -sin(x) * dy; });
}

using Numbers = std::vector<double>;

// f: [n] -> [n] elementwise, or [n] -> one number. `gradient` is that of the sum of its results.
struct Function {
    const char* formula;
    const char* derivative;
    double low, high;  // the x that it is tried at
    std::function<Tensor(const Tensor& x)> value;
    std::function<Numbers(const Numbers& x)> gradient;
};

// The gradient of an elementwise function, from its derivative.
inline std::function<Numbers(const Numbers&)> each(
    const std::function<double(double)>& derivative) {
    return [derivative](const Numbers& x) {
        Numbers gradient(x.size());
        std::transform(x.begin(), x.end(), gradient.begin(), derivative);
        return gradient;
    };
}

inline double total(const Numbers& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

// √x by Heron's rule: a loop, recorded as it runs.
inline Tensor heron(const Tensor& x) {
    Tensor y = 0.5 * (1 + x);
    for (int i = 0; i < 6; ++i) y = 0.5 * (y + x / y);
    return y;
}

inline Numbers softmax_of(const Numbers& x) {
    Numbers p(x.size());
    std::transform(x.begin(), x.end(), p.begin(), [](double v) { return std::exp(v); });
    const double sum = total(p);
    for (double& v : p) v /= sum;
    return p;
}

inline std::vector<Function> thirty_functions() {
    using T = const Tensor&;
    const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
    const double two_over_root_pi = 2 * std::numbers::inv_sqrtpi;
    return {
        // Of one variable.
        {"x² + 3x − 1", "2x + 3", -3, 3, [](T x) { return x * x + 3 * x - 1; },
         each([](double x) { return 2 * x + 3; })},
        {"1 / x", "−1 / x²", 0.5, 3, [](T x) { return 1 / x; },
         each([](double x) { return -1 / (x * x); })},
        {"x^2.5", "2.5 x^1.5", 0.1, 3, [](T x) { return pow(x, 2.5); },
         each([](double x) { return 2.5 * x * std::sqrt(x); })},
        {"√x", "1 / 2√x", 0.1, 4, [](T x) { return sqrt(x); },
         each([](double x) { return 0.5 / std::sqrt(x); })},
        {"√x by six of Heron's steps", "1 / 2√x", 0.5, 4, heron,
         each([](double x) { return 0.5 / std::sqrt(x); })},
        {"eˣ", "eˣ", -3, 3, [](T x) { return exp(x); }, each([](double x) { return std::exp(x); })},
        {"ln x", "1 / x", 0.1, 4, [](T x) { return log(x); }, each([](double x) { return 1 / x; })},
        {"exp(−x²)", "−2x exp(−x²)", -2, 2, [](T x) { return exp(-square(x)); },
         each([](double x) { return -2 * x * std::exp(-x * x); })},
        {"x eˣ", "(1 + x) eˣ", -3, 3, [](T x) { return x * exp(x); },
         each([](double x) { return (1 + x) * std::exp(x); })},
        {"x ln x", "ln x + 1", 0.1, 4, [](T x) { return x * log(x); },
         each([](double x) { return std::log(x) + 1; })},
        {"xˣ", "xˣ (ln x + 1)", 0.2, 3, [](T x) { return pow(x, x); },
         each([](double x) { return std::pow(x, x) * (std::log(x) + 1); })},
        {"sin x", "cos x", -4, 4, [](T x) { return sin(x); },
         each([](double x) { return std::cos(x); })},
        {"exp(sin x)", "cos x exp(sin x)", -4, 4, [](T x) { return exp(sin(x)); },
         each([](double x) { return std::cos(x) * std::exp(std::sin(x)); })},
        {"sin(x) / x", "(x cos x − sin x) / x²", 0.5, 6, [](T x) { return sin(x) / x; },
         each([](double x) { return (x * std::cos(x) - std::sin(x)) / (x * x); })},
        {"tan x = sin x / cos x", "1 + tan² x", -1.2, 1.2, [](T x) { return sin(x) / cos(x); },
         each([](double x) { return 1 + std::tan(x) * std::tan(x); })},
        {"tanh x", "1 − tanh² x", -3, 3, [](T x) { return tanh(x); },
         each([](double x) { return 1 - std::tanh(x) * std::tanh(x); })},
        {"σ(x) = 1 / (1 + e⁻ˣ)", "σ(x) (1 − σ(x))", -5, 5, [](T x) { return sigmoid(x); },
         each([=](double x) { return sigma(x) * (1 - sigma(x)); })},
        {"ln(1 + eˣ)", "σ(x)", -5, 5, [](T x) { return softplus(x); }, each(sigma)},
        {"x σ(x)", "σ(x) (1 + x (1 − σ(x)))", -5, 5, [](T x) { return silu(x); },
         each([=](double x) { return sigma(x) * (1 + x * (1 - sigma(x))); })},
        {"erf x", "2/√π exp(−x²)", -2, 2, [](T x) { return erf(x); },
         each([=](double x) { return two_over_root_pi * std::exp(-x * x); })},
        {"arsinh x = ln(x + √(1 + x²))", "1 / √(1 + x²)", -1, 3,
         [](T x) { return log(x + sqrt(1 + x * x)); },
         each([](double x) { return 1 / std::sqrt(1 + x * x); })},
        {"artanh x = ln((1 + x) / (1 − x)) / 2", "1 / (1 − x²)", -0.8, 0.8,
         [](T x) { return 0.5 * log((1 + x) / (1 - x)); },
         each([](double x) { return 1 / (1 - x * x); })},
        {"|x|³", "3x |x|", -2, 2, [](T x) { return pow(abs(x), 3); },
         each([](double x) { return 3 * x * std::abs(x); })},
        {"max(0, x)²", "2 max(0, x)", -2, 2, [](T x) { return square(relu(x)); },
         each([](double x) { return 2 * std::max(0.0, x); })},
        // Of all n numbers of x at once.
        {"(Σ xᵢ)²", "2 Σ xᵢ", -1, 1, [](T x) { return square(sum(x)); },
         [](const Numbers& x) { return Numbers(x.size(), 2 * total(x)); }},
        {"‖x‖ = √Σ xᵢ²", "xᵢ / ‖x‖", -1, 1, [](T x) { return sqrt(sum(square(x))); },
         [](const Numbers& x) {
             const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
             return each([norm](double v) { return v / norm; })(x);
         }},
        {"Π xᵢ = exp Σ ln xᵢ", "Π / xᵢ", 0.8, 1.2, [](T x) { return exp(sum(log(x))); },
         [](const Numbers& x) {
             const double product =
                 std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<double>());
             return each([product](double v) { return product / v; })(x);
         }},
        {"variance: Σ (xᵢ − x̄)² / (n − 1)", "2 (xᵢ − x̄) / (n − 1)", -1, 1,
         [](T x) { return var(x, {0}); },
         [](const Numbers& x) {
             const auto n = static_cast<double>(x.size());
             const double mean = total(x) / n;
             return each([=](double v) { return 2 * (v - mean) / (n - 1); })(x);
         }},
        {"ln Σ exp xᵢ", "pᵢ = exp xᵢ / Σ exp xⱼ", -2, 2, [](T x) { return logsumexp(x); },
         softmax_of},
        {"−Σ pᵢ ln pᵢ, p = softmax x", "−pᵢ (ln pᵢ + H)", -2, 2,
         [](T x) { return -sum(softmax(x) * log_softmax(x)); },
         [](const Numbers& x) {
             const Numbers p = softmax_of(x);
             double entropy = 0;
             for (const double q : p) entropy -= q * std::log(q);
             return each([=](double q) { return -q * (std::log(q) + entropy); })(p);
         }},
    };
}

// |received − expected| / max(1, |expected|), the largest of all elements.
inline double largest_error(const Numbers& received, const Numbers& expected) {
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double error = std::abs(received[i] - expected[i]);
        worst = std::fmax(worst, error / std::max(1.0, std::abs(expected[i])));
    }
    return worst;
}

inline double value_at(const Function& f, const Numbers& x) {
    return sum(f.value(Tensor::from(x))).item();
}

// The gradient by differences, one element after the other; `both` sides of x or the upper alone.
inline Numbers differences(const Function& f, Numbers x, double step, bool both) {
    Numbers gradient;
    const double middle = value_at(f, x);
    for (double& moved : x) {
        const double original = moved;
        moved = original + step;
        const double up = value_at(f, x);
        moved = original - step;
        gradient.push_back(both ? (up - value_at(f, x)) / (2 * step) : (up - middle) / step);
        moved = original;
    }
    return gradient;
}

inline Numbers by_tape(const Function& f, const Numbers& numbers) {
    const Tensor x = Tensor::from(numbers).requires_grad();
    Tape tape;
    tape.backward(sum(f.value(x)));
    const auto gradient = x.grad().values<double>();
    return {gradient.begin(), gradient.end()};
}

}  // namespace gradus::tape_lesson
