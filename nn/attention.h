// Attention as layers.
// B batch · T queries · S keys · D model width · H heads
#pragma once

#include "nn/layers.h"

namespace gradus::nn {

/// How a query is compared with a key.
enum class Score {
    additive,    // vᵀ tanh(W q + U k + b)   Bahdanau, Cho, Bengio 2015
    dot,         // qᵀ k                     Luong, Pham, Manning 2015
    scaled_dot,  // qᵀ k / √D                Vaswani et al. 2017
    general,     // qᵀ W k                   Luong, Pham, Manning 2015
};

/// Attention of one head over the states of an encoder. What depends on those alone is computed once:
///
///     const auto memory = attention.remember(states, lengths);   // states [B, S, K]
///     const auto [context, weights] = attention(query, memory);  // [B, T, Q] -> [B, T, K], [B, T, S]
class EncoderAttention : public Module {
public:
    /// Widths of queries and of states; `hidden` is that of the comparison, for additive. A dot product needs queries as
    /// wide as states.
    EncoderAttention(Score score, int64_t query, int64_t states, int64_t hidden = 0);

    struct Memory {
        Tensor keys, states;  // [B, S, hidden] or the states themselves; [B, S, K]
        Tensor lengths;       // [B], i32, or undefined
    };
    Memory remember(const Tensor& states, const Tensor& lengths = {});
    Attention operator()(const Tensor& query, const Memory& memory);

private:
    Score score_;
    int64_t states_;
    std::unique_ptr<Linear> query_weight_, key_weight_;
    Tensor v_;  // [hidden]
};

/// Attention of many heads with PyTorch's names: in_proj_weight [3 D, D], in_proj_bias [3 D], out_proj.weight [D, D],
/// out_proj.bias [D]. in_proj begins Xavier-uniform, biases as zeros, out_proj as any Linear but for its bias.
class MultiheadAttention : public Module {
public:
    MultiheadAttention(int64_t dim, int64_t heads);

    /// x [B, T, D] attends to itself.
    Attention operator()(const Tensor& x, const AttentionMask& mask = {});
    /// x [B, T, D] attends to a memory [B, S, D].
    Attention operator()(const Tensor& x, const Tensor& memory, const AttentionMask& mask = {});

    /// The two halves of the latter, for a decoder whose memory stays the same from step to step: keys and values side by
    /// side, [B, S, 2 D].
    Tensor keys_and_values(const Tensor& memory);
    Attention attend(const Tensor& x, const Tensor& keys_and_values,
                     const AttentionMask& mask = {});

    int64_t heads() const { return heads_; }

private:
    int64_t dim_, heads_;
    Tensor weight_, bias_;  // [3 D, D], [3 D]: of queries, keys, values
    Linear out_proj_;
};

}  // namespace gradus::nn
