// Lesson 12: the transformer. The eight tasks, written out. README.md says what they are for.
// B batch · H heads · T queries · S keys · D model width · d = D / H · F feed-forward width · N targets · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/ops.h"

namespace gradus::exercise {

/// Task 1. Attention of queries q [B, H, T, d] over keys k and values v [B, H, S, d]:
///   softmax(q kᵀ / √d + M) v  -> [B, H, T, d],
/// M is 0 where `allowed` (1 or 0, broadcasts to [B, H, T, S]) is 1, and in effect -∞ elsewhere. A query
/// that may attend to nothing gets zeros, and no gradient is ever NaN.
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& allowed) {
    const double d = static_cast<double>(q.size(3));
    const Tensor scores = matmul(q, k, Trans::b) / std::sqrt(d);  // [B, H, T, S]
    const Tensor M = (allowed - 1) * 1e30;  // finite: a row of nothing but -∞ would be NaN
    return matmul(softmax(scores + M) * allowed, v);
}

/// Task 2. Cuts the width into heads: x [B, T, D] -> [B, H, T, d]. Head h reads columns h d ... h d + d - 1
/// of each position.
inline Tensor split_heads(const Tensor& x, int64_t heads) {
    return transpose(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), 1, 2);
}

/// Task 2. The way back: [B, H, T, d] -> [B, T, D].
inline Tensor merge_heads(const Tensor& x) {
    return reshape(transpose(x, 1, 2), {x.size(0), x.size(2), x.size(1) * x.size(3)});
}

/// Task 3. Who may attend to whom in T positions of B sentences: 1 or 0, [B, 1, T, T], in float64. Keys
/// from lengths[b] (i32 [B], 0 ... T) on are padding, which nobody sees. Where `causal`, query t also sees
/// no key after t.
inline Tensor allowed_keys(const Tensor& lengths, int64_t T, bool causal) {
    const int64_t B = lengths.size(0);
    Tensor allowed = Tensor::zeros({B, 1, T, T}, Dtype::f64);
    for (int64_t b = 0; b < B; ++b)
        for (int64_t t = 0; t < T; ++t) {
            const auto length = static_cast<int64_t>(lengths.at(b));
            const int64_t end = causal ? std::min(length, t + 1) : length;
            for (int64_t s = 0; s < end; ++s) allowed.set((b * T + t) * T + s, 1);
        }
    return allowed;
}

/// Task 4. Positions 0 ... T - 1 as waves (section 3.5 of the paper), [T, D] in float64:
///   P[t, 2 i] = sin(t / 10000^(2 i / D)),   P[t, 2 i + 1] = cos(t / 10000^(2 i / D)).
inline Tensor sinusoids(int64_t T, int64_t D) {
    Tensor table = Tensor::empty({T, D}, Dtype::f64);
    for (int64_t t = 0; t < T; ++t)
        for (int64_t column = 0; column < D; ++column) {
            const double exponent =
                static_cast<double>(column - column % 2) / static_cast<double>(D);
            const double angle = static_cast<double>(t) / std::pow(10000, exponent);
            table.set(t * D + column, column % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return table;
}

using Function = std::function<Tensor(const Tensor&)>;

/// Task 5. A sub-layer f with its residual connection around it, and LN the normalisation:
///   post-norm (Vaswani et al. 2017)   LN(x + f(x)),
///   pre-norm (Xiong et al. 2020)      x + f(LN(x)).
inline Tensor sub_layer(const Tensor& x, const Function& f, const Function& norm, bool pre_norm) {
    return pre_norm ? x + f(norm(x)) : norm(x + f(x));
}

/// Task 6. Cross-entropy against softened targets, the mean over those that count: logits [N, V], targets
/// i32 [N], of which -100 does not count. The target has the weight 1 - ε, and ε is spread evenly over all V
/// classes, the target among them.
inline Tensor smoothed_cross_entropy(const Tensor& logits, const Tensor& targets, double epsilon) {
    const int64_t N = logits.size(0), V = logits.size(1);
    Tensor weights = Tensor::zeros({N, V}, logits.dtype());
    double count = 0;
    for (int64_t n = 0; n < N; ++n) {
        const auto target = static_cast<int64_t>(targets.at(n));
        if (target == -100) continue;
        for (int64_t c = 0; c < V; ++c) weights.set(n * V + c, epsilon / static_cast<double>(V));
        weights.set(n * V + target, 1 - epsilon + epsilon / static_cast<double>(V));
        ++count;
    }
    return -sum(weights * log_softmax(logits)) / count;
}

/// Task 7. The paper's learning rate (section 5.3) at step n = 1, 2 ... of a model of width D:
///   D^(-1/2) min(n^(-1/2), n warm_up^(-3/2)).
inline double noam(int64_t n, int64_t D, int64_t warm_up) {
    const auto step = static_cast<double>(n);
    return std::pow(static_cast<double>(D), -0.5) *
           std::min(std::pow(step, -0.5), step * std::pow(static_cast<double>(warm_up), -1.5));
}

/// Task 8. Parameters of one layer, biases and LayerNorms (a weight and a bias each) counted. Attention has
/// four products of D x D; the feed-forward network goes from D to F and back. The encoder's layer has
/// self-attention and that network, the decoder's also attention to the encoder; each sub-layer has a
/// LayerNorm.
inline int64_t layer_parameters(int64_t D, int64_t F, bool decoder) {
    const int64_t attention = 4 * (D * D + D), feed_forward = D * F + F + F * D + D, norm = 2 * D;
    return attention + feed_forward + 2 * norm + (decoder ? attention + norm : 0);
}

}  // namespace gradus::exercise
