// Judges exercise.h of lesson 13 against the library's own tokenizer, attention, sampling, text stream and
// model, which are tested against GPT-2's ids and PyTorch's figures.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "data/sources/in_context.h"
#include "data/tokenizers/bpe.h"
#include "exercise.h"
#include "models/gpt.h"
#include "nn/decode.h"
#include "nn/text_stream.h"

using namespace gradus;
using exercise::Ids, exercise::Pair, exercise::Word;

namespace {

constexpr int64_t kT = 6, kD = 5;

double distance(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() ? max(abs(a - b)).item() : INFINITY;
}

Tensor noise(const Shape& shape, uint64_t seed) {
    return Rng(seed).normal(shape, 0, 1, Dtype::f64);
}

Tensor batch_of_one(const Tensor& x) { return reshape(x, {1, x.size(0), x.size(1)}); }

constexpr const char* kText =
    "the other theory of the weather, then the rather bitter butter; together the others gathered "
    "another theme: banana bandana cabana, aaa aaaa aaaaa";

Ids ids_of(const Tensor& ids) {
    return {ids.values<int32_t>().begin(), ids.values<int32_t>().end()};
}

}  // namespace

// ---- task 1: learning merges --------------------------------------------------------------------

TEST_CASE("task 1 (1 point): words count as often as they occur, and only neighbours do") {
    CHECK(exercise::most_frequent({{{1, 2, 3}, 2}, {{2, 3}, 1}, {{5, 6}, 4}}) == Pair{5, 6});
    CHECK(exercise::most_frequent({{{1, 2, 3}, 2}, {{2, 3}, 3}, {{5, 6}, 4}}) == Pair{2, 3});
    // 7 8 stands across two words, and does not count.
    CHECK(exercise::most_frequent({{{1, 7}, 1}, {{8, 1}, 1}, {{1, 7}, 1}}) == Pair{1, 7});
    CHECK(exercise::most_frequent({{{9}, 50}, {{3, 4}, 1}}) == Pair{3, 4});
}

TEST_CASE("task 1 (1 point): of equals the lowest; pairs are joined from left to right") {
    CHECK(exercise::most_frequent({{{5, 6}, 2}, {{4, 9}, 2}, {{4, 7}, 2}}) == Pair{4, 7});
    CHECK(exercise::join({1, 2, 1, 2, 3}, {1, 2}, 9) == Ids{9, 9, 3});
    CHECK(exercise::join({1, 1, 1}, {1, 1}, 9) == Ids{9, 1});
    CHECK(exercise::join({1, 1, 1, 1}, {1, 1}, 9) == Ids{9, 9});
    CHECK(exercise::join({2, 1}, {1, 2}, 9) == Ids{2, 1});
    CHECK(exercise::join({}, {1, 2}, 9) == Ids{});
}

TEST_CASE("task 1 (1 point): merge by merge, it is the library's tokenizer") {
    Rng rng(3);
    std::vector<Word> words;
    std::vector<data::CountedWord> same;
    for (int i = 0; i < 40; ++i) {
        Ids tokens{static_cast<int32_t>(rng.below(6))};
        for (int64_t n = rng.below(7); n >= 0; --n) {  // no token twice in a row
            auto next = static_cast<int32_t>(rng.below(6));
            if (next == tokens.back()) next = (next + 1) % 6;
            tokens.push_back(next);
        }
        const int64_t count = 1 + rng.below(5);
        words.push_back({tokens, count});
        same.push_back({tokens, count});
    }
    const auto expected = data::learn_merges(same, 6, 12, 1);
    REQUIRE(expected.size() == 12);
    for (size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        const Pair pair = exercise::most_frequent(words);
        REQUIRE(pair == Pair{expected[i].left, expected[i].right});
        for (Word& word : words)
            word.tokens = exercise::join(word.tokens, pair, 6 + static_cast<int32_t>(i));
    }
}

// ---- task 2: using them -------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): what was learned first is joined first, wherever it stands") {
    const std::vector<Pair> merges{{2, 3}, {1, 2}, {10, 1}};  // makes 10, 11, 12
    CHECK(exercise::encode({1, 2, 3}, merges, 10) == Ids{1, 10});
    CHECK(exercise::encode({1, 2, 2, 3}, merges, 10) == Ids{11, 10});
    CHECK(exercise::encode({2, 3, 1}, merges, 10) == Ids{12});
    CHECK(exercise::encode({2, 3, 1, 2}, merges, 10) == Ids{10, 11});
    CHECK(exercise::encode({7}, merges, 10) == Ids{7});
    CHECK(exercise::encode({}, merges, 10) == Ids{});
}

TEST_CASE("task 2 (2 points): words of any kind have the library's tokens") {
    const data::Bpe bpe = data::Bpe::train({kText}, {.size = 300, .min_count = 1});
    std::vector<Pair> merges;
    for (const data::Merge& merge : bpe.merges()) merges.push_back({merge.left, merge.right});
    REQUIRE(merges.size() > 20);
    for (const std::string word : {" the", " another", "banana", " aaaaaaa", " heather", "xyz"}) {
        CAPTURE(word);
        Ids bytes;
        for (const char byte : word) bytes.push_back(bpe.id({&byte, 1}));
        CHECK(exercise::encode(bytes, merges, 256) == ids_of(bpe.encode(word)));
    }
}

// ---- task 3: causal attention -------------------------------------------------------------------

TEST_CASE("task 3 (2 points): weights are the library's") {
    const Tensor q = noise({kT, kD}, 1), k = noise({kT, kD}, 2);
    const Tensor expected =
        composed::scaled_dot_product_attention(batch_of_one(q), batch_of_one(k), batch_of_one(k), 1,
                                               {.causal = true})
            .weights;  // [1, 1, T, T]
    CHECK(distance(exercise::causal_weights(q, k), reshape(expected, {kT, kT})) < 1e-12);
}

TEST_CASE("task 3 (1 point): a row sums to 1, and nothing later counts, be it as large as it may") {
    const Tensor q = noise({kT, kD}, 1), k = noise({kT, kD}, 2);
    const Tensor weights = exercise::causal_weights(q, k);
    CHECK(distance(sum(weights, -1), Tensor::ones({kT}, Dtype::f64)) < 1e-12);
    CHECK(weights.at(0) == doctest::Approx(1));
    Tensor other = k.clone();
    for (int64_t i = 3 * kD; i < kT * kD; ++i) other.set(i, 1e3);
    CHECK(distance(slice(exercise::causal_weights(q, other), 0, 0, 3), slice(weights, 0, 0, 3)) <
          1e-12);
}

// ---- task 4: a cache ----------------------------------------------------------------------------

TEST_CASE("task 4 (3 points): token by token it reads what all at once would have read") {
    const Tensor q = noise({kT, kD}, 1), k = noise({kT, kD}, 2), v = noise({kT, kD}, 3);
    const Tensor expected =
        composed::scaled_dot_product_attention(batch_of_one(q), batch_of_one(k), batch_of_one(v), 1,
                                               {.causal = true})
            .y;  // [1, T, d]
    exercise::Cache cache;
    for (int64_t t = 0; t < kT; ++t) {
        CAPTURE(t);
        const auto row = [&](const Tensor& x) { return slice(x, 0, t, t + 1); };
        const Tensor y = exercise::step(cache, row(q), row(k), row(v));
        REQUIRE(y.shape() == Shape{1, kD});
        CHECK(distance(y, row(reshape(expected, {kT, kD}))) < 1e-12);
    }
    CHECK(distance(cache.k, k) == 0);
    CHECK(distance(cache.v, v) == 0);
}

// ---- task 5: repetition -------------------------------------------------------------------------

TEST_CASE("task 5 (2 points): it draws from the library's distribution") {
    const std::vector<double> logits{1.5, -0.5, 0.2, -2, 3};
    for (const Ids& seen : {Ids{0}, Ids{1, 3}, Ids{4, 0, 4, 4}, Ids{}}) {
        std::vector<double> changed = logits;
        exercise::penalise(changed, seen, 1.7);
        const Tensor rows = Tensor::from(logits, {1, 5});
        const Tensor p = seen.empty()
                             ? nn::sampling_distribution(rows, {})
                             : nn::sampling_distribution(
                                   rows, {.repetition_penalty = 1.7},
                                   Tensor::from(seen, {1, static_cast<int64_t>(seen.size())}));
        const Tensor found = softmax(Tensor::from(changed, {1, 5}));
        for (int64_t i = 0; i < 5; ++i) CHECK(found.at(i) == doctest::Approx(p.at(i)));
    }
}

// ---- task 6: stop strings -----------------------------------------------------------------------

TEST_CASE("task 6 (1 point): what may become a stop string is held back") {
    const std::vector<std::string> stops{"END", "\n\n", "Emma"};
    CHECK(exercise::safe("and then", stops) == 8);
    CHECK(exercise::safe("and then E", stops) == 9);
    CHECK(exercise::safe("and then EN", stops) == 9);
    CHECK(exercise::safe("and then Emm", stops) == 9);
    CHECK(exercise::safe("a line\n", stops) == 6);
    CHECK(exercise::safe("EN EN", stops) == 3);
    CHECK(exercise::safe("", stops) == 0);
    CHECK(exercise::safe("E", {}) == 1);
}

TEST_CASE("task 6 (1 point): the longest such end, as the library's stream does") {
    const std::vector<std::string> stops{"abab!", "bb?", "aab."};
    for (int code = 0; code < 256; ++code) {
        std::string text;
        for (int bit = 0; bit < 8; ++bit) text += (code >> bit & 1) != 0 ? 'a' : 'b';
        size_t shown = 0;
        nn::TextStream stream(stops, [&](std::string_view part) { shown += part.size(); });
        REQUIRE(stream.add(text));
        CAPTURE(text);
        CHECK(exercise::safe(text, stops) == shown);
    }
}

// ---- task 7: the optimum ------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): with nothing counted all are equal; then counts tell") {
    CHECK(exercise::predictive({2}, 4, 1) == std::vector<double>(4, 0.25));
    const auto p = exercise::predictive({0, 1, 0, 1, 0, 2, 0}, 3, 0.5);  // 0: 1 1 2
    CHECK(p[0] == doctest::Approx(0.5 / 4.5));
    CHECK(p[1] == doctest::Approx(2.5 / 4.5));
    CHECK(p[2] == doctest::Approx(1.5 / 4.5));
}

TEST_CASE("task 7 (1 point): its loss is the source's own optimum") {
    const data::InContextChains source{
        .symbols = 3, .time = 20, .concentration = 0.7, .batch = 4, .seed = 5};
    const data::Batch rows = source.at(0);
    const Tensor nats = source.nats(rows);
    for (int64_t b = 0; b < 4; ++b) {
        Ids seen;
        for (int64_t t = 0; t < 20; ++t) {
            seen.push_back(static_cast<int32_t>(rows.x.at(b * 20 + t)));
            const auto p = exercise::predictive(seen, 3, 0.7);
            REQUIRE(p.size() == 3);
            CHECK(-std::log(p[static_cast<size_t>(rows.y.at(b * 20 + t))]) ==
                  doctest::Approx(nats.at(b * 20 + t)).epsilon(1e-9));
        }
    }
}

// ---- tasks 8 and 9: bits and parameters ---------------------------------------------------------

TEST_CASE("task 8 (1 point): a token of many bytes may cost more") {
    CHECK(exercise::bits_per_byte(std::log(2), 10, 10) == doctest::Approx(1));
    CHECK(exercise::bits_per_byte(std::log(256), 1, 1) == doctest::Approx(8));
    CHECK(exercise::bits_per_byte(3, 100, 300) == doctest::Approx(1 / std::log(2)));
}

TEST_CASE("task 9 (2 points): as many as the library's model has, and GPT-2's number") {
    for (const int64_t L : {1, 3}) {
        const models::GPT model({.vocab = 7, .context = 5, .dim = 8, .heads = 2, .layers = L});
        CHECK(exercise::gpt_parameters(7, 5, 8, L) == model.parameter_count());
    }
    CHECK(exercise::gpt_parameters(50257, 1024, 768, 12) == 124'439'808);
}
