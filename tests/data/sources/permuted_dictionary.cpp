#include "data/sources/permuted_dictionary.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "data/pairs/tokens.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;
using Order = PermutedDictionary::Order;
using Places = std::vector<int32_t>;

TEST_CASE("permuted dictionary: each word has a translation of its own") {
    for (const int64_t words : {12, 64, 512}) {
        const PermutedDictionary language({.words = words, .seed = 3});
        std::set<std::string> sources, targets;
        for (const std::string& word : language.source_words()) {
            sources.insert(word);
            targets.insert(language.translation(word));
        }
        CHECK(static_cast<int64_t>(sources.size()) == words);
        CHECK(static_cast<int64_t>(targets.size()) == words);
        for (const std::string& word : sources) CHECK(!targets.count(word));
    }
}

TEST_CASE("permuted dictionary: the four orders") {
    CHECK(PermutedDictionary::places(Order::forwards, 3) == Places{0, 1, 2});
    CHECK(PermutedDictionary::places(Order::backwards, 4) == Places{3, 2, 1, 0});
    CHECK(PermutedDictionary::places(Order::neighbours_swapped, 4) == Places{1, 0, 3, 2});
    CHECK(PermutedDictionary::places(Order::neighbours_swapped, 5) == Places{1, 0, 3, 2, 4});
    CHECK(PermutedDictionary::places(Order::second_half_first, 4) == Places{2, 3, 0, 1});
    CHECK(PermutedDictionary::places(Order::second_half_first, 5) == Places{2, 3, 4, 0, 1});
    for (const Order order :
         {Order::backwards, Order::neighbours_swapped, Order::second_half_first})
        CHECK(PermutedDictionary::places(order, 1) == Places{0});
}

TEST_CASE("permuted dictionary: a translation has the words' translations at their places") {
    const PermutedDictionary language({.words = 30, .shortest = 2, .longest = 9, .seed = 1});
    Rng rng(1);
    std::map<size_t, int> lengths;
    std::map<Order, int> orders;
    for (const auto& [source, target] : language.sample(rng, 2000)) {
        const auto words = space_tokens(source), translated = space_tokens(target);
        const auto places = language.alignment(source);
        REQUIRE(translated.size() == words.size());
        REQUIRE(places.size() == words.size());
        CHECK(std::set(words.begin(), words.end()).size() == words.size());
        // Undone word by word: each place is taken once, and says its own word.
        std::vector<std::string> undone(words.size());
        for (size_t i = 0; i < places.size(); ++i) {
            const auto from = static_cast<size_t>(places[i]);
            CHECK(undone.at(from).empty());
            undone[from] = words[from];
            CHECK(language.translation(words[from]) == translated[i]);
        }
        CHECK(undone == words);
        CHECK(language.solution(source) == target);
        ++lengths[words.size()];
        ++orders[language.order_of(words[0])];
    }
    REQUIRE(lengths.size() == 8);
    REQUIRE(orders.size() == 4);
    for (const auto& [length, count] : lengths) CHECK(count == doctest::Approx(250).epsilon(0.25));
    for (const auto& [order, count] : orders) CHECK(count == doctest::Approx(500).epsilon(0.25));
}

TEST_CASE("permuted dictionary: same seed, same language and sentences") {
    const auto pair = [](uint64_t language, uint64_t sentences) {
        Rng rng(sentences);
        return PermutedDictionary({.seed = language}).sample(rng, 3).back();
    };
    CHECK(pair(1, 2).target == pair(1, 2).target);
    CHECK(pair(1, 2).source != pair(1, 3).source);
    CHECK(pair(1, 2).source != pair(2, 2).source);
}

TEST_CASE("permuted dictionary: what cannot be is an error") {
    const auto refusal = [](const PermutedDictionaryOptions& options) {
        return error_of([&] { PermutedDictionary language(options); });
    };
    CHECK(
        contains(refusal({.words = 11}), "11 words; at least as many as in the longest sentence"));
    CHECK(contains(refusal({.words = 513}), "at most 512 expected"));
    CHECK(contains(refusal({.shortest = 0}), "sentences of 0 to 12 words"));
    CHECK(contains(refusal({.shortest = 4, .longest = 3}), "sentences of 4 to 3 words"));
    const PermutedDictionary language;
    CHECK(contains(error_of([&] { language.solution("dog"); }), "has no word \"dog\""));
    CHECK(contains(error_of([&] { language.alignment(" "); }), "the sentence is empty"));
}
