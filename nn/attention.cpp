#include "nn/attention.h"

#include <cmath>

#include "nn/init.h"

namespace gradus::nn {

EncoderAttention::EncoderAttention(Score score, int64_t query, int64_t states, int64_t hidden)
    : score_(score), states_(states) {
    check(query > 0 && states > 0, "attention",
          "queries of width {}, states of width {}; at least 1 expected", query, states);
    const bool product = score == Score::dot || score == Score::scaled_dot;
    check(!product || query == states, "attention",
          "a dot product needs queries as wide as states, not {} and {}; use Score::general", query,
          states);
    if (score == Score::additive) {
        check(hidden > 0, "attention", "a comparison of width {}; at least 1 expected", hidden);
        query_weight_ = std::make_unique<Linear>(query, hidden, false);
        key_weight_ = std::make_unique<Linear>(states, hidden);
        const double bound = 1 / std::sqrt(static_cast<double>(hidden));
        v_ = init::uniform(Tensor::empty({hidden}), -bound, bound);
        children({{"query", *query_weight_}, {"key", *key_weight_}});
        parameter("v", v_);
    } else if (score == Score::general) {
        query_weight_ = std::make_unique<Linear>(query, states, false);
        child("query", *query_weight_);
    }
}

EncoderAttention::Memory EncoderAttention::remember(const Tensor& states, const Tensor& lengths) {
    const Scope in(name());
    return {score_ == Score::additive ? (*key_weight_)(states) : states, states, lengths};
}

Attention EncoderAttention::operator()(const Tensor& query, const Memory& memory) {
    const Scope in(name());
    if (score_ == Score::additive)
        return additive_attention((*query_weight_)(query), memory.keys, v_, memory.states,
                                  memory.lengths);
    const Tensor q = score_ == Score::general ? (*query_weight_)(query) : query;
    // The fused op divides by √K.
    const double scale = score_ == Score::scaled_dot ? 1 : std::sqrt(static_cast<double>(states_));
    const auto [y, weights] = scaled_dot_product_attention(q * scale, memory.keys, memory.states, 1,
                                                           {.key_lengths = memory.lengths});
    return {y, reshape(weights, {q.size(0), q.size(1), memory.keys.size(1)})};
}

MultiheadAttention::MultiheadAttention(int64_t dim, int64_t heads)
    : dim_(dim), heads_(heads), out_proj_(dim, dim) {
    check(heads > 0 && dim % heads == 0, "attention", "a width of {} does not divide into {} heads",
          dim, heads);
    weight_ = init::xavier_uniform(Tensor::empty({3 * dim, dim}));
    bias_ = Tensor::zeros({3 * dim});
    init::zeros(out_proj_.bias);
    parameter("in_proj_weight", weight_);
    parameter("in_proj_bias", bias_);
    child("out_proj", out_proj_);
}

Attention MultiheadAttention::operator()(const Tensor& x, const AttentionMask& mask) {
    const Scope in(name());
    const auto [y, weights] = self_attention(linear(x, weight_, bias_), heads_, mask);
    return {out_proj_(y), weights};
}

Tensor MultiheadAttention::keys_and_values(const Tensor& memory) {
    const Scope in(name());
    return linear(memory, slice(weight_, 0, dim_, 3 * dim_), slice(bias_, 0, dim_, 3 * dim_));
}

Attention MultiheadAttention::attend(const Tensor& x, const Tensor& keys_and_values,
                                     const AttentionMask& mask) {
    const Scope in(name());
    const Tensor q = linear(x, slice(weight_, 0, 0, dim_), slice(bias_, 0, 0, dim_));
    const auto [y, weights] = cross_attention(q, keys_and_values, heads_, mask);
    return {out_proj_(y), weights};
}

Attention MultiheadAttention::operator()(const Tensor& x, const Tensor& memory,
                                         const AttentionMask& mask) {
    return attend(x, keys_and_values(memory), mask);
}

}  // namespace gradus::nn
