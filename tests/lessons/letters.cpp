// Lesson 10's classical method: sounds by counting letters in context.
#include <doctest/doctest.h>

#include "lessons/10-seq2seq/letters.h"
#include "lessons/10-seq2seq/sounds.h"

using namespace gradus;

namespace {

lesson10::Sounds toy() {
    data::PairData data{"toy", {}, {}};
    const auto add = [&](std::vector<data::PairDocument>& part, const char* word,
                         std::vector<data::Pair> pairs) {
        part.push_back({word, std::move(pairs)});
    };
    // c is S before e and K elsewhere; x is two sounds; a last e is silent.
    add(data.train, "cat", {{"c a t", "K AE1 T"}});
    add(data.train, "cent", {{"c e n t", "S EH1 N T"}});
    add(data.train, "ace", {{"a c e", "EY1 S"}});
    add(data.train, "tax", {{"t a x", "T AE1 K S"}});
    add(data.train, "can", {{"c a n", "K AE1 N"}, {"c a n", "K AE0 N"}});
    add(data.train, "ant", {{"a n t", "AE1 N T"}});
    add(data.train, "net", {{"n e t", "N EH1 T"}});
    add(data.train, "tan", {{"t a n", "T AE1 N"}});
    add(data.test, "cax", {{"c a x", "K AE1 K S"}, {"c a x", "S AE1 K S"}});
    add(data.test, "nace", {{"n a c e", "N EY1 S"}});
    return lesson10::read_sounds(data, false, 10);
}

}  // namespace

TEST_CASE("lesson 10: letters in context say new words by the widest context they know") {
    const auto sounds = toy();
    CHECK(sounds.pairs.train.size() == 8);  // "can" is said in one way without stress
    const auto said =
        lesson10::say_by_rules(lesson10::LetterRules(sounds.pairs), sounds.pairs.test);
    CHECK(sounds.pairs.vocab.target_tokens(said[0]) == lesson::Tokens{"K", "AE", "K", "S"});
    CHECK(sounds.pairs.vocab.target_tokens(said[1]) == lesson::Tokens{"N", "EY", "S"});
}

TEST_CASE("lesson 10: of two letters that give one sound between them the first gives it") {
    const data::PairData data{"twice",
                              {{"matt", {{"m a t t", "M AE T"}}}, {"tam", {{"t a m", "T AE M"}}}},
                              {{"matta", {{"m a t t a", "M AE T T AE"}}}}};
    const auto sounds = lesson10::read_sounds(data, false, 1);
    const auto said =
        lesson10::say_by_rules(lesson10::LetterRules(sounds.pairs), sounds.pairs.test);
    // The first t is known before a t, where it gives T; the last as at the beginning of "tam".
    CHECK(sounds.pairs.vocab.target_tokens(said[0]) == lesson::Tokens{"M", "AE", "T", "T", "AE"});
}

TEST_CASE("lesson 10: a word is right if one of its ways is said; errors count from the nearest") {
    const auto sounds = toy();
    REQUIRE(sounds.ways.at(0).size() == 2);
    const auto& second = sounds.ways[0][1];
    const std::vector<lesson::Ids> said{second, {}};
    const auto right = lesson10::nearest_ways(sounds.pairs.test, sounds.ways, said);
    CHECK(lesson::exact(right, said) == 0.5);
    CHECK(lesson10::error_rate(right, said) == doctest::Approx(3.0 / 7));
    CHECK(lesson10::edit_distance(lesson::Ids{1, 2, 3, 4}, lesson::Ids{2, 3, 5}) == 2);
    CHECK(lesson10::edit_distance(lesson::Ids{}, lesson::Ids{2, 3, 5}) == 3);
}
