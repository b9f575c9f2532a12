#include "data/pairs/batches.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::same_bits;

namespace {

using Ids = std::vector<int32_t>;

// Pair i: source i, 50, 51 ... with 1 + i % 5 ids, target 1, i, 60 ... 2 with 3 + i % 4.
std::vector<PairIds> pairs(int32_t count) {
    std::vector<PairIds> all;
    for (int32_t i = 0; i < count; ++i) {
        PairIds pair{{i}, {1, i}};
        for (int32_t j = 0; j < i % 5; ++j) pair.source.push_back(50 + j);
        for (int32_t j = 0; j < i % 4; ++j) pair.target.push_back(60 + j);
        pair.target.push_back(2);
        all.push_back(pair);
    }
    return all;
}

Ids numbers(const Tensor& ids) {
    const auto values = ids.values<int32_t>();
    return {values.begin(), values.end()};
}

bool same(const PairBatch& a, const PairBatch& b) {
    return same_bits(a.source, b.source) && same_bits(a.x, b.x) && same_bits(a.y, b.y) &&
           same_bits(a.source_lengths, b.source_lengths) &&
           same_bits(a.target_lengths, b.target_lengths);
}

}  // namespace

TEST_CASE("pair batches: the shorter sides are filled up, y is x one step on") {
    const PairBatches batches({{{5, 2}, {1, 7, 8, 2}}, {{6, 7, 8, 2}, {1, 2}}},
                              {.batch = 2, .padding = 9});
    const PairBatch batch = batches.batch_of({1, 0});
    CHECK(batch.source.shape() == Shape{2, 4});
    CHECK(numbers(batch.source) == Ids{6, 7, 8, 2, 5, 2, 9, 9});
    CHECK(numbers(batch.source_lengths) == Ids{4, 2});
    CHECK(batch.x.shape() == Shape{2, 3});
    CHECK(numbers(batch.x) == Ids{1, 9, 9, 1, 7, 8});
    CHECK(numbers(batch.y) == Ids{2, -100, -100, 7, 8, 2});
    CHECK(numbers(batch.target_lengths) == Ids{1, 3});
}

TEST_CASE("pair batches: every pair is in every epoch, whole") {
    const auto all = pairs(53);
    for (const bool shuffle : {true, false}) {
        PairBatches batches(all, {.batch = 8, .seed = 3, .shuffle = shuffle});
        REQUIRE(batches.per_epoch() == 7);
        for (int64_t epoch = 0; epoch < 2; ++epoch) {
            std::set<int32_t> seen;
            for (int64_t step = 0; step < 7; ++step) {
                const PairBatch batch = batches.at(epoch * 7 + step);
                const int64_t s = batch.source.size(1), t = batch.x.size(1);
                for (int64_t row = 0; row < batch.source.size(0); ++row) {
                    const auto number = static_cast<int32_t>(batch.source.at(row * s));
                    CHECK(seen.insert(number).second);
                    const PairIds& pair = all[static_cast<size_t>(number)];
                    CHECK(batch.source_lengths.at(row) == pair.source.size());
                    CHECK(batch.target_lengths.at(row) == pair.target.size() - 1);
                    for (int64_t i = 0; i < s; ++i)
                        CHECK(batch.source.at(row * s + i) ==
                              (i < static_cast<int64_t>(pair.source.size())
                                   ? pair.source[static_cast<size_t>(i)]
                                   : 0));
                    for (int64_t i = 0; i < t; ++i) {
                        const bool inside = i + 1 < static_cast<int64_t>(pair.target.size());
                        const auto place = static_cast<size_t>(i);
                        CHECK(batch.x.at(row * t + i) == (inside ? pair.target[place] : 0));
                        CHECK(batch.y.at(row * t + i) == (inside ? pair.target[place + 1] : -100));
                    }
                    if (!shuffle) CHECK(number == step * 8 + row);
                }
            }
            CHECK(seen.size() == 53);
        }
    }
}

TEST_CASE("pair batches: pairs of similar lengths share a batch") {
    PairBatches batches(pairs(400), {.batch = 20, .seed = 1});
    int64_t filling = 0, tokens = 0;
    for (int64_t step = 0; step < batches.per_epoch(); ++step) {
        const PairBatch batch = batches.at(step);
        for (const int32_t id : numbers(batch.y)) ++(id == -100 ? filling : tokens);
    }
    // As 400 = 20 · 4 · 5, each target length fills its batches by itself.
    CHECK(filling == 0);
    CHECK(tokens == 400 * 2 + 100 * (0 + 1 + 2 + 3));
}

TEST_CASE("pair batches: a step's batch depends on the seed and the step alone") {
    PairBatches batches(pairs(60), {.batch = 7, .seed = 4}),
        again(pairs(60), {.batch = 7, .seed = 4});
    PairBatches other(pairs(60), {.batch = 7, .seed = 5});
    const PairBatch late = batches.at(20);
    batches.at(0);
    CHECK(same(batches.at(20), late));
    CHECK(same(again.at(20), late));
    int equal_seed = 0, equal_epoch = 0;
    for (int64_t step = 0; step < batches.per_epoch(); ++step) {
        equal_seed += same(other.at(step), batches.at(step));
        equal_epoch += same(again.at(step + batches.per_epoch()), batches.at(step));
    }
    CHECK(equal_seed < batches.per_epoch());
    CHECK(equal_epoch < batches.per_epoch());
}

TEST_CASE("pair batches: what cannot be is an error") {
    const auto refusal = [](std::vector<PairIds> given, int64_t batch = 2) {
        return error_of([&] { PairBatches(given, {.batch = batch}); });
    };
    CHECK(contains(refusal({}), "there are no pairs"));
    CHECK(contains(refusal(pairs(3), 0), "batches of 0 asked"));
    CHECK(contains(refusal({{{4}, {1, 2}}, {{}, {1, 2}}}), "the source of pair 1 is empty"));
    CHECK(contains(refusal({{{4}, {1}}}), "the target of pair 0 has 1 ids"));
    PairBatches batches(pairs(3));
    CHECK(contains(error_of([&] { batches.at(-1); }), "step -1"));
    CHECK(contains(error_of([&] { batches.batch_of({}); }), "a batch of no pairs"));
    CHECK(contains(error_of([&] { batches.batch_of({3}); }), "no pair 3; 0 ... 2"));
    CHECK(contains(error_of([&] { batches.batch_of({-1}); }), "no pair -1"));
}
