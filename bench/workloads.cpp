#include "bench/workloads.h"

#include <algorithm>

#include "autograd/ops.h"
#include "models/bert.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/rnn_lm.h"
#include "models/seq2seq.h"
#include "models/transformer.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::bench {
namespace {

Workload mlp_mnist(const Sizes& size) {
    const int64_t batch = size.at("batch"), dim = size.at("dim");
    auto model = std::make_shared<models::MLP>(std::vector<int64_t>{784, dim, dim, 10});
    Rng rng(1);
    const Tensor x = rng.normal({batch, 784}), y = Tensor::empty({batch}, Dtype::i32);
    for (int64_t i = 0; i < batch; ++i) Tensor(y).set(i, static_cast<double>(rng.below(10)));
    return {.parameters = model->named_parameters(),
            .data = {{"x", x}, {"y", y}},
            .loss = [model = model.get(), x, y] { return nn::cross_entropy((*model)(x), y); },
            .tokens = batch,
            .model = model};
}

Tensor random_ids(Rng& rng, const Shape& shape, int64_t count) {
    Tensor ids = Tensor::empty(shape, Dtype::i32);
    for (int64_t i = 0; i < ids.size(); ++i)
        ids.data<int32_t>()[i] = static_cast<int32_t>(rng.below(count));
    return ids;
}

// A language model on random ids; logits(model, x) are [B, T, V], and Steps goes on with a text.
template <class Steps, class Model, class Logits>
Workload language_model(std::shared_ptr<Model> model, const Sizes& size, Logits logits) {
    const int64_t batch = size.at("batch"), time = size.at("time"), vocab = size.at("vocab");
    Rng rng(1);
    const Tensor x = random_ids(rng, {batch, time}, vocab),
                 y = random_ids(rng, {batch, time}, vocab);
    return {.parameters = model->named_parameters(),
            .data = {{"x", x}, {"y", y}},
            .loss = [model = model.get(), x, y,
                     logits] { return nn::cross_entropy(logits(*model, x), y); },
            .tokens = batch * time,
            .model = model,
            .writer = [model = model.get()] { return std::make_unique<Steps>(*model); }};
}

template <Cell cell>
Workload recurrent_lm(const Sizes& size) {
    return language_model<models::RnnLMSteps>(
        std::make_shared<models::RnnLM>(models::RnnLmOptions{.cell = cell,
                                                             .vocab = size.at("vocab"),
                                                             .dim = size.at("dim"),
                                                             .hidden = size.at("dim"),
                                                             .layers = size.at("layers")}),
        size, [](models::RnnLM& model, const Tensor& x) { return model(x).logits; });
}

Workload gpt(const Sizes& size) {
    return language_model<models::GPTSteps>(
        std::make_shared<models::GPT>(models::GPTOptions{.vocab = size.at("vocab"),
                                                         .context = size.at("time"),
                                                         .dim = size.at("dim"),
                                                         .heads = size.at("heads"),
                                                         .layers = size.at("layers")}),
        size, [](models::GPT& model, const Tensor& x) { return model(x); });
}

// One step of translation on random ids.
template <class Model>
Workload translation(std::shared_ptr<Model> model, const Sizes& size) {
    const int64_t batch = size.at("batch"), time = size.at("time"), vocab = size.at("vocab");
    Rng rng(1);
    const Tensor source = random_ids(rng, {batch, time}, vocab),
                 x = random_ids(rng, {batch, time}, vocab),
                 y = random_ids(rng, {batch, time}, vocab);
    return {.parameters = model->named_parameters(),
            .data = {{"source", source}, {"x", x}, {"y", y}},
            .loss = [model = model.get(), source, x,
                     y] { return nn::cross_entropy((*model)(source, {}, x), y); },
            .tokens = batch * time,
            .model = model};
}

Workload bahdanau(const Sizes& size) {
    const int64_t vocab = size.at("vocab"), dim = size.at("dim");
    return translation(
        std::make_shared<models::Seq2Seq>(models::Seq2SeqOptions{
            .source_vocab = vocab, .target_vocab = vocab, .dim = dim, .hidden = dim}),
        size);
}

Workload transformer(const Sizes& size) {
    const int64_t vocab = size.at("vocab");
    return translation(std::make_shared<models::Transformer>(
                           models::TransformerOptions{.source_vocab = vocab,
                                                      .target_vocab = vocab,
                                                      .dim = size.at("dim"),
                                                      .heads = size.at("heads"),
                                                      .layers = size.at("layers"),
                                                      .ff = size.at("ff")}),
                       size);
}

// BERT's masked words: 15 % of the positions, on which alone the head runs. Nothing trains the pooler.
Workload masked_lm(const Sizes& size) {
    const int64_t batch = size.at("batch"), time = size.at("time"), vocab = size.at("vocab"),
                  dim = size.at("dim"), masked = batch * time * 15 / 100;
    auto model =
        std::make_shared<models::BERTPretraining>(models::BERTOptions{.vocab = vocab,
                                                                      .positions = time,
                                                                      .dim = dim,
                                                                      .heads = size.at("heads"),
                                                                      .layers = size.at("layers"),
                                                                      .ff = 4 * dim});
    Rng rng(1);
    const Tensor x = random_ids(rng, {batch, time}, vocab), y = random_ids(rng, {masked}, vocab),
                 order = rng.permutation(batch * time);
    Tensor at = Tensor::empty({masked}, Dtype::i32);
    std::copy_n(order.data<int32_t>(), masked, at.data<int32_t>());
    return {.parameters = model->named_parameters(),
            .data = {{"x", x}, {"y", y}, {"at", at}},
            .loss = [model = model.get(), x, y,
                     at] { return nn::cross_entropy(model->masked_words(model->bert(x), at), y); },
            .tokens = batch * time,
            .model = model};
}

// `ops` tiny ops on a vector of `dim` elements: the cost of the tape itself.
Workload tiny_graph(const Sizes& size) {
    const int64_t ops = size.at("ops");
    const Tensor w = Rng(1).normal({size.at("dim")}).requires_grad();
    return {.parameters = {{"w", w}},
            .data = {},
            .loss =
                [w, ops] {
                    Tensor x = w;
                    for (int64_t i = 0; i < ops / 2; ++i) x = tanh(x * w);
                    return sum(x);
                },
            .tokens = ops,
            .clips = false};
}

}  // namespace

const std::map<std::string, Kind>& workloads() {
    static const std::map<std::string, Kind> all{
        {"mlp-mnist",
         {"784-dim-dim-10 with ReLU on random images", {{"batch", 128}, {"dim", 1200}}, mlp_mnist}},
        {"rnn-lm",
         {"embedding, tanh RNN, softmax",
          {{"batch", 32}, {"time", 64}, {"dim", 256}, {"layers", 1}, {"vocab", 64}},
          recurrent_lm<Cell::rnn_tanh>}},
        {"gru-lm",
         {"embedding, GRU, softmax",
          {{"batch", 32}, {"time", 64}, {"dim", 256}, {"layers", 1}, {"vocab", 64}},
          recurrent_lm<Cell::gru>}},
        {"lstm-lm",
         {"embedding, two LSTM layers, softmax",
          {{"batch", 32}, {"time", 64}, {"dim", 256}, {"layers", 2}, {"vocab", 64}},
          recurrent_lm<Cell::lstm>}},
        {"lstm-word",
         {"two LSTM layers under a softmax over words",
          {{"batch", 20}, {"time", 35}, {"dim", 512}, {"layers", 2}, {"vocab", 10000}},
          recurrent_lm<Cell::lstm>}},
        {"bahdanau",
         {"GRU encoder both ways, additive attention, GRU decoder",
          {{"batch", 64}, {"time", 20}, {"dim", 256}, {"vocab", 4000}},
          bahdanau}},
        {"transformer",
         {"encoder and decoder of three layers, post-norm",
          {{"batch", 64},
           {"time", 20},
           {"dim", 256},
           {"layers", 3},
           {"heads", 8},
           {"ff", 512},
           {"vocab", 4000}},
          transformer}},
        {"bert-mlm",
         {"BERT's masked words",
          {{"batch", 32}, {"time", 64}, {"dim", 256}, {"layers", 4}, {"heads", 4}, {"vocab", 8000}},
          masked_lm}},
        {"gpt-char",
         {"GPT-2's architecture over characters",
          {{"batch", 12}, {"time", 64}, {"dim", 128}, {"layers", 4}, {"heads", 4}, {"vocab", 65}},
          gpt}},
        {"gpt-baby",
         {"the same, wider and deeper",
          {{"batch", 4}, {"time", 256}, {"dim", 384}, {"layers", 6}, {"heads", 6}, {"vocab", 65}},
          gpt}},
        {"gpt2-124m",
         {"the smallest GPT-2",
          {{"batch", 4},
           {"time", 64},
           {"dim", 768},
           {"layers", 12},
           {"heads", 12},
           {"vocab", 50257}},
          gpt}},
        {"tiny-graph",
         {"a chain of tiny multiplications and tanh", {{"dim", 16}, {"ops", 500}}, tiny_graph}},
    };
    return all;
}

}  // namespace gradus::bench
