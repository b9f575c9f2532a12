#include "models/transformer.h"

#include <cmath>

#include "nn/init.h"

namespace gradus::models {
namespace {

TransformerOptions checked(const TransformerOptions& o) {
    check(o.source_vocab > 0 && o.target_vocab > 0 && o.layers > 0 && o.ff > 0 && o.max_length > 0,
          "transformer",
          "vocabularies {} and {}, layers {}, ff {}, max_length {}; at least 1 of each expected",
          o.source_vocab, o.target_vocab, o.layers, o.ff, o.max_length);
    check(!o.shared || o.source_vocab == o.target_vocab, "transformer",
          "shared embeddings need one vocabulary, not {} and {} tokens", o.source_vocab,
          o.target_vocab);
    return o;
}

// PE(pos, 2i) = sin(pos / 10000^(2i/D)),  PE(pos, 2i+1) = cos(pos / 10000^(2i/D))  (section 3.5)
Tensor sinusoids(int64_t count, int64_t D) {
    Tensor table = Tensor::empty({count, D});
    for (int64_t position = 0; position < count; ++position)
        for (int64_t i = 0; i < D; ++i) {
            const double rate =
                std::pow(10000, -static_cast<double>(i / 2 * 2) / static_cast<double>(D));
            const double angle = static_cast<double>(position) * rate;
            table.set(position * D + i, i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return table;
}

}  // namespace

Transformer::Layer::Layer(const TransformerOptions& o, bool decodes)
    : self_attn(o.dim, o.heads),
      linear1(o.dim, o.ff, true, Activation::relu),
      linear2(o.ff, o.dim),
      norm1(o.dim),
      norm2(o.dim),
      norm3(o.dim),
      dropout(o.dropout),
      pre_norm(o.pre_norm) {
    child("self_attn", self_attn);
    if (decodes) {
        multihead_attn = std::make_unique<nn::MultiheadAttention>(o.dim, o.heads);
        child("multihead_attn", *multihead_attn);
    }
    children({{"linear1", linear1}, {"linear2", linear2}, {"norm1", norm1}, {"norm2", norm2}});
    if (decodes) child("norm3", norm3);
    if (o.dropout > 0) child("dropout", dropout);
}

template <class F>
Tensor Transformer::Layer::sub_layer(const Tensor& x, nn::LayerNorm& norm, F f) {
    return pre_norm ? x + dropout(f(norm(x))) : norm(x + dropout(f(x)));
}

Transformer::Stack::Stack(const TransformerOptions& o, bool decodes) : norm(o.dim) {
    for (int64_t i = 0; i < o.layers; ++i) layers.emplace_back(o, decodes);
    child("norm", norm);
}

Transformer::Both::Both(const TransformerOptions& o) : encoder(o, false), decoder(o, true) {
    children({{"encoder", encoder}, {"decoder", decoder}});
}

Transformer::Transformer(const TransformerOptions& o)
    : Module("transformer"),
      options_(checked(o)),
      src_(o.source_vocab, o.dim),
      dst_(o.target_vocab, o.dim),
      positions_(o.sinusoidal ? sinusoids(o.max_length, o.dim)
                              : nn::init::normal(Tensor::empty({o.max_length, o.dim}))),
      dropout_(o.dropout),
      tr_(o),
      head_(o.dim, o.target_vocab) {
    children({{"src", src_}, {"dst", dst_}});
    if (o.sinusoidal)
        buffer("pos.weight", positions_);
    else
        parameter("pos.weight", positions_);
    children({{"dropout", dropout_}, {"tr", tr_}, {"head", head_}});
    if (o.shared) {
        // Read as a head, rows of length 1 keep the first logits near 0.
        nn::init::normal(src_.weight, 0, 1 / std::sqrt(static_cast<double>(o.dim)));
        dst_.weight = head_.weight = src_.weight;
    }
}

Tensor Transformer::embed(nn::Embedding& table, const Tensor& ids, int64_t first) {
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [B, T] with at least one step expected", ids.shape());
    const int64_t last = first + ids.size(1);
    check(last <= options_.max_length, "ids",
          "reach position {}, and the model has {}; cut the sentence, or make the model with a "
          "larger max_length",
          last, options_.max_length);
    const Tensor x = table(ids);  // [B, T, D]
    const Tensor at = slice(positions_, 0, first, last);
    return dropout_((options_.scaled ? x * std::sqrt(static_cast<double>(options_.dim)) : x) + at);
}

Transformer::Memory Transformer::encode(const Tensor& source, const Tensor& lengths,
                                        AttentionMaps* maps) {
    const Scope in(name());
    Tensor x = embed(src_, source);
    for (Layer& layer : tr_.encoder.layers) {
        x = layer.sub_layer(x, layer.norm1, [&](const Tensor& y) {
            const auto [attended, weights] = layer.self_attn(y, {.key_lengths = lengths});
            if (maps) maps->encoder.push_back(weights);
            return attended;
        });
        x = layer.sub_layer(x, layer.norm2, [&](const Tensor& y) { return layer.feed_forward(y); });
    }
    return {tr_.encoder.norm(x), lengths};
}

Tensor Transformer::decode(const Tensor& ids, const Memory& memory, AttentionMaps* maps) {
    const Scope in(name());
    Tensor x = embed(dst_, ids);
    for (Layer& layer : tr_.decoder.layers) {
        x = layer.sub_layer(x, layer.norm1, [&](const Tensor& y) {
            const auto [attended, weights] = layer.self_attn(y, {.causal = true});
            if (maps) maps->decoder.push_back(weights);
            return attended;
        });
        x = layer.sub_layer(x, layer.norm2, [&](const Tensor& y) {
            const auto [attended, weights] =
                (*layer.multihead_attn)(y, memory.states, {.key_lengths = memory.lengths});
            if (maps) maps->cross.push_back(weights);
            return attended;
        });
        x = layer.sub_layer(x, layer.norm3, [&](const Tensor& y) { return layer.feed_forward(y); });
    }
    return head_(tr_.decoder.norm(x));
}

TransformerSteps::TransformerSteps(Transformer& model, const Transformer::Memory& memory)
    : model_(model), lengths_(memory.lengths) {
    for (auto& layer : model_.tr_.decoder.layers) {
        memory_.push_back(layer.multihead_attn->keys_and_values(memory.states));
        self_.emplace_back();
    }
}

// As decode() for the last position alone.
Tensor TransformerSteps::step(const Tensor& tokens) {
    const Scope in(model_.name());
    const int64_t rows = tokens.size();
    Tensor x = model_.embed(model_.dst_, tokens.view({rows, 1}), position_++);  // [R, 1, D]
    size_t i = 0;
    for (auto& layer : model_.tr_.decoder.layers) {
        x = layer.sub_layer(x, layer.norm1, [&](const Tensor& y) {
            const Tensor now = layer.self_attn.keys_and_values(y);  // [R, 1, 2 D]
            self_[i] = self_[i].defined() ? concat({self_[i], now}, 1) : now;
            return layer.self_attn.attend(y, self_[i]).y;
        });
        x = layer.sub_layer(x, layer.norm2, [&](const Tensor& y) {
            return layer.multihead_attn->attend(y, memory_[i], {.key_lengths = lengths_}).y;
        });
        x = layer.sub_layer(x, layer.norm3, [&](const Tensor& y) { return layer.feed_forward(y); });
        ++i;
    }
    return reshape(model_.head_(model_.tr_.decoder.norm(x)), {rows, model_.options_.target_vocab});
}

void TransformerSteps::reorder(const Tensor& rows) {
    for (auto* caches : {&self_, &memory_})
        for (Tensor& cache : *caches)
            if (cache.defined()) cache = index_select(cache, 0, rows);
    if (!lengths_.defined()) return;
    Tensor lengths = Tensor::empty({rows.size()}, Dtype::i32);
    for (int64_t r = 0; r < rows.size(); ++r)
        lengths.data<int32_t>()[r] = lengths_.data<int32_t>()[rows.data<int32_t>()[r]];
    lengths_ = lengths;
}

}  // namespace gradus::models
