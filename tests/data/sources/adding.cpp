#include "data/sources/adding.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Adding;

TEST_CASE("adding: one mark in each half, and the target is the sum of the marked numbers") {
    for (const int64_t time : {2, 3, 7, 100}) {
        const auto [x, y] = Adding{.time = time, .batch = 200, .seed = 1}.at(3);
        CHECK(x.shape() == Shape{200, time, 2});
        CHECK(y.shape() == Shape{200, 1});
        for (int64_t b = 0; b < 200; ++b) {
            int marks[2] = {};
            double total = 0;
            for (int64_t t = 0; t < time; ++t) {
                const double number = x.at((b * time + t) * 2), mark = x.at((b * time + t) * 2 + 1);
                CHECK((number >= 0 && number < 1 && (mark == 0 || mark == 1)));
                marks[t >= time / 2] += mark == 1;
                total += number * mark;
            }
            CHECK((marks[0] == 1 && marks[1] == 1));
            CHECK(y.at(b) == doctest::Approx(total));
        }
    }
}

TEST_CASE("adding: every place is marked equally often within its half") {
    const auto [x, y] = Adding{.time = 5, .batch = 12000, .seed = 2}.at(0);
    int marked[5] = {};
    for (int64_t b = 0; b < 12000; ++b) {
        for (int64_t t = 0; t < 5; ++t) marked[t] += x.at((b * 5 + t) * 2 + 1) == 1;
    }
    for (int t = 0; t < 2; ++t) CHECK(marked[t] == doctest::Approx(6000).epsilon(0.05));
    for (int t = 2; t < 5; ++t) CHECK(marked[t] == doctest::Approx(4000).epsilon(0.05));
}

TEST_CASE("adding: always saying 1 has the baseline's error, and nothing constant has less") {
    const Tensor y = Adding{.time = 10, .batch = 40000, .seed = 3}.at(0).y;
    double squares = 0, total = 0;
    for (const float sum : y.values<float>()) {
        squares += std::pow(sum - 1, 2);
        total += sum;
    }
    CHECK(squares / 40000 == doctest::Approx(Adding::kBaseline).epsilon(0.02));
    CHECK(total / 40000 == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("adding: a step's batch depends on the seed and the step alone") {
    const Adding problem{.time = 20, .batch = 4, .seed = 5};
    const Tensor fifth = problem.at(5).x;
    problem.at(0);
    CHECK(test::same_bits(problem.at(5).x, fifth));
    CHECK_FALSE(test::same_bits(problem.at(6).x, fifth));
    CHECK_FALSE(test::same_bits(Adding{.time = 20, .batch = 4, .seed = 6}.at(5).x, fifth));
}

TEST_CASE("adding: sizes that make no sense are refused") {
    CHECK(test::contains(test::error_of([] { Adding{.time = 1}.at(0); }), "1 numbers"));
    CHECK(test::contains(test::error_of([] { Adding{.batch = 0}.at(0); }), "a batch of 0"));
    CHECK(test::contains(test::error_of([] { Adding{}.at(-1); }), "step -1"));
}
