#include "data/sources/copy_memory.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::CopyMemory;

TEST_CASE("copy memory: symbols, silence, the delimiter; and the symbols again at the end") {
    for (const int64_t blanks : {1, 2, 30}) {
        const CopyMemory problem{.blanks = blanks, .batch = 50, .seed = 1};
        const auto [x, y] = problem.at(2);
        const int64_t time = blanks + 20;
        CHECK(problem.time() == time);
        CHECK(x.shape() == Shape{50, time});
        CHECK(y.shape() == Shape{50, time});
        for (int64_t b = 0; b < 50; ++b) {
            const int32_t *in = x.data<int32_t>() + b * time, *out = y.data<int32_t>() + b * time;
            for (int64_t t = 0; t < time; ++t) {
                const bool says = t < 10, recalls = t >= time - 10;
                CHECK((in[t] >= 0 && in[t] < 10));
                CHECK((in[t] < 8) == says);
                CHECK((in[t] == CopyMemory::kDelimiter) == (t == time - 11));
                CHECK(out[t] == (recalls ? in[t - (time - 10)] : CopyMemory::kBlank));
            }
        }
    }
}

TEST_CASE("copy memory: the symbols are equally likely, and the baseline is theirs") {
    const auto x = CopyMemory{.blanks = 1, .batch = 4000, .seed = 2}.at(0).x;
    int counts[10] = {};
    for (const int32_t id : x.values<int32_t>()) ++counts[id];
    for (int id = 0; id < 8; ++id) CHECK(counts[id] == doctest::Approx(5000).epsilon(0.06));
    CHECK(counts[9] == 4000);
    CHECK(CopyMemory{.blanks = 100}.baseline() == doctest::Approx(0.1733).epsilon(1e-3));
    CHECK(CopyMemory{.blanks = 500}.baseline() == doctest::Approx(0.0400).epsilon(1e-3));
}

TEST_CASE("copy memory: a step's batch depends on the seed and the step alone") {
    const CopyMemory problem{.blanks = 20, .batch = 4, .seed = 5};
    const Tensor fifth = problem.at(5).x;
    problem.at(0);
    CHECK(test::same_bits(problem.at(5).x, fifth));
    CHECK_FALSE(test::same_bits(problem.at(6).x, fifth));
    CHECK_FALSE(test::same_bits(CopyMemory{.blanks = 20, .batch = 4, .seed = 6}.at(5).x, fifth));
}

TEST_CASE("copy memory: sizes that make no sense are refused") {
    CHECK(test::contains(test::error_of([] { CopyMemory{.blanks = 0}.at(0); }), "0 blanks"));
    CHECK(test::contains(test::error_of([] { CopyMemory{.batch = 0}.at(0); }), "a batch of 0"));
    CHECK(test::contains(test::error_of([] { CopyMemory{}.at(-1); }), "step -1"));
}
