// GPT-2 (Radford et al. 2019): a transformer that reads what is there and says what comes next.
// B batch · T time · R rows that are written · D model width · H heads · V vocabulary
#pragma once

#include <vector>

#include "nn/decode.h"
#include "nn/layers.h"

namespace gradus::models {

struct GPTOptions {
    int64_t vocab = 0;
    int64_t context = 1024;  // positions
    int64_t dim = 768, heads = 12, layers = 12;
    double dropout = 0;  // on the embeddings and on what each sub-layer adds
};

/// x = E[w] + P[position];  for each block  x ← x + attention(LN(x)),  x ← x + MLP(LN(x));
/// logits = LN(x) Eᵀ.  MLP(x) = gelu(x W₁ᵀ + b₁) W₂ᵀ + b₂, with GELU by tanh; attention is causal.
///
/// Weights begin as N(0, 0.02), those that write into x (both c_proj) as N(0, 0.02 / √(2 layers)),
/// biases as 0 (section 2.3). The logits are then small, and the first loss is near ln V.
///
/// Parameters have GPT-2's names: "wte.weight", "wpe.weight", "h.0.ln_1.weight",
/// "h.0.attn.c_attn.weight", "h.0.attn.c_proj.weight", "h.0.ln_2.weight", "h.0.mlp.c_fc.weight",
/// "h.0.mlp.c_proj.weight", "ln_f.weight" and their biases. The layers are as all of ours: weights
/// are [out, in]; see gpt2_weights().
class GPT : public nn::Module {
public:
    explicit GPT(const GPTOptions& options);

    /// ids [B, T] (i32) -> logits [B, T, V]. Throws Error for more positions than there are and for
    /// ids that are not in the vocabulary.
    Tensor operator()(const Tensor& ids) { return head(hidden(ids)); }
    /// The states that the head reads, [B, T, D]. `maps` receives who attends to whom in each
    /// layer, [B, H, T, T].
    Tensor hidden(const Tensor& ids, std::vector<Tensor>* maps = nullptr);
    /// h [..., D] -> logits [..., V].
    Tensor head(const Tensor& h);

    const GPTOptions& options() const { return options_; }

private:
    friend class GPTSteps;

    struct Block : nn::Module {
        nn::LayerNorm ln_1;
        nn::Linear qkv, attended;  // attn.c_attn, attn.c_proj
        nn::LayerNorm ln_2;
        nn::Linear up, down;  // mlp.c_fc, mlp.c_proj
        nn::Dropout dropout;

        explicit Block(const GPTOptions& options);
        /// `attend` makes [B, T, D] of queries, keys and values side by side, [B, T, 3 D].
        template <class F>
        Tensor forward(const Tensor& x, F attend);
    };

    /// Of ids [B, T] that stand at positions first, first + 1 ...
    Tensor embed(const Tensor& ids, int64_t first);

    GPTOptions options_;
    nn::Embedding wte_, wpe_;
    nn::Dropout dropout_;
    nn::ModuleList<Block> h_{*this, "h"};
    nn::LayerNorm ln_f_;
};

/// A GPT that writes one token after the other: keys and values of past positions are kept, so that
/// a token costs one pass through the weights.
///
/// It never runs out of positions. Of more ids than `context` at once, only the last `context`
/// count. Where the next ids find no position left, the model begins anew: the last half of
/// `context` with them, or they alone where they are more, are read from position 0 on, and all
/// before that is forgotten.
class GPTSteps : public nn::StepModel {
public:
    explicit GPTSteps(GPT& model);
    Tensor step(const Tensor& tokens) override;
    Tensor read(const Tensor& ids) override;
    void reorder(const Tensor& rows) override;

private:
    Tensor advance(const Tensor& ids);

    GPT& model_;
    std::vector<std::vector<int32_t>> texts_;  // of each row: what stands at the positions
    std::vector<Tensor> cache_;                // of each layer: keys and values [R, context, 2 D]
    int64_t position_ = 0;                     // how many of them are taken
};

/// nn::generate() with a GPT in evaluation mode. Prompts [B, P] longer than the context are read
/// from the end, as GPTSteps says.
Tensor generate(GPT& model, const Tensor& prompts, int64_t count,
                const nn::SamplingOptions& options, Rng& rng,
                const nn::TokenListener& listener = {});

/// The mean loss in nats of ids[1] ... ids[N - 1] (perplexity is its exp). The text is read in windows
/// of `context` ids that overlap by half, so that each id, but for those of the first window, is
/// predicted from half a context before it or more. In evaluation mode, then in the mode as before.
/// Throws Error for fewer than two ids.
double nats_per_token(GPT& model, const Tensor& ids);

/// A GPT with a linear layer on the state at the last token, for fine-tuning:
///
///     GPTClassifier model(options, 2);
///     model.transformer.load_state_dict(pretrained.state_dict());
///
/// Parameters: "transformer.wte.weight" ..., "score.weight" [classes, D].
class GPTClassifier : public nn::Module {
public:
    GPTClassifier(const GPTOptions& options, int64_t classes);

    /// ids [B, T], of which the first lengths[b] (i32, 1 ... T; all without it) are text -> logits
    /// [B, classes].
    Tensor operator()(const Tensor& ids, const Tensor& lengths = {});

    GPT transformer;
    nn::Linear score;
};

/// GPT-2's published files as a state dict for a GPT. They name the same tensors, but their layers
/// compute x W + b, so that what we have as [out, in] lies there as [in, out] and is turned. What
/// is no parameter (causal masks, the tied head, "lm_head.weight") is left out, as is the prefix
/// "transformer." that some of them have. The same function turns a GPT's state dict into what such
/// a file holds.
nn::StateDict gpt2_weights(const nn::StateDict& file);

}  // namespace gradus::models
