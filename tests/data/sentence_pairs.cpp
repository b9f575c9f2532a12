#include "data/sentence_pairs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using namespace gradus::data;

namespace {

// Sentence s of document d is {d, s}.
std::vector<Sentences> documents(const std::vector<int>& sizes) {
    std::vector<Sentences> all(sizes.size());
    for (int32_t d = 0; d < static_cast<int32_t>(sizes.size()); ++d)
        for (int32_t s = 0; s < sizes[static_cast<size_t>(d)]; ++s)
            all[static_cast<size_t>(d)].push_back({d, s});
    return all;
}

std::vector<std::vector<int32_t>> seconds(const std::vector<SentencePair>& pairs) {
    std::vector<std::vector<int32_t>> all;
    for (const auto& pair : pairs) all.push_back(pair.second);
    return all;
}

}  // namespace

TEST_CASE("next-sentence pairs: half are followed by their next, half by another document's") {
    const auto texts = documents({4000, 0, 3, 1});
    const auto pairs = next_sentence_pairs(texts, 1);
    REQUIRE(pairs.size() == 3999 + 2);
    double next = 0;
    std::map<std::vector<int32_t>, double> others;  // what follows sentences of the long document
    for (size_t i = 0; i < pairs.size(); ++i) {
        const auto& [first, second, is_next] = pairs[i];
        CHECK(first == (i < 3999 ? std::vector<int32_t>{0, static_cast<int32_t>(i)}
                                 : std::vector<int32_t>{2, static_cast<int32_t>(i - 3999)}));
        if (is_next) {
            CHECK(second == std::vector<int32_t>{first[0], first[1] + 1});
        } else {
            CHECK(second[0] != first[0]);
        }
        next += is_next;
        if (!is_next && first[0] == 0) ++others[second];
    }
    const auto near = [](double count, double n, double p) {
        return std::abs(count - n * p) < 4.5 * std::sqrt(n * p * (1 - p));
    };
    CHECK(near(next, 4001, 0.5));
    // Each of the two other documents equally often, and each of its sentences.
    REQUIRE(others.size() == 4);
    double drawn = 0;
    for (const auto& [sentence, count] : others) drawn += count;
    for (const auto& [sentence, count] : others)
        CHECK(near(count, drawn, sentence[0] == 3 ? 0.5 : 0.5 / 3));
}

TEST_CASE("next-sentence pairs: other epochs and seeds, other pairs; the same ones, the same") {
    const auto texts = documents({30, 30, 30});
    const auto first = seconds(next_sentence_pairs(texts, 1, 0));
    CHECK(seconds(next_sentence_pairs(texts, 1, 0)) == first);
    CHECK(seconds(next_sentence_pairs(texts, 1, 1)) != first);
    CHECK(seconds(next_sentence_pairs(texts, 2, 0)) != first);
}

TEST_CASE("next-sentence pairs: documents that give none are refused") {
    const auto refusal = [](const std::vector<Sentences>& texts, int64_t epoch = 0) {
        return test::error_of([&] { next_sentence_pairs(texts, 0, epoch); });
    };
    CHECK(test::contains(refusal(documents({5, 0})), "of 2 documents 1 have sentences and 1"));
    CHECK(test::contains(refusal(documents({1, 1})), "2 have sentences and 0 have two"));
    CHECK(test::contains(refusal({}), "of 0 documents"));
    CHECK(test::contains(refusal({{{1}, {2}}, {{3}, {}}}), "sentence 1 of document 1 has no ids"));
    CHECK(test::contains(refusal(documents({2, 2}), -1), "epoch -1"));
}

TEST_CASE("framed pairs: [CLS] first [SEP] second [SEP] [PAD], the second as segment 1") {
    const PairFrame frame{.classify = 90, .separator = 91, .padding = 92};
    const auto [ids, segments, lengths, labels] =
        framed({{{1, 2}, {3}, true}, {{4}, {5, 6, 7}, false}}, 8, frame);
    CHECK(test::same_bits(ids, Tensor::from<int32_t>({90, 1, 2, 91, 3, 91, 92, 92,  //
                                                      90, 4, 91, 5, 6, 7, 91, 92},
                                                     {2, 8})));
    CHECK(test::same_bits(segments, Tensor::from<int32_t>({0, 0, 0, 0, 1, 1, 0, 0,  //
                                                           0, 0, 0, 1, 1, 1, 1, 0},
                                                          {2, 8})));
    CHECK(test::same_bits(lengths, Tensor::from<int32_t>({6, 7})));
    CHECK(test::same_bits(labels, Tensor::from<int32_t>({0, 1})));
}

TEST_CASE("framed pairs: of a pair that is too long the longer sentence loses its end") {
    const auto ids = [](const SentencePair& pair, int64_t time) {
        return framed({pair}, time, {.classify = 90, .separator = 91, .padding = 92}).ids;
    };
    CHECK(test::same_bits(ids({{1, 2, 3, 4, 5}, {6, 7}, true}, 7),
                          Tensor::from<int32_t>({90, 1, 2, 91, 6, 7, 91}, {1, 7})));
    CHECK(test::same_bits(ids({{1, 2, 3}, {4, 5, 6, 7}, true}, 6),
                          Tensor::from<int32_t>({90, 1, 2, 91, 4, 91}, {1, 6})));
    CHECK(test::contains(test::error_of([&] { ids({{1}, {2}, true}, 4); }), "rows of 4 ids"));
}
