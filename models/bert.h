// BERT (Devlin et al. 2019): a transformer encoder that sees both sides of a word.
// B batch · T time · D model width · H heads · F feed-forward width · V vocabulary · n masked words
#pragma once

#include <vector>

#include "nn/layers.h"

namespace gradus::models {

struct BERTOptions {
    int64_t vocab = 0;
    int64_t positions = 512;
    int64_t types = 2;  // of tokens: first sentence, second sentence
    int64_t dim = 768, heads = 12, layers = 12, ff = 3072;
    double dropout = 0;  // on the embeddings and on what each sub-layer adds
};

/// x = LN(E[w] + P[position] + S[type]);  for each layer  x ← LN(x + attention(x)),
/// x ← LN(x + FFN(x));  FFN(x) = gelu(x W₁ᵀ + b₁) W₂ᵀ + b₂, with GELU exact. The eps of all layer
/// norms is 1e-12.
///
/// Weights begin as N(0, 0.02) cut at two standard deviations, biases as 0: the authors' choice.
///
/// Parameters have BERT's names: "embeddings.word_embeddings.weight",
/// "embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight",
/// "embeddings.LayerNorm.weight", "encoder.layer.0.attention.self.query.weight" (key, value),
/// "encoder.layer.0.attention.output.dense.weight", "...attention.output.LayerNorm.weight",
/// "...intermediate.dense.weight", "...output.dense.weight", "...output.LayerNorm.weight",
/// "pooler.dense.weight" and their biases.
class BERT : public nn::Module {
public:
    explicit BERT(const BERTOptions& options);

    /// ids [B, T] (i32), their types [B, T] (i32; undefined: all 0), and how many of each row are
    /// text, lengths [B] (i32; undefined: all) -> states [B, T, D]. `maps` receives who attends to
    /// whom in each layer, [B, H, T, T]. Throws Error for more positions than there are and for ids
    /// or types that do not exist.
    Tensor operator()(const Tensor& ids, const Tensor& types = {}, const Tensor& lengths = {},
                      std::vector<Tensor>* maps = nullptr);
    /// What stands for a row as a whole: tanh(x_0 Wᵀ + b), [B, T, D] -> [B, D].
    Tensor pool(const Tensor& states);

    const BERTOptions& options() const { return options_; }

private:
    friend class BERTPretraining;

    struct Layer : nn::Module {
        nn::Linear query, key, value, attended;
        nn::LayerNorm attended_norm;
        nn::Linear up, down;
        nn::LayerNorm norm;
        nn::Dropout dropout;
        int64_t heads;

        explicit Layer(const BERTOptions& options);
        Tensor forward(const Tensor& x, const AttentionMask& mask, std::vector<Tensor>* maps);
    };

    BERTOptions options_;
    nn::Embedding words_, positions_, types_;
    nn::LayerNorm norm_;
    nn::Dropout dropout_;
    nn::ModuleList<Layer> layers_{*this, "encoder.layer"};
    nn::Linear pooler_;
};

/// A BERT with the two heads that it is pretrained with (section 3.1):
///
///     const Tensor states = model.bert(ids, types, lengths);
///     const Tensor loss = nn::cross_entropy(model.masked_words(states, at), words) +
///                         nn::cross_entropy(model.next_sentence(states), follows);
///
/// Parameters: "bert.embeddings.word_embeddings.weight" ...,
/// "cls.predictions.transform.dense.weight", "cls.predictions.transform.LayerNorm.weight",
/// "cls.predictions.bias" [V], "cls.seq_relationship.weight" [2, D] and biases.
class BERTPretraining : public nn::Module {
public:
    explicit BERTPretraining(const BERTOptions& options);

    /// logits = LN(gelu(x Wᵀ + b)) Eᵀ + c, for the states x of the masked words alone: states
    /// [B, T, D] and where those are, at [n] (i32; token t of row b is b T + t) -> [n, V].
    Tensor masked_words(const Tensor& states, const Tensor& at);
    /// Is the second sentence the one that follows the first? [B, T, D] -> logits [B, 2]; 0 is yes,
    /// as in the published weights.
    Tensor next_sentence(const Tensor& states);

    BERT bert;

private:
    nn::Linear transform_;
    nn::LayerNorm norm_;
    Tensor bias_;  // [V]
    nn::Linear next_;
};

/// What a classifier reads of a row: the pooled state of [CLS], as BERT's authors do (section 4.1), or the
/// mean of the states of all its tokens (Reimers and Gurevych 2019, section 3).
enum class Reads { cls, mean };

/// A BERT with a linear layer on what it reads, for fine-tuning:
///
///     BERTClassifier model(options, 2);
///     model.bert.load_state_dict(pretrained.bert.state_dict());
///
/// Parameters: "bert.embeddings.word_embeddings.weight" ..., "classifier.weight" [classes, D],
/// "classifier.bias".
class BERTClassifier : public nn::Module {
public:
    BERTClassifier(const BERTOptions& options, int64_t classes, Reads reads = Reads::cls);

    /// As BERT, to logits [B, classes].
    Tensor operator()(const Tensor& ids, const Tensor& types = {}, const Tensor& lengths = {});

    BERT bert;
    nn::Linear classifier;

private:
    Reads reads_;
    nn::Dropout dropout_;
};

/// BERT's published files as a state dict for a BERTPretraining: older ones call a layer norm's
/// weight and bias "gamma" and "beta"; what is no parameter of its own (position ids, the tied
/// decoder) is left out.
nn::StateDict bert_weights(const nn::StateDict& file);

}  // namespace gradus::models
