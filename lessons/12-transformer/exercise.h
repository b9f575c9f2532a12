// Lesson 12: the transformer. Yours to write: each function below takes at most 20 lines. README.md says
// what they are for, the comment above each what it must do, and ./run check 12 whether it does.
// B batch · H heads · T queries · S keys · D model width · d = D / H · F feed-forward width · N targets · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. Attention of queries q [B, H, T, d] over keys k and values v [B, H, S, d]:
///   softmax(q kᵀ / √d + M) v  -> [B, H, T, d],
/// M is 0 where `allowed` (1 or 0, broadcasts to [B, H, T, S]) is 1, and in effect -∞ elsewhere. A query
/// that may attend to nothing gets zeros, and no gradient is ever NaN.
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& allowed) {
    throw NotYetWritten("task 1");
}

/// Task 2. Cuts the width into heads: x [B, T, D] -> [B, H, T, d]. Head h reads columns h d ... h d + d - 1
/// of each position.
inline Tensor split_heads(const Tensor& x, int64_t heads) { throw NotYetWritten("task 2"); }

/// Task 2. The way back: [B, H, T, d] -> [B, T, D].
inline Tensor merge_heads(const Tensor& x) { throw NotYetWritten("task 2"); }

/// Task 3. Who may attend to whom in T positions of B sentences: 1 or 0, [B, 1, T, T], in float64. Keys
/// from lengths[b] (i32 [B], 0 ... T) on are padding, which nobody sees. Where `causal`, query t also sees
/// no key after t.
inline Tensor allowed_keys(const Tensor& lengths, int64_t T, bool causal) {
    throw NotYetWritten("task 3");
}

/// Task 4. Positions 0 ... T - 1 as waves (section 3.5 of the paper), [T, D] in float64:
///   P[t, 2 i] = sin(t / 10000^(2 i / D)),   P[t, 2 i + 1] = cos(t / 10000^(2 i / D)).
inline Tensor sinusoids(int64_t T, int64_t D) { throw NotYetWritten("task 4"); }

using Function = std::function<Tensor(const Tensor&)>;

/// Task 5. A sub-layer f with its residual connection around it, and LN the normalisation:
///   post-norm (Vaswani et al. 2017)   LN(x + f(x)),
///   pre-norm (Xiong et al. 2020)      x + f(LN(x)).
inline Tensor sub_layer(const Tensor& x, const Function& f, const Function& norm, bool pre_norm) {
    throw NotYetWritten("task 5");
}

/// Task 6. Cross-entropy against softened targets, the mean over those that count: logits [N, V], targets
/// i32 [N], of which -100 does not count. The target has the weight 1 - ε, and ε is spread evenly over all V
/// classes, the target among them.
inline Tensor smoothed_cross_entropy(const Tensor& logits, const Tensor& targets, double epsilon) {
    throw NotYetWritten("task 6");
}

/// Task 7. The paper's learning rate (section 5.3) at step n = 1, 2 ... of a model of width D:
///   D^(-1/2) min(n^(-1/2), n warm_up^(-3/2)).
inline double noam(int64_t n, int64_t D, int64_t warm_up) { throw NotYetWritten("task 7"); }

/// Task 8. Parameters of one layer, biases and LayerNorms (a weight and a bias each) counted. Attention has
/// four products of D x D; the feed-forward network goes from D to F and back. The encoder's layer has
/// self-attention and that network, the decoder's also attention to the encoder; each sub-layer has a
/// LayerNorm.
inline int64_t layer_parameters(int64_t D, int64_t F, bool decoder) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
