// The two encoder-decoders: PyTorch's figures, decoding a step at a time, learning a batch by heart.
#include <doctest/doctest.h>

#include "models/seq2seq.h"
#include "models/transformer.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

namespace {

const Tensor kSource = Tensor::from<int32_t>({1, 2, 3, 4, 5, 6, 0, 0, 2, 2, 1, 0}, {3, 4});
const Tensor kLengths = Tensor::from<int32_t>({4, 2, 3});
const Tensor kIds = Tensor::from<int32_t>({0, 1, 2, 3, 4, 0, 4, 3, 2, 1, 0, 2, 2, 4, 4}, {3, 5});

template <class Model>
void check_against_torch(Model& model, const std::string& name) {
    const auto torch = test::fixture(name, "translation");
    model.to(Dtype::f64);
    model.load_state_dict(nn::with_prefix_removed(torch, "weights/"));
    for (const auto fused : {Tape::Fused::kernels, Tape::Fused::composed}) {
        model.zero_grad();
        Tape tape(fused);
        const Tensor loss = nn::cross_entropy(
            model(torch.at("source"), torch.at("lengths"), torch.at("ids")), torch.at("targets"));
        tape.backward(loss);
        CHECK(std::abs(loss.item() - torch.at("loss").item()) < 1e-10);
        CHECK(test::wrong_gradients(model, torch, 1e-10) == "");
    }
}

// What a model says step by step is what it says at once; rows follow where reorder() sends them.
template <class Model, class Steps>
void check_steps(Model& model, const Tensor& turned) {
    model.eval();
    const Tensor at_once = model(kSource, kLengths, kIds);  // [3, 5, V]
    const int64_t V = at_once.size(2);
    Steps steps(model, model.encode(kSource, kLengths));
    for (int64_t t = 0; t < 5; ++t) {
        if (t == 2) steps.reorder(turned);
        const int64_t rows = t < 2 ? 3 : turned.size();
        Tensor tokens = Tensor::empty({rows}, Dtype::i32);
        const auto from = [&](int64_t r) { return t < 2 ? r : static_cast<int64_t>(turned.at(r)); };
        for (int64_t r = 0; r < rows; ++r) tokens.set(r, kIds.at(from(r) * 5 + t));
        const Tensor logits = steps.step(tokens);
        for (int64_t r = 0; r < rows; ++r)
            CHECK(test::distance(logits.view({V}, r * V),
                                 at_once.view({V}, (from(r) * 5 + t) * V)) < 1e-5);
    }
}

// To other places, to as many hypotheses of each sentence, to some of one and some of another, to fewer.
template <class Model, class Steps>
void check_steps(Model& model) {
    for (const auto& turned :
         {Tensor::from<int32_t>({2, 0, 1, 2}), Tensor::from<int32_t>({0, 0, 1, 1, 2, 2}),
          Tensor::from<int32_t>({1, 1, 1, 2, 0, 0}), Tensor::from<int32_t>({1, 1})})
        check_steps<Model, Steps>(model, turned);
}

template <class Model>
double loss_after_training(Model& model, int threads) {
    const test::Threads scope(threads);
    nn::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    const Tensor x = slice(kIds.to(Dtype::f32), 1, 0, 4).to(Dtype::i32),
                 y = slice(kIds.to(Dtype::f32), 1, 1, 5).to(Dtype::i32);
    double last = 0;
    for (int step = 0; step < 150; ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(model(kSource, kLengths, x), y);
        tape.backward(loss);
        optimizer.step();
        last = loss.item();
    }
    return last;
}

models::Seq2SeqOptions seq2seq(Cell cell, std::optional<nn::Score> attention, bool maxout = false) {
    return {.source_vocab = 7,
            .target_vocab = 5,
            .dim = 12,
            .hidden = 16,
            .cell = cell,
            .attention = attention,
            .maxout = maxout};
}

const models::TransformerOptions kSmall{.source_vocab = 7,
                                        .target_vocab = 5,
                                        .dim = 16,
                                        .heads = 2,
                                        .layers = 2,
                                        .ff = 24,
                                        .max_length = 6};

}  // namespace

TEST_CASE("transformer: loss and every gradient are PyTorch's, post- and pre-norm") {
    for (const bool pre_norm : {false, true}) {
        models::Transformer model({.source_vocab = 7,
                                   .target_vocab = 9,
                                   .dim = 8,
                                   .heads = 2,
                                   .layers = 2,
                                   .ff = 12,
                                   .max_length = 6,
                                   .pre_norm = pre_norm});
        check_against_torch(model, pre_norm ? "transformer_pre_norm" : "transformer");
    }
}

TEST_CASE("seq2seq: loss and every gradient are those of Bahdanau's network in PyTorch") {
    models::Seq2Seq model({.source_vocab = 7, .target_vocab = 9, .dim = 3, .hidden = 4});
    check_against_torch(model, "bahdanau");
}

TEST_CASE("translation models: a step at a time is the same as all at once") {
    nn::manual_seed(1);
    for (const bool fancy : {false, true}) {
        auto options = kSmall;
        options.pre_norm = options.sinusoidal = options.scaled = fancy;
        models::Transformer model(options);
        check_steps<models::Transformer, models::TransformerSteps>(model);
    }
    for (const Cell cell : {Cell::gru, Cell::lstm, Cell::rnn_tanh})
        for (const auto attention :
             {std::optional(nn::Score::additive), std::optional<nn::Score>()}) {
            models::Seq2Seq model(seq2seq(cell, attention, cell == Cell::lstm));
            check_steps<models::Seq2Seq, models::Seq2SeqSteps>(model);
        }
}

TEST_CASE("seq2seq: a dot product compares states with a decoder as wide as they are") {
    nn::manual_seed(4);
    for (const nn::Score score : {nn::Score::dot, nn::Score::scaled_dot}) {
        auto options = seq2seq(Cell::gru, score, true);
        CHECK(test::contains(test::error_of([&] { models::Seq2Seq model(options); }),
                             "queries as wide as states, not 16 and 32"));
        options.decoder = 32;
        models::Seq2Seq model(options);
        CHECK(model.encode(kSource, kLengths).start.h.shape() == Shape{3, 32});
        check_steps<models::Seq2Seq, models::Seq2SeqSteps>(model);
    }
    auto options = seq2seq(Cell::gru, nn::Score::additive);
    options.decoder = -1;
    CHECK(test::contains(test::error_of([&] { models::Seq2Seq model(options); }),
                         "a decoder of width -1"));
}

TEST_CASE("translation models: learn one batch by heart, with the same bits on 1 and 2 threads") {
    const auto check = [](auto make) {
        nn::manual_seed(1);
        const auto one = make();
        nn::manual_seed(1);
        const auto two = make();
        const double loss = loss_after_training(*one, 1);
        CHECK(loss < 0.05);
        CHECK(loss_after_training(*two, 2) == loss);
    };
    check([] { return std::make_unique<models::Transformer>(kSmall); });
    for (const auto attention : {std::optional(nn::Score::additive),
                                 std::optional(nn::Score::general), std::optional<nn::Score>()})
        check([=] { return std::make_unique<models::Seq2Seq>(seq2seq(Cell::gru, attention)); });
    check([] {
        return std::make_unique<models::Seq2Seq>(seq2seq(Cell::lstm, nn::Score::additive, true));
    });
}

TEST_CASE("translation models: padding changes nothing") {
    nn::manual_seed(2);
    models::Transformer transformer(kSmall);
    models::Seq2Seq recurrent(seq2seq(Cell::gru, nn::Score::additive));
    const Tensor alone = Tensor::from<int32_t>({5, 6}, {1, 2}),
                 ids = Tensor::from<int32_t>({0, 4, 3}, {1, 3}),
                 padded = Tensor::from<int32_t>({5, 6, 1, 3}, {1, 4}),
                 two = Tensor::from<int32_t>({2});
    CHECK(test::distance(transformer(alone, {}, ids), transformer(padded, two, ids)) < 1e-6);
    CHECK(test::distance(recurrent(alone, {}, ids), recurrent(padded, two, ids)) < 1e-6);
}

TEST_CASE(
    "translation models: scheduled sampling reads the model's own words, teacher forcing never") {
    nn::manual_seed(3);
    models::Seq2Seq model(seq2seq(Cell::gru, nn::Score::additive));
    const auto memory = model.encode(kSource, kLengths);
    const Tensor other =
        Tensor::from<int32_t>({0, 3, 3, 3, 3, 0, 1, 1, 1, 1, 0, 4, 4, 4, 4}, {3, 5});
    Rng rng(1);
    // With a share of 1 only the first id counts, which is the same in both.
    CHECK(test::same_bits(model.decode(kIds, memory, {.own_share = 1, .rng = &rng}),
                          model.decode(other, memory, {.own_share = 1, .rng = &rng})));
    CHECK_FALSE(test::same_bits(model.decode(kIds, memory), model.decode(other, memory)));
    Tensor weights;
    model.decode(kIds, memory, {.weights = &weights});
    CHECK(weights.shape() == Shape{3, 5, 4});
    CHECK(test::contains(test::error_of([&] { model.decode(kIds, memory, {.own_share = 2}); }),
                         "0 ... 1"));
}

TEST_CASE(
    "translation models: a file of another architecture, and sentences that are too long, are "
    "refused") {
    models::Transformer transformer(kSmall);
    models::Seq2Seq recurrent(seq2seq(Cell::gru, nn::Score::additive));
    CHECK(
        test::contains(test::error_of([&] { transformer.load_state_dict(recurrent.state_dict()); }),
                       "missing:    tr.encoder"));
    const Tensor eight = Tensor::full({1, 8}, 1, Dtype::i32);
    CHECK(test::contains(test::error_of([&] { transformer.encode(eight); }),
                         "reach position 8, and the model has 6; cut the sentence"));
    CHECK(test::contains(test::error_of([&] {
                             recurrent.encode(Tensor::full({1, 3}, 7, Dtype::i32));
                         }),
                         "id 7"));
    auto shared = kSmall;
    shared.shared = true;
    CHECK(test::contains(test::error_of([&] { models::Transformer model(shared); }),
                         "need one vocabulary"));
}
