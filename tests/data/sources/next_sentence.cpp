#include "data/sources/next_sentence.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/data/temporary.h"

using namespace gradus;
using data::ChainPairs, data::Markov, data::SentencePair;

TEST_CASE("chain pairs: the best accuracy's known figure, and sources that tell all or nothing") {
    CHECK(ChainPairs{Markov::symmetric(3, 0.8)}.best_accuracy() ==
          doctest::Approx(0.5 * 0.8 + 0.5 * 2 / 3).epsilon(1e-12));
    const ChainPairs chance{Markov::symmetric(4, 0.25)};  // as likely to go anywhere
    CHECK(chance.best_accuracy() == doctest::Approx(0.5));
    CHECK(chance.least_nats() == doctest::Approx(std::log(2)));
    // Two symbols that take turns: every other fresh sentence fits by chance.
    CHECK(ChainPairs{Markov::symmetric(2, 0)}.best_accuracy() == doctest::Approx(0.75));
}

TEST_CASE("chain pairs: on many pairs the best answer is right as often, at the least loss") {
    Rng rng(1);
    for (const Markov& chain : {Markov::symmetric(3, 0.8), Markov::random(5, 1, 0.5, rng)}) {
        const ChainPairs source{.chain = chain, .length = 4, .batch = 40000, .seed = 2};
        double right = 0, next = 0, nats = 0;
        for (const SentencePair& pair : source.at(3)) {
            const double p = source.next_probability(pair);
            right += (p > 0.5) == pair.is_next;
            next += pair.is_next;
            nats -= std::log(pair.is_next ? p : 1 - p);
        }
        const double n = 40000, deviation = 4.5 * std::sqrt(0.25 / n);
        CHECK(std::abs(next / n - 0.5) < deviation);
        CHECK(std::abs(right / n - source.best_accuracy()) < deviation);
        CHECK(nats / n == doctest::Approx(source.least_nats()).epsilon(0.02));
    }
}

TEST_CASE(
    "chain pairs: inside both sentences, and across the border of true ones, the chain goes on") {
    // A ring: what follows is certain.
    const Markov ring(Tensor::from<double>({0, 1, 0, 0, 0, 1, 1, 0, 0}, {3, 3}));
    const ChainPairs source{.chain = ring, .length = 5, .batch = 300};
    const auto follow = [](const std::vector<int32_t>& ids) {
        bool all = true;
        for (size_t i = 0; i + 1 < ids.size(); ++i) all = all && ids[i + 1] == (ids[i] + 1) % 3;
        return all;
    };
    int fits = 0, fresh = 0;
    for (const auto& pair : source.at(0)) {
        CHECK(pair.first.size() == 5);
        CHECK(pair.second.size() == 5);
        CHECK(follow(pair.first));
        CHECK(follow(pair.second));
        const bool goes_on = pair.second[0] == (pair.first[4] + 1) % 3;
        if (pair.is_next) CHECK(goes_on);
        if (!pair.is_next) ++fresh, fits += goes_on;
    }
    CHECK(fits > 0);
    CHECK(fits < fresh / 2);
}

TEST_CASE("chain pairs: a step's pairs depend on the seed and the step alone") {
    const auto firsts = [](const ChainPairs& source, int64_t step) {
        std::vector<std::vector<int32_t>> all;
        for (const auto& pair : source.at(step)) all.push_back(pair.first);
        return all;
    };
    const Markov chain = Markov::symmetric(3, 0.8);
    const ChainPairs source{.chain = chain, .seed = 1}, other{.chain = chain, .seed = 2};
    CHECK(firsts(source, 5) == firsts(source, 5));
    CHECK(firsts(source, 5) != firsts(source, 6));
    CHECK(firsts(source, 5) != firsts(other, 5));
    CHECK(source.time() == 15);
}

TEST_CASE("chain pairs: what makes no sense is refused") {
    Rng rng(1);
    const Markov chain = Markov::symmetric(3, 0.8);
    const auto refusal = [](const ChainPairs& source, int64_t step = 0) {
        return test::error_of([&] { source.at(step); });
    };
    CHECK(
        test::contains(refusal({.chain = Markov::random(3, 2, 1, rng)}), "of order 2; 1 expected"));
    CHECK(test::contains(refusal({.chain = chain, .length = 0}), "sentences of 0"));
    CHECK(test::contains(refusal({.chain = chain, .batch = 0}), "a batch of 0"));
    CHECK(test::contains(refusal({.chain = chain}, -1), "step -1"));
    const ChainPairs source{.chain = chain};
    const auto read = [&](const SentencePair& pair) {
        return test::error_of([&] { source.next_probability(pair); });
    };
    CHECK(test::contains(read({{}, {1}}), "have 0 and 1 tokens"));
    CHECK(test::contains(read({{0}, {3}}), "are 0 and 3; 0 ... 2 expected"));
}
