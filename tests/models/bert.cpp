#include "models/bert.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/models/ids.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using models::BERT, models::BERTOptions, models::BERTPretraining;
using test::contains, test::distance, test::error_of, test::random_ids;

namespace {

constexpr BERTOptions kSmall{
    .vocab = 11, .positions = 7, .dim = 8, .heads = 2, .layers = 2, .ff = 12};

nn::StateDict torch_file() {
    return nn::load_safetensors(GRADUS_FIXTURES "/bert.safetensors").tensors;
}

nn::StateDict torch_weights(const nn::StateDict& file) {
    return models::bert_weights(nn::with_prefix_removed(file, "weights/"));
}

// PyTorch's gradients by our names.
nn::StateDict gradients(const nn::StateDict& file, const std::string& loss) {
    return nn::with_prefix_added(
        models::bert_weights(nn::with_prefix_removed(file, loss + "/gradients/")), "gradients/");
}

void erase(nn::StateDict& dict, std::string_view prefix) {
    std::erase_if(dict, [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

Tensor pretraining_loss(BERTPretraining& model, const nn::StateDict& data) {
    const Tensor states = model.bert(data.at("ids"), data.at("types"), data.at("lengths"));
    return nn::cross_entropy(model.masked_words(states, data.at("at")), data.at("words")) +
           nn::cross_entropy(model.next_sentence(states), data.at("follows"));
}

}  // namespace

TEST_CASE("bert: BERT's own files load; both losses and every gradient are PyTorch's") {
    const auto torch = torch_file();
    BERTPretraining model(kSmall);
    model.to(Dtype::f64);
    auto weights = torch_weights(torch);
    erase(weights, "classifier");
    model.load_state_dict(weights);
    for (const auto fused : {Tape::Fused::kernels, Tape::Fused::composed}) {
        model.zero_grad();
        Tape tape(fused);
        const Tensor loss = pretraining_loss(model, torch);
        tape.backward(loss);
        CHECK(std::abs(loss.item() - torch.at("pretraining/loss").item()) < 1e-10);
        CHECK(test::wrong_gradients(model, gradients(torch, "pretraining"), 1e-10) == "");
    }
}

TEST_CASE("bert: a classifier's loss and every gradient are PyTorch's") {
    const auto torch = torch_file();
    models::BERTClassifier model(kSmall, 3);
    model.to(Dtype::f64);
    auto weights = torch_weights(torch);
    erase(weights, "cls.");
    model.load_state_dict(weights);
    Tape tape;
    const Tensor loss = nn::cross_entropy(
        model(torch.at("ids"), torch.at("types"), torch.at("lengths")), torch.at("labels"));
    tape.backward(loss);
    CHECK(std::abs(loss.item() - torch.at("classifier/loss").item()) < 1e-10);
    CHECK(test::wrong_gradients(model, gradients(torch, "classifier"), 1e-10) == "");
}

TEST_CASE("bert: a pretrained encoder moves into a classifier as it is") {
    nn::manual_seed(1);
    BERTPretraining pretrained(kSmall);
    models::BERTClassifier classifier(kSmall, 2);
    classifier.bert.load_state_dict(pretrained.bert.state_dict());
    const Tensor ids = random_ids({2, 5});
    CHECK(test::same_bits(classifier.bert(ids), pretrained.bert(ids)));
    CHECK(classifier(ids).shape() == Shape{2, 2});
}

TEST_CASE(
    "bert: a classifier that reads the mean reads all tokens of a row alike, and no padding") {
    models::BERTClassifier classifier(kSmall, 2, models::Reads::mean);
    const Tensor alone = Tensor::from<int32_t>({5, 6, 2}, {1, 3}),
                 padded = Tensor::from<int32_t>({5, 6, 2, 9, 1}, {1, 5}),
                 three = Tensor::from<int32_t>({3});
    const Tensor state = mean(classifier.bert(alone), {1});
    const Tensor expected = classifier.classifier(state);
    CHECK(distance(classifier(alone), expected) < 1e-6);
    CHECK(distance(classifier(padded, {}, three), expected) < 1e-6);
    CHECK(distance(classifier(padded), expected) > 1e-4);
    models::BERTClassifier usual(kSmall, 2);
    usual.load_state_dict(classifier.state_dict());
    CHECK(distance(usual(alone), expected) > 1e-4);
}

TEST_CASE("bert: begins with a loss near ln V and one near ln 2") {
    nn::manual_seed(1);
    BERTPretraining model(
        {.vocab = 500, .positions = 32, .dim = 96, .heads = 3, .layers = 3, .ff = 192});
    const Tensor states = model.bert(random_ids({8, 32}, 500));
    const Tensor masked = nn::cross_entropy(model.masked_words(states, random_ids({100}, 256)),
                                            random_ids({100}, 500, 2));
    CHECK(masked.item() == doctest::Approx(std::log(500)).epsilon(0.02));
    const Tensor next = nn::cross_entropy(model.next_sentence(states), random_ids({8}, 2));
    CHECK(next.item() == doctest::Approx(std::log(2)).epsilon(0.1));
}

TEST_CASE("bert: weights begin within two standard deviations of 0, biases and norms as they are") {
    nn::manual_seed(1);
    BERTPretraining model(
        {.vocab = 300, .positions = 16, .dim = 64, .heads = 2, .layers = 1, .ff = 96});
    for (const auto& entry : model.state_dict()) {
        const std::string& name = entry.first;
        const Tensor& x = entry.second;
        CAPTURE(name);
        if (x.rank() == 2) {
            CHECK(max(abs(x)).item() <= 0.04);
            if (x.size() > 1000)  // 0.88 of a normal distribution's deviation is left
                CHECK(std::sqrt(mean(square(x)).item()) == doctest::Approx(0.0176).epsilon(0.05));
        } else {
            const double expected = name.ends_with("LayerNorm.weight") ? 1 : 0;
            CHECK(distance(x, Tensor::full(x.shape(), expected)) == 0);
        }
    }
}

TEST_CASE("bert: learns one batch by heart, with the same bits on 1 and 2 threads") {
    double losses[2];
    nn::StateDict data{{"ids", random_ids({6, 10})},
                       {"types", random_ids({6, 10}, 2, 2)},
                       {"lengths", Tensor::from<int32_t>({10, 4, 7, 10, 9, 8})},
                       {"at", Tensor::from<int32_t>({0, 3, 12, 24, 35, 47, 51})},
                       {"words", random_ids({7}, 11, 3)},
                       {"follows", random_ids({6}, 2, 4)}};
    for (const int threads : {1, 2}) {
        const test::Threads scope(threads);
        nn::manual_seed(1);
        BERTPretraining model({.vocab = 11,
                               .positions = 10,
                               .dim = 32,
                               .heads = 2,
                               .layers = 2,
                               .ff = 48,
                               .dropout = 0.02});
        nn::AdamW optimizer(model.parameters(), {.lr = 3e-3});
        for (int step = 0; step < 150; ++step) {
            optimizer.zero_grad();
            Tape tape;
            tape.backward(pretraining_loss(model, data));
            optimizer.step();
        }
        model.eval();
        losses[threads - 1] = pretraining_loss(model, data).item();
    }
    CHECK(losses[0] < 0.05);
    CHECK(losses[0] == losses[1]);
}

TEST_CASE("bert: padding changes nothing, what a token's type is does") {
    BERT model(kSmall);
    const Tensor alone = Tensor::from<int32_t>({5, 6, 2}, {1, 3}),
                 padded = Tensor::from<int32_t>({5, 6, 2, 9, 1}, {1, 5}),
                 three = Tensor::from<int32_t>({3});
    const Tensor states = model(alone), part = slice(model(padded, {}, three), 1, 0, 3);
    CHECK(distance(states, part) < 1e-6);
    CHECK(distance(states, slice(model(padded), 1, 0, 3)) > 1e-4);
    CHECK(test::same_bits(states, model(alone, Tensor::full({1, 3}, 0, Dtype::i32))));
    CHECK(distance(states, model(alone, Tensor::full({1, 3}, 1, Dtype::i32))) > 1e-4);
    std::vector<Tensor> maps;
    model(padded, {}, three, &maps);
    REQUIRE(maps.size() == 2);
    CHECK(maps[1].shape() == Shape{1, 2, 5, 5});
    CHECK(max(slice(maps[1], 3, 3, 5)).item() == 0);
}

TEST_CASE("bert: a masked word's logits are those of its state among all") {
    BERTPretraining model(kSmall);
    const Tensor states = model.bert(random_ids({2, 4}));
    const Tensor all = model.masked_words(states, Tensor::from<int32_t>({0, 1, 2, 3, 4, 5, 6, 7}));
    const Tensor some = model.masked_words(states, Tensor::from<int32_t>({6, 1}));  // [2, V]
    CHECK(distance(some, index_select(all, 0, Tensor::from<int32_t>({6, 1}))) < 1e-6);
}

TEST_CASE("bert: errors name what was found and what is expected") {
    BERTPretraining model(kSmall);
    BERT& bert = model.bert;
    CHECK(contains(error_of([&] {
                       bert(random_ids({2, 8}));
                   }),
                   "reach position 8, and the model has 7; cut the text"));
    const Tensor outside = Tensor::from<int32_t>({1, 11}, {1, 2});
    CHECK(contains(error_of([&] { bert(outside); }),
                   "id 11 at position 1 is out of range (0 ... 10"));
    CHECK(contains(error_of([&] { bert(outside); }), "... in bert.embeddings.word_embeddings"));
    CHECK(contains(error_of([&] {
                       bert(random_ids({1, 2}), Tensor::from<int32_t>({0, 2}, {1, 2}));
                   }),
                   "id 2 at position 1 is out of range (0 ... 1"));
    CHECK(contains(error_of([&] {
                       bert(random_ids({1, 2}), random_ids({1, 3}));
                   }),
                   "types: have shape [1, 3], ids [1, 2]; the same expected"));
    CHECK(contains(error_of([&] { bert(random_ids({2})); }), "[B, T] with at least one step"));
    CHECK(contains(error_of([&] {
                       model.masked_words(bert(random_ids({1, 2})), Tensor::from<int32_t>({2}));
                   }),
                   "id 2 at position 0 is out of range (0 ... 1"));
    CHECK(contains(error_of([] { BERT({.vocab = 5, .dim = 8, .heads = 3}); }),
                   "a width of 8 does not divide into 3 heads"));
    CHECK(contains(error_of([] { BERT({.vocab = 0}); }), "a vocabulary of 0 tokens"));
    CHECK(contains(error_of([&] { model.load_state_dict(bert.state_dict()); }),
                   "missing:    bert.embeddings.LayerNorm.bias [8] f32"));
}
