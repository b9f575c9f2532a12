#include "data/pairs/bleu.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "data/pairs/tokens.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;

namespace {

using Sentences = std::vector<std::vector<std::string>>;

// Hypothesis and reference: words at random, and the same with some changed, taken out or put in.
constexpr std::array<std::array<const char*, 2>, 12> kExample{
    {{"under finds a red blue likes a ,", "small finds a red blue likes a ,"},
     {"a a bird red tree under", "bird red under a"},
     {"blue tree cat near blue dog likes bird", "small blue tree cat blue dog likes blue red"},
     {"red tree red .", "bird red tree , ."},
     {"sees small . under a", "sees small . under a"},
     {"sees sees likes . near red red finds . red", "sees sees likes . near red red house . red a"},
     {"likes the house near likes cat blue near dog tree small bird finds",
      "likes the near likes cat blue . a dog tree small bird finds"},
     {"likes likes finds bird small red cat small bird the . cat house",
      "under likes finds bird small red cat small bird bird the . cat house"},
     {"dog a near sees finds", ", a near finds finds"},
     {"a near blue the small blue likes the red dog blue small house",
      "a blue the small blue likes the red dog finds small house"},
     {". tree red small blue sees house . cat ,", ". tree red small blue sees house . cat ,"},
     {", likes small the , tree", ", likes small the , tree"}}};

struct Expected {
    double score, precisions[4], penalty;
    long hypothesis_length, reference_length;
};

void check_equal(const Bleu& found, const Expected& expected) {
    const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-12); };
    CHECK(found.score == near(expected.score));
    for (int n = 0; n < 4; ++n) CHECK(found.precisions[n] == near(expected.precisions[n] / 100));
    CHECK(found.brevity_penalty == near(expected.penalty));
    CHECK(found.hypothesis_length == expected.hypothesis_length);
    CHECK(found.reference_length == expected.reference_length);
}

Bleu of(const char* hypothesis, const char* reference) {
    return bleu({space_tokens(hypothesis)}, {space_tokens(reference)});
}

}  // namespace

// sacreBLEU 2.6.0: corpus_bleu(hypotheses, [references], tokenize="none", smooth_method="exp").
TEST_CASE("bleu: sacreBLEU's figures for a corpus") {
    Sentences hypotheses, references;
    for (const auto& [hypothesis, reference] : kExample) {
        hypotheses.push_back(space_tokens(hypothesis));
        references.push_back(space_tokens(reference));
    }
    check_equal(bleu(hypotheses, references),
                {66.76837659906415,
                 {86.13861386138613, 73.03370786516854, 61.03896103896104, 53.84615384615385},
                 0.9901478633380527,
                 101,
                 102});
}

TEST_CASE("bleu: sacreBLEU's figures for a hypothesis that is too short or too long") {
    check_equal(of("the cat sees a red house", "the cat sees a red house near the tree ."),
                {51.341711903259224, {100, 100, 100, 100}, 0.513417119032592, 6, 10});
    check_equal(of("the the the the cat sees a house", "the cat sees a house"),
                {51.697315395717055, {62.5, 57.142857142857146, 50, 40}, 1, 8, 5});
}

TEST_CASE("bleu: sacreBLEU's smoothing of orders without a match") {
    check_equal(of("the cat a dog sees the house .", "the cat sees a dog the tree ."),
                {17.965205598154213, {87.5, 28.571428571428573, 8.333333333333334, 5}, 1, 8, 8});
    check_equal(
        of("dog the sees cat house", "the dog likes a cat under house"),
        {10.126442477235686, {80, 12.5, 8.333333333333334, 6.25}, 0.6703200460356393, 5, 7});
}

TEST_CASE("bleu: sacreBLEU's figures where a hypothesis is empty or nothing fits") {
    check_equal(bleu({{}, space_tokens("the cat sees a red house")},
                     {space_tokens("a dog ."), space_tokens("the cat sees a red house")}),
                {60.653065971263366, {100, 100, 100, 100}, 0.6065306597126334, 6, 9});
    check_equal(of("", "a dog ."), {0, {0, 0, 0, 0}, 0, 0, 3});
    check_equal(of("x y z w v", "a b c d e"), {0, {0, 0, 0, 0}, 1, 5, 5});
    check_equal(of("the cat sees", "the cat sees"), {0, {100, 100, 100, 0}, 1, 3, 3});
}

TEST_CASE("bleu: lists of different lengths or without sentences are an error") {
    CHECK(contains(error_of([] { bleu({{"a"}}, {}); }), "bleu: 1 hypotheses and 0 references"));
    CHECK(contains(error_of([] { bleu({}, {}); }), "at least one, expected"));
}
