#include "data/sources/repeated_blocks.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::RepeatedBlocks;

namespace {

// -ln p of a target by what stands in x up to it alone: 0 where the start was said twice, and the
// target is what followed at the same distance from the first start.
double nats(const RepeatedBlocks& source, const int32_t* x, int64_t t, int32_t target) {
    int64_t second = 0;
    for (int64_t i = 1; i <= t; ++i)
        if (x[i] == 0) second = i;
    if (second == 0) return std::log(static_cast<double>(source.symbols));
    return x[t - second + 1] == target ? 0 : INFINITY;
}

}  // namespace

TEST_CASE("repeated blocks: a block after the start, and the same again") {
    const RepeatedBlocks source{.symbols = 5, .shortest = 1, .longest = 4, .batch = 200, .seed = 1};
    const auto [x, y] = source.at(3);
    const int64_t time = source.time();
    CHECK(time == 9);
    CHECK(x.shape() == Shape{200, time});
    CHECK(y.shape() == Shape{200, time});
    std::map<int64_t, int> lengths;
    for (int64_t b = 0; b < 200; ++b) {
        const int32_t *in = x.data<int32_t>() + b * time, *out = y.data<int32_t>() + b * time;
        int64_t n = 0;
        while (in[n + 1] != 0) ++n;
        ++lengths[n];
        for (int64_t t = 0; t < time; ++t) {
            const bool target = t < n || (n < t && t <= 2 * n);
            CHECK((out[t] != -100) == target);
            if (target) CHECK((1 <= out[t] && out[t] <= 5));
            if (target && t != 2 * n) CHECK(in[t + 1] == out[t]);
            if (t > n && t <= 2 * n) CHECK(out[t] == in[t - n]);
            CHECK((in[t] == 0) == (t == 0 || t == n + 1 || t > 2 * n));
        }
    }
    REQUIRE(lengths.size() == 4);
    for (const auto& [length, count] : lengths) CHECK(count > 25);
}

TEST_CASE("repeated blocks: the optimum is that of looking back") {
    const RepeatedBlocks source{.symbols = 20, .shortest = 2, .longest = 9, .batch = 64, .seed = 2};
    const auto [x, y] = source.at(0);
    for (int64_t b = 0; b < 64; ++b) {
        double total = 0;
        int64_t targets = 0;
        for (int64_t t = 0; t < source.time(); ++t) {
            const int32_t target = y.data<int32_t>()[b * source.time() + t];
            if (target == -100) continue;
            total += nats(source, x.data<int32_t>() + b * source.time(), t, target);
            ++targets;
        }
        CHECK(total / static_cast<double>(targets) == doctest::Approx(source.optimum()));
    }
    CHECK(source.baseline() == doctest::Approx(std::log(20)));
    CHECK(source.vocab() == 21);
}

TEST_CASE("repeated blocks: the symbols are equally likely") {
    const auto y = RepeatedBlocks{.symbols = 4, .batch = 2000, .seed = 3}.at(0).y;
    std::map<int32_t, int> counts;
    int total = 0;
    for (const int32_t id : y.values<int32_t>())
        if (id != -100) ++counts[id], ++total;
    REQUIRE(counts.size() == 4);
    for (const auto& [id, count] : counts) CHECK(count == doctest::Approx(total / 4).epsilon(0.04));
}

TEST_CASE("repeated blocks: a step's batch depends on the seed and the step alone") {
    const RepeatedBlocks source{.batch = 4, .seed = 5};
    const Tensor fifth = source.at(5).x;
    source.at(0);
    CHECK(test::same_bits(source.at(5).x, fifth));
    CHECK_FALSE(test::same_bits(source.at(6).x, fifth));
    CHECK_FALSE(test::same_bits(RepeatedBlocks{.batch = 4, .seed = 6}.at(5).x, fifth));
}

TEST_CASE("repeated blocks: sizes that make no sense are refused") {
    const auto refusal = [](const RepeatedBlocks& source, int64_t step = 0) {
        return test::error_of([&] { source.at(step); });
    };
    CHECK(test::contains(refusal({.symbols = 1}), "1 symbols"));
    CHECK(test::contains(refusal({.shortest = 0}), "blocks of 0 to 16"));
    CHECK(test::contains(refusal({.shortest = 9, .longest = 8}), "blocks of 9 to 8"));
    CHECK(test::contains(refusal({.batch = 0}), "a batch of 0"));
    CHECK(test::contains(refusal({}, -1), "step -1"));
}
