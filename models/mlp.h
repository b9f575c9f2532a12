// The multi-layer perceptron.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace gradus::models {

struct MlpOptions {
    Activation activation = Activation::relu;
    double dropout = 0;   // after each hidden layer
    double max_norm = 0;  // of each hidden unit's incoming weights; 0: any
};

/// h_0 = x,  h_i = φ(W_i h_{i-1} + b_i),  and the last layer without φ:  [B, sizes[0]] -> logits
/// [B, sizes.back()].
///
/// Parameters are named as in PyTorch's Sequential(Linear, ReLU, Linear): "0.weight", "0.bias",
/// "2.weight" ...; with dropout, which is a layer there too, "0", "3" ...
class MLP : public nn::Layer {
public:
    explicit MLP(const std::vector<int64_t>& sizes, const MlpOptions& options = {});
    Tensor forward(const Tensor& x) override;

    /// Shortens each row of a hidden layer's weight, a unit's incoming weights, that is longer than max_norm to
    /// that length (Srebro and Shraibman 2005; Srivastava et al. 2014, section 5.1). To be called after each
    /// step of an optimizer; without max_norm it does nothing.
    void limit_norms();

private:
    double max_norm_;
    std::deque<nn::Linear> layers_;
    std::deque<nn::Dropout> dropouts_;  // one for each hidden layer, or none
};

}  // namespace gradus::models
