#include "data/sources/echo.h"

#include <doctest/doctest.h>

#include <map>

#include "data/pairs/tokens.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;

TEST_CASE("echo: the target is the source, forwards or backwards") {
    Rng rng(1);
    for (const bool reversed : {false, true}) {
        const Echo echo{.letters = 5, .shortest = 1, .longest = 9, .reversed = reversed};
        for (const auto& [source, target] : echo.sample(rng, 200)) {
            const auto said = space_tokens(source), again = space_tokens(target);
            REQUIRE(said.size() == again.size());
            for (size_t i = 0; i < said.size(); ++i)
                CHECK(again[i] == said[reversed ? said.size() - 1 - i : i]);
            CHECK(echo.solution(source) == target);
        }
    }
    CHECK(Echo{}.solution("c a d") == "c a d");
    CHECK(Echo{.reversed = true}.solution("c a d") == "d a c");
}

TEST_CASE("echo: lengths and letters are equally likely") {
    Rng rng(2);
    std::map<size_t, int> lengths;
    std::map<std::string, int> letters;
    for (const Pair& pair : Echo{.letters = 4, .shortest = 3, .longest = 6}.sample(rng, 4000)) {
        const auto tokens = space_tokens(pair.source);
        ++lengths[tokens.size()];
        for (const std::string& letter : tokens) ++letters[letter];
    }
    REQUIRE(lengths.size() == 4);
    REQUIRE(letters.size() == 4);
    for (const auto& [length, count] : lengths) CHECK(count == doctest::Approx(1000).epsilon(0.12));
    for (const auto& [letter, count] : letters) CHECK(count == doctest::Approx(4500).epsilon(0.06));
    CHECK(lengths.begin()->first == 3);
    CHECK(letters.begin()->first == "a");
}

TEST_CASE("echo: same seed, same pairs") {
    const auto first = [](uint64_t seed) {
        Rng rng(seed);
        return Echo{.longest = 30}.sample(rng, 5).back().source;
    };
    CHECK(first(3) == first(3));
    CHECK(first(3) != first(4));
}

TEST_CASE("echo: sizes that make no sense are refused") {
    Rng rng(1);
    const auto refusal = [&](const Echo& echo) {
        return test::error_of([&] { echo.sample(rng); });
    };
    CHECK(test::contains(refusal({.letters = 27}), "27 letters; 2 ... 26 expected"));
    CHECK(test::contains(refusal({.letters = 1}), "1 letters"));
    CHECK(test::contains(refusal({.shortest = 0}), "lengths from 0 to 12"));
    CHECK(test::contains(refusal({.shortest = 5, .longest = 4}), "lengths from 5 to 4"));
}
