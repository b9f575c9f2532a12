// The transformer (Vaswani et al. 2017), encoder and decoder.
// B batch · S source length · T target length · D model width · H heads · V vocabulary · F feed-forward width
#pragma once

#include <vector>

#include "nn/attention.h"
#include "nn/decode.h"

namespace gradus::models {

struct TransformerOptions {
    int64_t source_vocab = 0, target_vocab = 0;
    int64_t dim = 256, heads = 8, layers = 3, ff = 512;
    int64_t max_length = 64;  // positions
    double dropout = 0;       // on the embeddings and on what each sub-layer adds (section 5.4)
    bool pre_norm = false;    // LN before each sub-layer in place of after it (Xiong et al. 2020)
    bool sinusoidal = false;  // fixed positions (section 3.5) in place of learned ones
    bool shared =
        false;  // one table for both embeddings and the head (section 3.4); one vocabulary
    bool scaled = false;  // embeddings times √D (section 3.4)
};

/// Positions as waves (section 3.5), [count, D]: PE(t, 2i) = sin(t / spread^(2i/D)), PE(t, 2i + 1) = cos(t / spread^(2i/D)).
Tensor sinusoids(int64_t count, int64_t D, double spread = 10000, Dtype dtype = Dtype::f32);

/// Who attends to whom, for each layer: [B, H, T, S].
struct AttentionMaps {
    std::vector<Tensor> encoder, decoder, cross;
};

/// Post-norm, each sub-layer:  x ← LN(x + f(x)),  f = self-attention | attention to the memory | FFN
/// FFN(x) = max(0, x W₁ + b₁) W₂ + b₂  (equation 2)
///
/// Parameters have the names of PyTorch's nn.Transformer: "tr.encoder.layers.0.self_attn.in_proj_weight",
/// "tr.decoder.layers.0.multihead_attn.out_proj.weight", "...linear1.weight", "...norm1.weight",
/// "tr.encoder.norm.weight", and around it "src.weight", "dst.weight", "pos.weight", "head.weight", "head.bias".
class Transformer : public nn::Module {
public:
    explicit Transformer(const TransformerOptions& options);

    struct Memory {
        Tensor states;   // [B, S, D]
        Tensor lengths;  // [B], i32, or undefined
    };
    /// source [B, S], i32. Throws Error for more positions than there are.
    Memory encode(const Tensor& source, const Tensor& lengths = {}, AttentionMaps* maps = nullptr);
    /// Reads ids [B, T] one step on from what it says: logits [B, T, V].
    Tensor decode(const Tensor& ids, const Memory& memory, AttentionMaps* maps = nullptr);
    Tensor operator()(const Tensor& source, const Tensor& lengths, const Tensor& ids) {
        return decode(ids, encode(source, lengths));
    }

    const TransformerOptions& options() const { return options_; }

private:
    friend class TransformerSteps;

    // Self-attention, in the decoder attention to the memory, and the feed-forward network.
    struct Layer : nn::Module {
        nn::MultiheadAttention self_attn;
        std::unique_ptr<nn::MultiheadAttention> multihead_attn;
        nn::Linear linear1, linear2;
        nn::LayerNorm norm1, norm2, norm3;
        nn::Dropout dropout;
        bool pre_norm;

        Layer(const TransformerOptions& options, bool decodes);
        template <class F>
        Tensor sub_layer(const Tensor& x, nn::LayerNorm& norm, F f);
        Tensor feed_forward(const Tensor& x) { return linear2(linear1(x)); }
    };
    struct Stack : nn::Module {
        nn::ModuleList<Layer> layers{*this, "layers"};
        nn::LayerNorm norm;
        Stack(const TransformerOptions& options, bool decodes);
    };
    struct Both : nn::Module {
        Stack encoder, decoder;
        explicit Both(const TransformerOptions& options);
    };

    /// Embeddings of ids [B, T] that stand at positions first, first + 1 ...
    Tensor embed(nn::Embedding& table, const Tensor& ids, int64_t first = 0);

    TransformerOptions options_;
    nn::Embedding src_, dst_;
    Tensor positions_;  // [max_length, D]
    nn::Dropout dropout_;
    Both tr_;
    nn::Linear head_;
};

/// A transformer that says one token after the other: keys and values of past steps are kept. Rows that lie side by side and
/// continue the same sentence, as the hypotheses of a beam search do, attend to one memory.
class TransformerSteps : public nn::StepModel {
public:
    TransformerSteps(Transformer& model, const Transformer::Memory& memory);
    Tensor step(const Tensor& tokens) override;
    void reorder(const Tensor& rows) override;

private:
    void choose_memory();

    Transformer& model_;
    // Keys and values of each layer: of past tokens [R, t, 2 D], of all sentences, and of the N blocks of rows [N, S, 2 D].
    std::vector<Tensor> self_, sentences_, memory_;
    Tensor all_lengths_, lengths_;  // of the sentences, of the blocks [N]; or undefined
    // The sentence of each row [R], that of each block [N], and which row of self_ each row continues [R].
    std::vector<int32_t> sentence_, blocks_, rows_;
    int64_t position_ = 0;
};

}  // namespace gradus::models
