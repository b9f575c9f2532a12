#include "autograd/random.h"

#include <cmath>
#include <numbers>

#include "autograd/parallel.h"

namespace gradus {
namespace {

double box_muller(uint64_t a, uint64_t b) {
    const double radius = std::sqrt(-2 * std::log(1 - Rng::to_unit(a)));
    return radius * std::cos(2 * std::numbers::pi * Rng::to_unit(b));
}

// A tensor whose i-th element is f(i).
template <class F>
Tensor generate(const char* op, const Shape& shape, Dtype dtype, F f) {
    Tensor result = Tensor::empty(shape, dtype);
    dispatch(op, dtype, [&](auto zero) {
        using T = decltype(zero);
        T* out = result.data<T>();
        parallel_for(shape.size(), kGrain, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                out[i] = static_cast<T>(f(static_cast<uint64_t>(i)));
        });
    });
    return result;
}

}  // namespace

double Rng::normal() {
    const uint64_t a = next();
    return box_muller(a, next());
}

Tensor Rng::uniform(const Shape& shape, double low, double high, Dtype dtype) {
    const uint64_t state = state_;
    skip(static_cast<uint64_t>(shape.size()));
    return generate("uniform", shape, dtype,
                    [=](uint64_t i) { return low + (high - low) * to_unit(at(state, i)); });
}

Tensor Rng::normal(const Shape& shape, double mean, double stddev, Dtype dtype) {
    const uint64_t state = state_;
    skip(2 * static_cast<uint64_t>(shape.size()));
    return generate("normal", shape, dtype, [=](uint64_t i) {
        return mean + stddev * box_muller(at(state, 2 * i), at(state, 2 * i + 1));
    });
}

Tensor Rng::permutation(int64_t n) {
    Tensor result = Tensor::empty({n}, Dtype::i32);
    int32_t* order = result.data<int32_t>();
    for (int64_t i = 0; i < n; ++i) order[i] = static_cast<int32_t>(i);
    for (int64_t i = n - 1; i > 0; --i) std::swap(order[i], order[below(i + 1)]);
    return result;
}

}  // namespace gradus
