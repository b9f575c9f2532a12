// The layers with PyTorch's names, defaults and weight layout, so that a state dict goes both ways.
// B is any number of leading axes: [..., D] is as good as [B, D].
#pragma once

#include <memory>
#include <optional>

#include "autograd/ops.h"
#include "nn/module.h"

namespace gradus::nn {

/// y = activation(x Wᵀ + b), [B, in] -> [B, out]. Both begin uniform in ± 1/√in. The activation is
/// computed in the same pass; PyTorch would have it as a layer of its own.
class Linear : public Layer {
public:
    Linear(int64_t in, int64_t out, bool bias = true, Activation activation = Activation::none);
    Tensor forward(const Tensor& x) override;

    Tensor weight;  // [out, in]
    Tensor bias;    // [out], or undefined

private:
    Activation activation_;
};

/// Rows of a table: ids (i32, any shape) -> ids' shape + [dim]. Rows begin as N(0, 1). The row of
/// `padding`, where there is one, is zero and stays zero.
class Embedding : public Layer {
public:
    Embedding(int64_t count, int64_t dim, std::optional<int32_t> padding = {});
    Tensor forward(const Tensor& ids) override;

    Tensor weight;  // [count, dim]

private:
    std::optional<int32_t> padding_;
};

/// (x - mean) / sqrt(variance + eps) over the last axis, times weight, plus bias (Ba, Kiros, Hinton
/// 2016): [B, dim] -> [B, dim].
class LayerNorm : public Layer {
public:
    explicit LayerNorm(int64_t dim, double eps = 1e-5);
    Tensor forward(const Tensor& x) override;

    Tensor weight;  // [dim], ones
    Tensor bias;    // [dim], zeros

private:
    double eps_;
};

/// While training, zeroes each element with probability p and scales the others by 1 / (1 - p)
/// (Srivastava et al. 2014). Its generator is seeded by nn::generator() and saved in checkpoints.
class Dropout : public Layer {
public:
    explicit Dropout(double p = 0.5);
    Tensor forward(const Tensor& x) override;

private:
    double p_;
    Rng rng_;
};

// Activations as layers, for a Sequential.
struct ReLU final : Layer {
    Tensor forward(const Tensor& x) override { return relu(x); }
};
struct Tanh final : Layer {
    Tensor forward(const Tensor& x) override { return tanh(x); }
};
struct Sigmoid final : Layer {
    Tensor forward(const Tensor& x) override { return sigmoid(x); }
};
struct SiLU final : Layer {
    Tensor forward(const Tensor& x) override { return silu(x); }
};
struct GELU final : Layer {
    explicit GELU(Gelu form = Gelu::exact) : form_(form) {}
    Tensor forward(const Tensor& x) override { return gelu(x, form_); }

private:
    Gelu form_;
};

/// Layers one after the other, named "0", "1" ...
///
///     Sequential net;
///     net.add<Linear>(784, 256).add<ReLU>().add<Linear>(256, 10);
class Sequential : public Layer {
public:
    explicit Sequential(std::string name = "") : Layer(std::move(name)) {}

    template <class L, class... Args>
    Sequential& add(Args&&... args) {
        layers_.push_back(std::make_unique<L>(std::forward<Args>(args)...));
        child(std::to_string(layers_.size() - 1), *layers_.back());
        return *this;
    }
    Tensor forward(const Tensor& x) override;

    size_t size() const { return layers_.size(); }
    Layer& operator[](size_t i) { return *layers_.at(i); }

private:
    std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace gradus::nn
