#include "nn/init.h"

namespace gradus::nn {

Rng& generator() {
    thread_local Rng rng(0);
    return rng;
}

void manual_seed(uint64_t seed) { generator() = Rng(seed); }

namespace init {

Tensor zeros(Tensor x) {
    x.fill(0);
    return x;
}

Tensor ones(Tensor x) {
    x.fill(1);
    return x;
}

Tensor uniform(Tensor x, double low, double high) {
    x.copy_from(generator().uniform(x.shape(), low, high, x.dtype()));
    return x;
}

Tensor normal(Tensor x, double mean, double stddev) {
    x.copy_from(generator().normal(x.shape(), mean, stddev, x.dtype()));
    return x;
}

Tensor trunc_normal(Tensor x, double mean, double stddev, double low, double high) {
    check(low < high && low < mean + 4 * stddev && high > mean - 4 * stddev, "trunc_normal",
          "the interval {} ... {} holds next to nothing of a normal distribution with mean {} and "
          "standard deviation {}",
          low, high, mean, stddev);
    for (int64_t i = 0; i < x.size(); ++i) {
        double value;
        do value = mean + stddev * generator().normal();
        while (value < low || value > high);
        x.set(i, value);
    }
    return x;
}

Fans fans(const Tensor& weight) {
    const Shape& shape = weight.shape();
    check(shape.rank() >= 2, "fans",
          "a weight [out, in, ...] has at least two axes, this one has shape {}; use uniform or "
          "normal",
          shape);
    const int64_t field = shape.size(2, shape.rank());
    return {static_cast<double>(shape[1] * field), static_cast<double>(shape[0] * field)};
}

double gain(Activation activation) {
    switch (activation) {
        case Activation::relu:
            return std::sqrt(2.0);
        case Activation::tanh:
            return 5.0 / 3;
        default:
            return 1;
    }
}

Tensor xavier_uniform(Tensor weight, double gain) {
    const auto [in, out] = fans(weight);
    const double bound = gain * std::sqrt(6 / (in + out));
    return uniform(weight, -bound, bound);
}

Tensor xavier_normal(Tensor weight, double gain) {
    const auto [in, out] = fans(weight);
    return normal(weight, 0, gain * std::sqrt(2 / (in + out)));
}

Tensor kaiming_uniform(Tensor weight, double gain) {
    const double bound = gain * std::sqrt(3 / fans(weight).in);
    return uniform(weight, -bound, bound);
}

Tensor kaiming_normal(Tensor weight, double gain) {
    return normal(weight, 0, gain / std::sqrt(fans(weight).in));
}

}  // namespace init
}  // namespace gradus::nn
