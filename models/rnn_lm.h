// The recurrent language model (Mikolov et al. 2010; Zaremba, Sutskever and Vinyals 2014).
#pragma once

#include <memory>

#include "nn/decode.h"
#include "nn/recurrent.h"

namespace gradus::models {

struct RnnLmOptions {
    Cell cell = Cell::lstm;
    int64_t vocab = 0;
    int64_t dim = 256;     // of the embedding
    int64_t hidden = 256;  // of each recurrent layer
    int64_t layers = 1;
    double dropout = 0;  // on the embedding, between the layers, before the head
    bool tied =
        false;  // the head's weight is the embedding's: needs dim == hidden (Press and Wolf 2017)
};

/// x_t = E[w_t],  h_t = cell(x_t, h_{t-1}),  p(w_{t+1} | w_1 ... w_t) = softmax(W h_t + b).
/// Parameters: "emb.weight", "rnn.weight_ih_l0" ..., "head.weight", "head.bias".
class RnnLM : public nn::Module {
public:
    explicit RnnLM(const RnnLmOptions& options);

    struct Output {
        Tensor logits;  // [B, T, V]
        nn::RecurrentState state;
    };
    /// ids [B, T] (i32) and the state that the rows are in. Throws Error for no steps and for ids
    /// that are not in the vocabulary.
    Output operator()(const Tensor& ids, const nn::RecurrentState& state = {},
                      const Tensor& lengths = {});
    /// The hidden states of the last layer, [B, T, H], without the head.
    nn::RecurrentOutput hidden(const Tensor& ids, const nn::RecurrentState& state = {},
                               const Tensor& lengths = {});

    /// Their logits: h [..., H] -> [..., V].
    Tensor head(const Tensor& h);

    const RnnLmOptions& options() const { return options_; }

private:
    RnnLmOptions options_;
    nn::Embedding emb_;
    nn::Dropout dropout_;
    std::unique_ptr<nn::Recurrent> rnn_;
    nn::Linear head_;
};

/// The mean loss in nats of ids[1] ... ids[N - 1], each given all before it (perplexity is its exp).
/// The text is read as one stream, the state carried from the first id to the last. With more `rows`
/// it is cut into that many parts, read side by side, which is faster; each but the first then knows
/// only the 256 ids before it. In evaluation mode, then in the mode as before.
double nats_per_token(RnnLM& model, const Tensor& ids, int64_t rows = 1);

/// The model as one that writes a token after the other; the state stays with it.
class RnnLMSteps : public nn::StepModel {
public:
    explicit RnnLMSteps(RnnLM& model) : model_(model) {}
    Tensor step(const Tensor& tokens) override;
    Tensor read(const Tensor& ids) override;
    void reorder(const Tensor& rows) override;

private:
    RnnLM& model_;
    nn::RecurrentState state_;
};

/// nn::generate() in evaluation mode: `count` tokens after each row of the prompts [B, P]. More rows
/// are faster a token. Throws Error for an empty prompt or an id that is not in the vocabulary.
Tensor generate(RnnLM& model, const Tensor& prompts, int64_t count,
                const nn::SamplingOptions& options, Rng& rng,
                const nn::TokenListener& listener = {});

}  // namespace gradus::models
