#include "models/rnn_lm.h"

#include <algorithm>
#include <cmath>

#include "nn/init.h"

namespace gradus::models {
namespace {

constexpr int64_t kPiece = 64;    // ids of each row that evaluation reads at once
constexpr int64_t kWarmUp = 256;  // ids that it reads before a row, to know the state

RnnLmOptions checked(const RnnLmOptions& options) {
    check(options.vocab > 0 && options.dim > 0, "rnn_lm",
          "a vocabulary of {} tokens and embeddings of {} numbers; at least 1 of each expected",
          options.vocab, options.dim);
    check(!options.tied || options.dim == options.hidden, "rnn_lm",
          "a tied head needs embeddings as wide as the hidden layer: dim is {}, hidden is {}",
          options.dim, options.hidden);
    return options;
}

std::unique_ptr<nn::Recurrent> make_rnn(const RnnLmOptions& options) {
    const nn::RecurrentOptions layers{.layers = options.layers, .dropout = options.dropout};
    switch (options.cell) {
        case Cell::lstm:
            return std::make_unique<nn::LSTM>(options.dim, options.hidden, layers);
        case Cell::gru:
            return std::make_unique<nn::GRU>(options.dim, options.hidden, layers);
        case Cell::rnn_relu:
            return std::make_unique<nn::RNN>(options.dim, options.hidden, layers,
                                             nn::Nonlinearity::relu);
        default:
            return std::make_unique<nn::RNN>(options.dim, options.hidden, layers,
                                             nn::Nonlinearity::tanh);
    }
}

// -Σ log softmax(logits)[target] over the targets that count.
double sum_of_losses(const Tensor& logits, const Tensor& targets) {
    const auto values = targets.values<int32_t>();
    const auto counted =
        std::count_if(values.begin(), values.end(), [](int32_t y) { return y >= 0; });
    return counted == 0
               ? 0
               : softmax_cross_entropy(logits, targets).item() * static_cast<double>(counted);
}

// Zeros in the state of row 0.
void forget_first_row(nn::RecurrentState& state) {
    for (const Tensor& s : {state.h, state.c}) {
        if (!s.defined()) continue;
        const int64_t layers = s.size(0), row = s.size(2);  // [L, B, H]
        for (int64_t layer = 0; layer < layers; ++layer)
            s.view({row}, layer * s.size(1) * row).fill(0);
    }
}

}  // namespace

RnnLM::RnnLM(const RnnLmOptions& options)
    : Module("rnn_lm"),
      options_(checked(options)),
      emb_(options.vocab, options.dim),
      dropout_(options.dropout),
      rnn_(make_rnn(options)),
      head_(options.hidden, options.vocab) {
    children({{"emb", emb_}, {"dropout", dropout_}, {"rnn", *rnn_}, {"head", head_}});
    if (options.tied) {
        // Read as a head, rows of length 1 keep the first logits near 0 and the first loss near ln V.
        nn::init::normal(emb_.weight, 0, 1 / std::sqrt(static_cast<double>(options.dim)));
        head_.weight = emb_.weight;
    }
}

nn::RecurrentOutput RnnLM::hidden(const Tensor& ids, const nn::RecurrentState& state,
                                  const Tensor& lengths) {
    Scope in(name());
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [B, T] with at least one step expected", ids.shape());
    return (*rnn_)(dropout_(emb_(ids)), state, lengths);
}

RnnLM::Output RnnLM::operator()(const Tensor& ids, const nn::RecurrentState& state,
                                const Tensor& lengths) {
    const auto [y, next] = hidden(ids, state, lengths);  // [B, T, H]
    return {head(y), next};
}

Tensor RnnLM::head(const Tensor& h) {
    Scope in(name());
    return head_(dropout_(h));
}

double nats_per_token(RnnLM& model, const Tensor& ids, int64_t rows) {
    check(ids.rank() == 1 && ids.size() >= 2, "nats_per_token",
          "ids have shape {}; a text of at least two, [N], expected", ids.shape());
    check(rows >= 1, "nats_per_token", "{} rows; at least 1 expected", rows);
    const int64_t predictions = ids.size() - 1, length = (predictions + rows - 1) / rows;
    const int64_t warm_up = rows > 1 ? std::min(kWarmUp, length) : 0;

    // Row r predicts what follows ids r length ... (r + 1) length - 1, with the ids before them read.
    const nn::Evaluating scope(model);
    const int32_t* text = ids.data<int32_t>();
    double nats = 0;
    nn::RecurrentState state;
    for (int64_t begin = -warm_up, time; begin < length; begin += time) {
        time = std::min(kPiece, (begin < 0 ? 0 : length) - begin);
        Tensor x = Tensor::full({rows, time}, 0, Dtype::i32);
        Tensor y = Tensor::full({rows, time}, CrossEntropy{}.ignore_index, Dtype::i32);
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t t = 0; t < time; ++t) {
                const int64_t at = r * length + begin + t;
                if (at < 0 || at >= predictions) continue;
                x.data<int32_t>()[r * time + t] = text[at];
                if (begin >= 0) y.data<int32_t>()[r * time + t] = text[at + 1];
            }
        if (begin == 0) forget_first_row(state);  // nothing stands before the text
        const RnnLM::Output output = model(x, state);
        state = output.state;
        nats += sum_of_losses(output.logits, y);
    }
    return nats / static_cast<double>(predictions);
}

Tensor RnnLMSteps::step(const Tensor& tokens) {
    check(tokens.rank() == 1, "ids", "have shape {}; [R] expected", tokens.shape());
    return read(tokens.view({tokens.size(), 1}));
}

Tensor RnnLMSteps::read(const Tensor& ids) {
    const auto [y, next] = model_.hidden(ids, state_);  // [R, T, H]
    state_ = next;
    const Tensor last = slice(y, 1, -1, y.size(1));  // [R, 1, H]
    return model_.head(reshape(last, {ids.size(0), y.size(2)}));
}

void RnnLMSteps::reorder(const Tensor& rows) {
    for (Tensor* s : {&state_.h, &state_.c})
        if (s->defined()) *s = index_select(*s, 1, rows);  // [L, R, H]
}

Tensor generate(RnnLM& model, const Tensor& prompts, int64_t count,
                const nn::SamplingOptions& options, Rng& rng, const nn::TokenListener& listener) {
    const nn::Evaluating scope(model);
    RnnLMSteps steps(model);
    return nn::generate(steps, prompts, count, options, rng, listener);
}

}  // namespace gradus::models
