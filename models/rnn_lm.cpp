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

// In evaluation mode while it lives, then in the mode as before.
class Evaluating {
public:
    explicit Evaluating(nn::Module& model) : model_(model), before_(model.training()) {
        model.eval();
    }
    ~Evaluating() { model_.train(before_); }
    Evaluating(const Evaluating&) = delete;
    Evaluating& operator=(const Evaluating&) = delete;

private:
    nn::Module& model_;
    bool before_;
};

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
    const Evaluating evaluating(model);
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

Tensor generate(RnnLM& model, const Tensor& prompts, int64_t count,
                const nn::SamplingOptions& options, Rng& rng) {
    check(prompts.rank() == 2 && prompts.size(0) > 0 && prompts.size(1) > 0, "generate",
          "prompts have shape {}; [B, P] with at least one token to begin with expected",
          prompts.shape());
    check(count >= 0, "generate", "{} tokens; 0 or more expected", count);
    const Evaluating evaluating(model);
    const int64_t rows = prompts.size(0);
    Tensor tokens = Tensor::empty({rows, count}, Dtype::i32);
    Tensor ids = prompts;  // [B, P], then [B, 1]
    nn::RecurrentState state;
    for (int64_t step = 0; step < count; ++step) {
        const RnnLM::Output output = model(ids, state);
        state = output.state;
        const int64_t vocab = output.logits.size(2);
        const Tensor last = slice(output.logits, 1, -1, output.logits.size(1));
        ids = nn::sample(last.view({rows, vocab}), options, rng).view({rows, 1});
        for (int64_t b = 0; b < rows; ++b)
            tokens.data<int32_t>()[b * count + step] = ids.data<int32_t>()[b];
    }
    return tokens;
}

}  // namespace gradus::models
