#include "data/sequences.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;

namespace {

// 0, 1, 2 ...: an id is its own place in the stream.
Tensor stream(int32_t count) {
    std::vector<int32_t> ids(static_cast<size_t>(count));
    std::iota(ids.begin(), ids.end(), 0);
    return Tensor::from(ids);
}

// Sequence i is i, 1000, 1001 ... with 2 + i % 7 ids.
std::vector<std::vector<int32_t>> sequences(int32_t count) {
    std::vector<std::vector<int32_t>> all;
    for (int32_t i = 0; i < count; ++i) {
        all.push_back({i});
        for (int32_t j = 0; j <= i % 7; ++j) all.back().push_back(1000 + j);
    }
    return all;
}

std::vector<int32_t> numbers(const Tensor& ids) {
    const auto values = ids.values<int32_t>();
    return {values.begin(), values.end()};
}

using Ids = std::vector<int32_t>;

}  // namespace

TEST_CASE("stream batches: a pass predicts every id once, up to a tail too short for a step") {
    for (const std::array<int, 3>& sizes :
         {std::array{13, 3, 4}, {14, 3, 4}, {24, 3, 4}, {25, 3, 4}, {101, 7, 3}, {2, 1, 1}}) {
        const int count = sizes[0], batch = sizes[1], time = sizes[2];
        CAPTURE(count);
        const StreamBatches batches(stream(count), batch, time);
        Ids predicted;
        for (int64_t step = 0; step < batches.per_epoch(); ++step) {
            const auto [x, y] = batches.at(step);
            REQUIRE(x.shape() == Shape{batch, time});
            REQUIRE(y.shape() == Shape{batch, time});
            for (int64_t i = 0; i < x.size(); ++i) CHECK(y.at(i) == x.at(i) + 1);
            const Ids targets = numbers(y);
            predicted.insert(predicted.end(), targets.begin(), targets.end());
        }
        std::sort(predicted.begin(), predicted.end());
        Ids expected(predicted.size());
        std::iota(expected.begin(), expected.end(), 1);
        CHECK(predicted == expected);
        CHECK(count - 1 - static_cast<int>(predicted.size()) < batch * time);
    }
}

TEST_CASE("stream batches: each row goes on where the step before ended") {
    const StreamBatches batches(stream(100), 4, 5);
    REQUIRE(batches.per_epoch() == 4);
    for (int64_t step = 1; step < 4; ++step) {
        const Tensor before = batches.at(step - 1).y, now = batches.at(step).x;
        for (int64_t row = 0; row < 4; ++row) CHECK(now.at(row * 5) == before.at(row * 5 + 4));
    }
    CHECK(batches.begins(0));
    CHECK(!batches.begins(3));
    CHECK(batches.begins(4));
    CHECK(numbers(batches.at(6).x) == numbers(batches.at(2).x));
    CHECK(numbers(batches.at(0).x) ==
          Ids{0, 1, 2, 3, 4, 20, 21, 22, 23, 24, 40, 41, 42, 43, 44, 60, 61, 62, 63, 64});
}

TEST_CASE("stream batches: what cannot be is an error") {
    CHECK(contains(error_of([] { StreamBatches(stream(12), 3, 4); }),
                   "12 ids are too few for 3 rows of 4 steps, which need one more than 12"));
    CHECK(error_of([] { StreamBatches(stream(13), 3, 4); }) == "");
    CHECK(contains(error_of([] { StreamBatches(stream(0), 1, 1); }), "0 ids are too few"));
    CHECK(contains(error_of([] { StreamBatches(stream(9), 0, 4); }), "0 rows of 4 steps"));
    CHECK(contains(error_of([] { StreamBatches(stream(9), 2, -1); }), "2 rows of -1 steps"));
    CHECK(contains(error_of([] { StreamBatches(Tensor::zeros({9}), 1, 1); }), "f32 [9]"));
    CHECK(contains(error_of([] { StreamBatches(stream(8).view({2, 4}), 1, 1); }), "i32 [2, 4]"));
    CHECK(contains(error_of([] { StreamBatches(stream(9), 1, 1).at(-1); }), "count from 0"));
}

TEST_CASE("padded batches: x, the ids that follow, lengths and filling") {
    PaddedBatches batches({{1, 2, 3, 4}, {5, 6}, {7, 8, 9}}, 2, {.shuffle = false, .padding = 99});
    REQUIRE(batches.per_epoch() == 2);
    const PaddedBatch first = batches.at(0), second = batches.at(1);
    CHECK(first.x.shape() == Shape{2, 3});
    CHECK(numbers(first.x) == Ids{1, 2, 3, 5, 99, 99});
    CHECK(numbers(first.y) == Ids{2, 3, 4, 6, -100, -100});
    CHECK(numbers(first.lengths) == Ids{3, 1});
    CHECK(second.x.shape() == Shape{1, 2});
    CHECK(numbers(second.x) == Ids{7, 8});
    CHECK(numbers(second.y) == Ids{8, 9});
    CHECK(numbers(second.lengths) == Ids{2});
    CHECK(numbers(batches.at(2).x) == numbers(first.x));
}

TEST_CASE("random windows: each is a piece of the stream, and every place has its turn") {
    const RandomWindows windows(stream(12), 5, 4, 7);
    std::set<int32_t> begins;
    for (int64_t step = 0; step < 40; ++step) {
        const auto [x, y] = windows.at(step);
        REQUIRE(x.shape() == Shape{5, 4});
        for (int64_t row = 0; row < 5; ++row) {
            const auto begin = static_cast<int32_t>(x.at(row * 4));
            begins.insert(begin);
            for (int32_t t = 0; t < 4; ++t) {
                CHECK(x.at(row * 4 + t) == begin + t);
                CHECK(y.at(row * 4 + t) == begin + t + 1);
            }
        }
    }
    CHECK(begins == std::set<int32_t>{0, 1, 2, 3, 4, 5, 6, 7});
    const Ids of_step_3 = numbers(windows.at(3).x);
    CHECK(numbers(RandomWindows(stream(12), 5, 4, 7).at(3).x) == of_step_3);
    CHECK(numbers(RandomWindows(stream(12), 5, 4, 8).at(3).x) != of_step_3);
    CHECK(numbers(windows.at(4).x) != of_step_3);
}

TEST_CASE("random windows: what cannot be is an error") {
    CHECK(contains(error_of([] { RandomWindows(stream(4), 1, 4); }),
                   "4 ids are too few for a window of 4, which needs one more"));
    CHECK(error_of([] { RandomWindows(stream(5), 1, 4).at(0); }) == "");
    CHECK(contains(error_of([] { RandomWindows(stream(5), 0, 4); }), "0 windows of 4 steps asked"));
    CHECK(contains(error_of([] { RandomWindows(Tensor::zeros({5}), 1, 4); }), "f32 [5]"));
    CHECK(contains(error_of([] { RandomWindows(stream(5), 1, 4).at(-1); }), "count from 0"));
}

TEST_CASE("padded batches: an epoch has each sequence once, whole, beside others of its length") {
    const auto all = sequences(100);
    PaddedBatches batches(all, 8, {.seed = 3});
    REQUIRE(batches.per_epoch() == 13);
    for (int64_t epoch : {0, 1}) {
        std::set<int32_t> seen;
        for (int64_t i = 0; i < 13; ++i) {
            const PaddedBatch batch = batches.at(13 * epoch + i);
            const int64_t rows = batch.x.size(0), time = batch.x.size(1);
            REQUIRE(batch.y.shape() == batch.x.shape());
            REQUIRE(batch.lengths.shape() == Shape{rows});
            const Ids x = numbers(batch.x), y = numbers(batch.y), lengths = numbers(batch.lengths);
            CHECK(*std::max_element(lengths.begin(), lengths.end()) == time);
            CHECK(*std::min_element(lengths.begin(), lengths.end()) >= time - 1);
            for (int64_t row = 0; row < rows; ++row) {
                const auto begin = static_cast<size_t>(row * time);
                const Ids& sequence = all[static_cast<size_t>(x[begin])];
                seen.insert(x[begin]);
                Ids full(x.begin() + row * time, x.begin() + (row + 1) * time);
                full.resize(static_cast<size_t>(lengths[static_cast<size_t>(row)]));
                full.push_back(y[begin + full.size() - 1]);
                CHECK(full == sequence);
                CHECK(std::count(y.begin() + row * time, y.begin() + (row + 1) * time, -100) ==
                      time - lengths[static_cast<size_t>(row)]);
            }
        }
        CHECK(seen.size() == 100);
    }
}

TEST_CASE("padded batches: a step's rows depend on the seed and the step alone") {
    const auto all = sequences(100);
    PaddedBatches ascending(all, 10, {.seed = 1}), late(all, 10, {.seed = 1});
    PaddedBatches other(all, 10, {.seed = 2});
    Ids of_step_23;
    for (int64_t step = 0; step < 24; ++step) of_step_23 = numbers(ascending.at(step).x);
    CHECK(numbers(late.at(23).x) == of_step_23);
    CHECK(numbers(late.at(3).x) != of_step_23);
    CHECK(numbers(other.at(23).x) != of_step_23);

    // The batches do not come in the order of their lengths.
    std::vector<int64_t> times;
    for (int64_t step = 0; step < 10; ++step) times.push_back(ascending.at(step).x.size(1));
    CHECK(!std::is_sorted(times.begin(), times.end()));
}

TEST_CASE("padded batches: what cannot be is an error") {
    CHECK(contains(error_of([] { PaddedBatches({}, 2); }), "there are no sequences"));
    CHECK(contains(error_of([] { PaddedBatches({{1, 2}}, 0); }), "batches of 0 asked"));
    CHECK(contains(error_of([] {
                       PaddedBatches({{1, 2}, {3}}, 1);
                   }),
                   "sequence 1 has length 1; at least 2 ids expected"));
    CHECK(contains(error_of([] { PaddedBatches({{}}, 1); }), "sequence 0 has length 0"));
    CHECK(contains(error_of([] { PaddedBatches({{1, 2}}, 4).at(-1); }), "count from 0"));
    CHECK(error_of([] { PaddedBatches({{1, 2}}, 4).at(0); }) == "");
}
