#include "models/mlp.h"

namespace gradus::models {

MLP::MLP(const std::vector<int64_t>& sizes, const MlpOptions& options) : Layer("mlp") {
    check(sizes.size() >= 2, "mlp", "{} sizes given; at least inputs and outputs expected",
          sizes.size());
    const size_t spacing = options.dropout > 0 ? 3 : 2;
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
        const bool hidden = i + 2 < sizes.size();
        layers_.emplace_back(sizes[i], sizes[i + 1], true,
                             hidden ? options.activation : Activation::none);
        child(std::to_string(i * spacing), layers_.back());
        if (!hidden || options.dropout == 0) continue;
        dropouts_.emplace_back(options.dropout);
        child(std::to_string(i * spacing + 2), dropouts_.back());
    }
}

Tensor MLP::forward(const Tensor& x) {
    Tensor h = x;
    for (size_t i = 0; i < layers_.size(); ++i) {
        h = layers_[i](h);
        if (i < dropouts_.size()) h = dropouts_[i](h);
    }
    return h;
}

}  // namespace gradus::models
