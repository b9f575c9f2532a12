#include "nn/layers.h"

#include <cmath>

#include "nn/init.h"

namespace gradus::nn {

Linear::Linear(int64_t in, int64_t out, bool with_bias, Activation activation)
    : activation_(activation) {
    check(in > 0 && out > 0, "linear", "{} inputs and {} outputs; at least 1 of each expected", in,
          out);
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    weight = init::uniform(Tensor::empty({out, in}), -bound, bound);
    if (with_bias) bias = init::uniform(Tensor::empty({out}), -bound, bound);
    parameter("weight", weight);
    parameter("bias", bias);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias, activation_); }

Embedding::Embedding(int64_t count, int64_t dim, std::optional<int32_t> padding)
    : weight(init::normal(Tensor::empty({count, dim}))), padding_(padding) {
    if (padding_) {
        check(*padding_ >= 0 && *padding_ < count, "embedding", "padding {} of {} rows", *padding_,
              count);
        weight.view({dim}, *padding_ * dim).fill(0);
    }
    parameter("weight", weight);
}

Tensor Embedding::forward(const Tensor& ids) {
    Tensor rows = embedding(weight, ids);  // [..., dim]
    if (!padding_) return rows;
    Shape shape = ids.shape();
    shape.append(1);
    Tensor counts = Tensor::empty(shape, weight.dtype());  // [..., 1]: 0 at the padding, else 1
    dispatch("embedding", weight.dtype(), [&](auto zero) {
        using T = decltype(zero);
        std::transform(ids.data<int32_t>(), ids.data<int32_t>() + ids.size(), counts.data<T>(),
                       [&](int32_t id) { return static_cast<T>(id != *padding_); });
    });
    return rows * counts;
}

LayerNorm::LayerNorm(int64_t dim, double eps)
    : weight(Tensor::ones({dim})), bias(Tensor::zeros({dim})), eps_(eps) {
    parameter("weight", weight);
    parameter("bias", bias);
}

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, weight, bias, eps_); }

Dropout::Dropout(double p) : p_(p), rng_(nn::generator().next()) {
    check(p >= 0 && p < 1, "dropout", "p = {}; a probability below 1 expected", p);
    Module::generator("rng", rng_);
}

Tensor Dropout::forward(const Tensor& x) { return training() && p_ > 0 ? dropout(x, p_, rng_) : x; }

Tensor Sequential::forward(const Tensor& x) {
    Tensor y = x;
    for (const auto& layer : layers_) y = (*layer)(y);
    return y;
}

}  // namespace gradus::nn
