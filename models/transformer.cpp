#include "models/transformer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/parallel.h"
#include "nn/init.h"

namespace gradus::models {
Tensor sinusoids(int64_t count, int64_t D, double spread, Dtype dtype) {
    Tensor table = Tensor::empty({count, D}, dtype);
    for (int64_t position = 0; position < count; ++position)
        for (int64_t i = 0; i < D; ++i) {
            const double rate =
                std::pow(spread, -static_cast<double>(i / 2 * 2) / static_cast<double>(D));
            const double angle = static_cast<double>(position) * rate;
            table.set(position * D + i, i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return table;
}

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

// A step longer: row r is row rows[r] of `past` [R', t, W], then row r of `now` [R, 1, W], in one pass.
Tensor grown(const Tensor& past, const std::vector<int32_t>& rows, const Tensor& now) {
    if (!past.defined()) return now;
    const int64_t R = now.size(0), t = past.size(1), W = now.size(2);
    const Tensor longer = Tensor::empty({R, t + 1, W}, now.dtype());
    dispatch("transformer", now.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T *from = past.data<T>(), *last = now.data<T>();
        T* to = Tensor(longer).data<T>();
        parallel_rows(R, (t + 1) * W, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; ++r) {
                T* row = to + r * (t + 1) * W;
                std::copy_n(from + rows[static_cast<size_t>(r)] * t * W, t * W, row);
                std::copy_n(last + r * W, W, row + t * W);
            }
        });
    });
    return longer;
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
    : model_(model), all_lengths_(memory.lengths) {
    for (auto& layer : model_.tr_.decoder.layers) {
        sentences_.push_back(layer.multihead_attn->keys_and_values(memory.states));
        self_.emplace_back();
    }
    sentence_.resize(static_cast<size_t>(memory.states.size(0)));
    std::iota(sentence_.begin(), sentence_.end(), 0);
    memory_ = sentences_, lengths_ = all_lengths_, blocks_ = rows_ = sentence_;
}

// As decode() for the last position alone.
Tensor TransformerSteps::step(const Tensor& tokens) {
    const Scope in(model_.name());
    const int64_t rows = tokens.size(), D = model_.options_.dim;
    const auto blocks = static_cast<int64_t>(blocks_.size());
    Tensor x = model_.embed(model_.dst_, tokens.view({rows, 1}), position_++);  // [R, 1, D]
    size_t i = 0;
    for (auto& layer : model_.tr_.decoder.layers) {
        x = layer.sub_layer(x, layer.norm1, [&](const Tensor& y) {
            self_[i] = grown(self_[i], rows_, layer.self_attn.keys_and_values(y));
            return layer.self_attn.attend(y, self_[i]).y;
        });
        x = layer.sub_layer(x, layer.norm2, [&](const Tensor& y) {
            const Tensor queries = reshape(y, {blocks, rows / blocks, D});
            const Tensor found =
                layer.multihead_attn->attend(queries, memory_[i], {.key_lengths = lengths_}).y;
            return reshape(found, {rows, 1, D});
        });
        x = layer.sub_layer(x, layer.norm3, [&](const Tensor& y) { return layer.feed_forward(y); });
        ++i;
    }
    std::iota(rows_.begin(), rows_.end(), 0);
    return reshape(model_.head_(model_.tr_.decoder.norm(x)), {rows, model_.options_.target_vocab});
}

void TransformerSteps::reorder(const Tensor& rows) {
    std::vector<int32_t> sentence, from;
    for (const int32_t row : rows.values<int32_t>()) {
        check(0 <= row && row < static_cast<int64_t>(sentence_.size()), "transformer",
              "there is no row {} to go on with; 0 ... {} expected", row, sentence_.size() - 1);
        sentence.push_back(sentence_.at(static_cast<size_t>(row)));
        from.push_back(rows_.at(static_cast<size_t>(row)));
    }
    sentence_ = std::move(sentence), rows_ = std::move(from);
    choose_memory();
}

// A block is a run of rows with one sentence; where runs differ in length, each row is a block.
void TransformerSteps::choose_memory() {
    std::vector<int32_t> blocks;
    std::vector<size_t> begins;
    for (size_t r = 0; r < sentence_.size(); ++r)
        if (r == 0 || sentence_[r] != sentence_[r - 1])
            blocks.push_back(sentence_[r]), begins.push_back(r);
    const size_t length = sentence_.size() / blocks.size();
    bool even = blocks.size() * length == sentence_.size();
    for (size_t n = 0; n < begins.size(); ++n) even = even && begins[n] == n * length;
    if (!even) blocks = sentence_;
    if (blocks == blocks_) return;
    blocks_ = std::move(blocks);
    const Tensor chosen = Tensor::from<int32_t>(blocks_);
    for (size_t i = 0; i < memory_.size(); ++i) memory_[i] = index_select(sentences_[i], 0, chosen);
    if (!all_lengths_.defined()) return;
    lengths_ = Tensor::empty({chosen.size()}, Dtype::i32);
    for (int64_t n = 0; n < chosen.size(); ++n)
        lengths_.set(n, all_lengths_.at(static_cast<int64_t>(chosen.at(n))));
}

}  // namespace gradus::models
