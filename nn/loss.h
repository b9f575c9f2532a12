// Losses, each a scalar to go back from. Those without a word here are autograd's own: mse,
// bce_with_logits and kl_div, which takes log-probabilities first, as PyTorch does.
#pragma once

#include "autograd/ops.h"

namespace gradus::nn {

using gradus::bce_with_logits;
using gradus::kl_div;
using gradus::mse;

/// Mean of -log softmax(logits)[target], in nats: logits [..., C], targets i32 [...]; options are
/// ignore_index (-100) and label_smoothing. Targets of the logits' shape and dtype are
/// distributions over the classes.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropy& options = {});

/// Over rows of a and b [N, D], the mean of 1 - cos(a, b) where the label [N] is 1, and of
/// max(0, cos(a, b) - margin) where it is -1. As in PyTorch, 1e-12 is added to each squared length.
Tensor cosine_embedding(const Tensor& a, const Tensor& b, const Tensor& labels, double margin = 0);

}  // namespace gradus::nn
