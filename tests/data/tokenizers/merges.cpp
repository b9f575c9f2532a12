#include "data/tokenizers/merges.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "autograd/random.h"

using namespace gradus;
using namespace gradus::data;

namespace {

// As the paper has it: counts all pairs anew for every merge.
std::vector<Merge> learn_slowly(std::vector<CountedWord> words, int32_t first_id, int64_t most,
                                int64_t min_count) {
    std::vector<Merge> merges;
    while (static_cast<int64_t>(merges.size()) < most) {
        std::map<std::pair<int32_t, int32_t>, int64_t> counts;
        for (const auto& [tokens, count] : words)
            for (size_t i = 1; i < tokens.size(); ++i) counts[{tokens[i - 1], tokens[i]}] += count;
        const auto best =
            std::max_element(counts.begin(), counts.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        if (best == counts.end() || best->second < min_count) break;
        const Merge merge{best->first.first, best->first.second};
        const int32_t id = first_id + static_cast<int32_t>(merges.size());
        for (CountedWord& word : words)
            for (size_t i = 0; i + 1 < word.tokens.size(); ++i)
                if (word.tokens[i] == merge.left && word.tokens[i + 1] == merge.right) {
                    word.tokens[i] = id;
                    word.tokens.erase(word.tokens.begin() + static_cast<long>(i) + 1);
                }
        merges.push_back(merge);
    }
    return merges;
}

}  // namespace

TEST_CASE("merges: the example of the paper") {
    // low 5, lowest 2, newer 6, wider 3, each with an end of word: the merges of Sennrich's fig. 1.
    const int32_t l = 0, o = 1, w = 2, e = 3, s = 4, t = 5, n = 6, r = 7, i = 8, d = 9, end = 10;
    const std::vector<Merge> merges = learn_merges({{{l, o, w, end}, 5},
                                                    {{l, o, w, e, s, t, end}, 2},
                                                    {{n, e, w, e, r, end}, 6},
                                                    {{w, i, d, e, r, end}, 3}},
                                                   11, 4, 1);
    CHECK(merges == std::vector<Merge>{{e, r}, {11, end}, {l, o}, {13, w}});
}

TEST_CASE("merges: incremental counts give what counting anew gives, runs of one token included") {
    Rng rng(1);
    for (int trial = 0; trial < 200; ++trial) {
        const int64_t symbols = 1 + rng.below(4);
        std::vector<CountedWord> words;
        for (int64_t n = rng.below(12); n > 0; --n) {
            words.push_back({{}, 1 + rng.below(4)});
            for (int64_t length = rng.below(14); length > 0; --length)
                words.back().tokens.push_back(static_cast<int32_t>(rng.below(symbols)));
        }
        for (const int64_t min_count : {1, 3}) {
            const auto merges = learn_merges(words, 100, 40, min_count);
            CHECK(merges == learn_slowly(words, 100, 40, min_count));
            std::reverse(words.begin(), words.end());
            CHECK(merges == learn_merges(words, 100, 40, min_count));
        }
    }
}

TEST_CASE("merges: as many as asked, as long as a pair is frequent enough") {
    const std::vector<CountedWord> words{{{0, 1, 2}, 3}, {{3, 4}, 1}};
    CHECK(learn_merges(words, 10, 0, 1).empty());
    CHECK(learn_merges(words, 10, 1, 1) == std::vector<Merge>{{0, 1}});
    CHECK(learn_merges(words, 10, 99, 1) == std::vector<Merge>{{0, 1}, {10, 2}, {3, 4}});
    CHECK(learn_merges(words, 10, 99, 2) == std::vector<Merge>{{0, 1}, {10, 2}});
    CHECK(learn_merges({{{}, 1}, {{7}, 9}}, 10, 99, 1).empty());
}
