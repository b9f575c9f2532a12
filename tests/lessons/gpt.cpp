#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "lessons/13-gpt/chains.h"
#include "lessons/13-gpt/order.h"
#include "lessons/13-gpt/writing.h"
#include "nn/init.h"
#include "tests/data/temporary.h"
#include "tests/models/ids.h"

using namespace gradus;
using namespace gradus::lesson13;
using test::contains, test::error_of;

namespace {

constexpr const char* kText =
    "one two three four five six seven eight nine ten eleven twelve\n"
    "one and two and three and four and five and six and seven and eight\n";

data::Bpe tokenizer() { return data::Bpe::train({kText}, {.size = 270, .min_count = 1}); }

models::GPTOptions small(const data::Bpe& bpe) {
    return {.vocab = bpe.size(), .context = 8, .dim = 64, .heads = 2, .layers = 2};
}

std::string written(models::GPT& model, const data::Bpe& bpe, const std::string& prompt,
                    const Writing& writing) {
    std::string text;
    write_text(model, bpe, prompt, writing, 1, [&](std::string_view part) { text += part; });
    return text;
}

}  // namespace

TEST_CASE("lesson 13: writing goes on past the context, and ends before a stop string") {
    nn::manual_seed(1);
    const data::Bpe bpe = tokenizer();
    models::GPT model(small(bpe));
    Writing writing{.tokens = 30, .sampling = {.temperature = 1}, .stops = {}};
    const std::string all = written(model, bpe, "one two three four five six", writing);
    CHECK(all.size() >= 30);
    const std::string stop = all.substr(12, 4);
    writing.stops = {stop};
    CHECK(written(model, bpe, "one two three four five six", writing) ==
          all.substr(0, all.find(stop)));
}

TEST_CASE("lesson 13: what it cannot write with is an error") {
    nn::manual_seed(1);
    const data::Bpe bpe = tokenizer();
    models::GPT model(small(bpe)),
        other(models::GPTOptions{.vocab = 300, .context = 8, .dim = 64, .heads = 2, .layers = 2});
    CHECK(contains(error_of([&] { written(model, bpe, "", {}); }), "the prompt is empty"));
    CHECK(contains(error_of([&] { written(other, bpe, "one", {}); }),
                   "the tokenizer has 270 tokens, the model 300"));
    CHECK(contains(error_of([&] {
                       written(model, bpe, "one", {.sampling = {.temperature = -1}, .stops = {}});
                   }),
                   "temperature"));
    CHECK(contains(error_of([&] { written(model, bpe, "one", {.sampling = {}, .stops = {""}}); }),
                   "empty"));
    CHECK(contains(error_of([&] { write("no/such.safetensors", "one", {}, 1); }),
                   "there is no trained model at no/such.safetensors"));
}

TEST_CASE("lesson 13: a checkpoint says what GPT it holds") {
    const test::TemporaryFolder folder;
    nn::manual_seed(1);
    const data::Bpe bpe = tokenizer();
    models::GPT model(small(bpe));
    nn::StateDict file = model.state_dict();
    file.emplace("optimizer/mean", Tensor::zeros({3}));
    nn::save_safetensors(folder / "gpt.safetensors", file);
    const auto loaded = load_gpt(folder / "gpt.safetensors");
    CHECK(loaded->options().layers == 2);
    CHECK(loaded->options().heads == 2);
    CHECK(written(*loaded, bpe, "two", {}) == written(model, bpe, "two", {}));
    nn::save_safetensors(folder / "other.safetensors", {{"weight", Tensor::zeros({3})}});
    CHECK(contains(error_of([&] { load_gpt(folder / "other.safetensors"); }), "holds no GPT"));
}

TEST_CASE("lesson 13: both kinds of passage have the same tokens, so that bags know nothing") {
    const data::Bpe bpe = tokenizer();
    const data::TextData text{"numbers", {{"a", kText}}, {{"b", kText}}};
    const Labelled data = in_order(bpe, text, 6, 8, 200, 1);
    REQUIRE(data.train.size() == 6);
    REQUIRE(data.test.size() == 8);
    for (size_t i = 0; i < data.train.size(); i += 2) {
        Ids in_order = data.train[i].ids, exchanged = data.train[i + 1].ids;
        CHECK(in_order != exchanged);
        std::sort(in_order.begin(), in_order.end());
        std::sort(exchanged.begin(), exchanged.end());
        CHECK(in_order == exchanged);
    }
    CHECK(naive_bayes(data, 6, bpe.size()) == 0.5);
}

TEST_CASE("lesson 13: naive Bayes tells what bags do tell") {
    const Labelled data{"", {"a", "b"}, {{{0, 1, 1}, 0}, {{2, 2, 1}, 1}}, {{{0, 1}, 0}, {{2}, 1}}};
    CHECK(naive_bayes(data, 2, 3) == 1);
}

TEST_CASE("lesson 13: the head that looks one back is found") {
    Tensor maps = Tensor::zeros({1, 2, 3, 3});
    for (const int64_t at : {0, 4, 8}) maps.set(at, 1);    // head 0: itself
    for (const int64_t at : {9, 12, 16}) maps.set(at, 1);  // head 1: the one before
    const Head head = previous_token_head({Tensor::zeros({1, 2, 3, 3}), maps});
    CHECK(head.layer == 1);
    CHECK(head.head == 1);
    CHECK(head.weight == 1);
}

TEST_CASE("lesson 13: a sharpened model's heads look at different places from the start") {
    nn::manual_seed(1);
    models::GPT model({.vocab = 4, .context = 16, .dim = 64, .heads = 2, .layers = 2});
    const Tensor ids = test::random_ids({1, 16}, 4);
    const auto range_of_last_row = [&] {
        std::vector<Tensor> maps;
        model.hidden(ids, &maps);
        const Tensor row = slice(maps[0], 2, 15, 16);  // [1, H, 1, T]
        return max(row).item() + max(-row).item();
    };
    CHECK(range_of_last_row() < 0.05);
    sharpen(model);
    CHECK(range_of_last_row() > 0.1);
}
