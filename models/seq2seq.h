// The encoder-decoder of recurrent networks, with attention (Bahdanau, Cho, Bengio 2015) and without (Cho et al. 2014).
// B batch · S source length · T target length · E embedding width · H hidden width · K = 2 H · N width of the decoder ·
// V vocabulary
#pragma once

#include <memory>
#include <optional>

#include "nn/attention.h"
#include "nn/decode.h"
#include "nn/recurrent.h"

namespace gradus::models {

struct Seq2SeqOptions {
    int64_t source_vocab = 0, target_vocab = 0;
    int64_t dim = 256;     // E
    int64_t hidden = 256;  // H
    int64_t decoder = 0;   // N: what a dot product compares must be as wide as states, 2 H; 0: H
    Cell cell = Cell::gru;
    std::optional<nn::Score> attention = nn::Score::additive;  // none: one context for all steps
    bool maxout = false;  // the head of the paper's appendix A.2.2 in place of a plain one
    double dropout = 0;   // on the embeddings and before the head
};

/// Encoder, both ways over the source:  h_j = [h→_j ; h←_j]                                    [B, S, K]
/// Start of the decoder:                s_0 = tanh(W_s [h→_S ; h←_1])
/// With attention, equations (4)-(6):   e_ij = score(s_{i-1}, h_j),  α_ij = softmax_j(e_ij),  c_i = Σ_j α_ij h_j
/// Without:                             c_i = [h→_S ; h←_1], the same at every step
/// Decoder:                             s_i = cell([E y_{i-1} ; c_i], s_{i-1})
/// Head:                                logits = W_o [s_i ; c_i ; E y_{i-1}] + b_o
///   or maxout (A.2.2):                 t_i = max of each two of W_t [s_i ; c_i ; E y_{i-1}],  logits = W_o t_i
class Seq2Seq : public nn::Module {
public:
    explicit Seq2Seq(const Seq2SeqOptions& options);

    struct Memory {
        nn::EncoderAttention::Memory states;  // of attention
        Tensor context;                       // [B, K]: the one context, without attention
        nn::RecurrentState start;             // s_0: h, c [B, N]
    };
    Memory encode(const Tensor& source, const Tensor& lengths = {});

    /// Reads ids [B, T], which are one step behind what it says: logits [B, T, V]. `own_share` of the steps read what the
    /// model said itself in place of ids (scheduled sampling, Bengio et al. 2015). `weights` receives α [B, T, S].
    struct Decoding {
        double own_share = 0;
        Rng* rng = nullptr;  // needed for own_share
        Tensor* weights = nullptr;
    };
    Tensor decode(const Tensor& ids, const Memory& memory) {
        return decode(ids, memory, Decoding());
    }
    Tensor decode(const Tensor& ids, const Memory& memory, const Decoding& how);
    Tensor operator()(const Tensor& source, const Tensor& lengths, const Tensor& ids) {
        return decode(ids, encode(source, lengths));
    }

    const Seq2SeqOptions& options() const { return options_; }

private:
    friend class Seq2SeqSteps;
    struct Step {
        nn::RecurrentState state;  // s_i
        Tensor context, weights;   // c_i [B, K], α_i [B, 1, S] or undefined
    };
    Step advance(const Tensor& embedded, const nn::RecurrentState& before, const Memory& memory);
    Tensor head(const Tensor& s, const Tensor& context, const Tensor& embedded);

    Seq2SeqOptions options_;
    nn::Embedding src_, dst_;
    nn::Dropout dropout_;
    std::unique_ptr<nn::Recurrent> enc_;
    nn::Linear bridge_;
    std::unique_ptr<nn::EncoderAttention> attention_;
    nn::RecurrentCell cell_;
    std::unique_ptr<nn::Linear> maxout_;
    nn::Linear head_;
};

/// The decoder that says one token after the other.
class Seq2SeqSteps : public nn::StepModel {
public:
    Seq2SeqSteps(Seq2Seq& model, Seq2Seq::Memory memory);
    Tensor step(const Tensor& tokens) override;
    void reorder(const Tensor& rows) override;
    /// α of the last step, [R, 1, S]; undefined without attention.
    const Tensor& weights() const { return weights_; }

private:
    Seq2Seq& model_;
    Seq2Seq::Memory memory_;
    nn::RecurrentState state_;
    Tensor weights_;
};

}  // namespace gradus::models
