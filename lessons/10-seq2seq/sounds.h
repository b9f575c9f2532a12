// Letters and sounds: the CMU dictionary as pairs, and how near a pronunciation comes to the right one.
#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/pairs/tokens.h"
#include "lessons/translation.h"

namespace gradus::lesson10 {

using lesson::Ids;

// A word may be said in several ways. In the training part each is a pair; the test part has one
// pair a word, and all its ways beside it.
struct Sounds {
    lesson::Pairs pairs;
    std::vector<std::vector<Ids>> ways;  // of each test word, without start and end
};

// The different ways to say a word; "AH0" and "AH1" are the same sound unless the stress counts.
inline std::vector<data::Pair> ways_to_say(const data::PairDocument& word, bool stress) {
    std::vector<data::Pair> ways;
    std::set<std::string> known;
    for (data::Pair pair : word.pairs) {
        if (!stress)
            std::erase_if(pair.target, [](unsigned char c) { return std::isdigit(c) != 0; });
        if (known.insert(pair.target).second) ways.push_back(std::move(pair));
    }
    return ways;
}

// At most `most` of the test words, evenly spread over the alphabet.
inline Sounds read_sounds(const data::PairData& data, bool stress, size_t most) {
    std::vector<data::Pair> train, test;
    std::vector<std::vector<data::Pair>> all_ways;
    for (const data::PairDocument& word : data.train)
        for (data::Pair& way : ways_to_say(word, stress)) train.push_back(std::move(way));
    for (const data::PairDocument& word : data.test)
        if (!word.pairs.empty()) all_ways.push_back(ways_to_say(word, stress));
    const size_t count = std::min(most, all_ways.size());
    for (size_t i = 0; i < count; ++i) {
        all_ways[i] = all_ways[i * all_ways.size() / count];
        test.push_back(all_ways[i].front());
    }
    Sounds sounds{{data.name, train, test, {.tokenizer = data::space_tokens}}, {}};
    for (size_t i = 0; i < count; ++i) {
        auto& ways = sounds.ways.emplace_back();
        for (const data::Pair& way : all_ways[i])
            for (Ids& ids = ways.emplace_back();
                 const auto& phoneme : data::space_tokens(way.target))
                ids.push_back(sounds.pairs.vocab.target().id(phoneme));
    }
    return sounds;
}

// How many tokens have to be put in, taken out or replaced to make b of a (Levenshtein 1966).
inline int64_t edit_distance(std::span<const int32_t> a, std::span<const int32_t> b) {
    std::vector<int64_t> row(b.size() + 1);  // from a[0 ... i) to b[0 ... j)
    for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
    for (const int32_t token : a) {
        int64_t diagonal = std::exchange(row[0], row[0] + 1);
        for (size_t j = 0; j < b.size(); ++j) {
            const int64_t replaced = diagonal + (token != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

// The pairs with other targets.
inline std::vector<data::PairIds> with_targets(std::vector<data::PairIds> pairs,
                                               const std::vector<Ids>& targets) {
    for (size_t i = 0; i < pairs.size(); ++i) {
        pairs[i].target = {data::kStart};
        pairs[i].target.insert(pairs[i].target.end(), targets[i].begin(), targets[i].end());
        pairs[i].target.push_back(data::kEnd);
    }
    return pairs;
}

// The pairs, each with that of its ways which is nearest to what was said.
inline std::vector<data::PairIds> nearest_ways(const std::vector<data::PairIds>& pairs,
                                               const std::vector<std::vector<Ids>>& ways,
                                               const std::vector<Ids>& said) {
    std::vector<Ids> nearest;
    for (size_t i = 0; i < pairs.size(); ++i)
        nearest.push_back(*std::ranges::min_element(
            ways[i], {}, [&](const Ids& way) { return edit_distance(said[i], way); }));
    return with_targets(pairs, nearest);
}

// Wrong phonemes (edit distance) for each phoneme there should be.
inline double error_rate(const std::vector<data::PairIds>& right, const std::vector<Ids>& said) {
    int64_t errors = 0, phonemes = 0;
    for (size_t i = 0; i < said.size(); ++i) {
        const auto way = std::span(right[i].target).subspan(1, right[i].target.size() - 2);
        errors += edit_distance(said[i], way);
        phonemes += static_cast<int64_t>(way.size());
    }
    return static_cast<double>(errors) / static_cast<double>(phonemes);
}

}  // namespace gradus::lesson10
