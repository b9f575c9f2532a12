#include "models/mlp.h"

#include <cmath>

#include "autograd/parallel.h"

namespace gradus::models {

MLP::MLP(const std::vector<int64_t>& sizes, const MlpOptions& options)
    : Layer("mlp"), max_norm_(options.max_norm) {
    check(sizes.size() >= 2, "mlp", "{} sizes given; at least inputs and outputs expected",
          sizes.size());
    check(max_norm_ >= 0, "mlp", "max_norm is {}; a length, or 0 for any, expected", max_norm_);
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

void MLP::limit_norms() {
    if (max_norm_ == 0) return;
    for (size_t layer = 0; layer + 1 < layers_.size(); ++layer) {
        Tensor weight = layers_[layer].weight;  // [out, in]
        const int64_t in = weight.size(1);
        dispatch("mlp", weight.dtype(), [&](auto zero) {
            using T = decltype(zero);
            T* w = weight.data<T>();
            parallel_rows(weight.size(0), in, [=, this](int64_t begin, int64_t end) {
                for (T* row = w + begin * in; row < w + end * in; row += in) {
                    T squares = 0;
#pragma omp simd reduction(+ : squares)
                    for (int64_t i = 0; i < in; ++i) squares += row[i] * row[i];
                    const T length = std::sqrt(squares), limit = static_cast<T>(max_norm_);
                    if (length <= limit) continue;
                    for (int64_t i = 0; i < in; ++i) row[i] *= limit / length;
                }
            });
        });
    }
}

}  // namespace gradus::models
