#include "nn/loss.h"

namespace gradus::nn {

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropy& options) {
    if (targets.dtype() == Dtype::i32) return softmax_cross_entropy(logits, targets, options);
    check(options.label_smoothing == 0, "cross_entropy",
          "label smoothing is for targets that are ids; smooth the distributions themselves");
    return soft_cross_entropy(logits, targets);
}

Tensor cosine_embedding(const Tensor& a, const Tensor& b, const Tensor& labels, double margin) {
    check(a.rank() == 2 && a.shape() == b.shape() && labels.shape() == Shape{a.size(0)},
          "cosine_embedding", "a is {}, b is {}, labels are {}; [N, D] twice and [N] expected",
          a.shape(), b.shape(), labels.shape());
    for (int64_t i = 0; i < labels.size(); ++i)
        check(std::abs(labels.at(i)) == 1, "cosine_embedding",
              "label {} is {}; 1 (alike) or -1 (not alike) expected", i, labels.at(i));
    constexpr double kTiny = 1e-12;
    const Tensor lengths = sqrt((sum(square(a), 1) + kTiny) * (sum(square(b), 1) + kTiny));  // [N]
    const Tensor cosine = sum(a * b, 1) / lengths;
    const Tensor alike = labels.to(a.dtype()) > Tensor::zeros({}, a.dtype());
    return mean(where(alike, 1 - cosine, relu(cosine - margin)));
}

}  // namespace gradus::nn
