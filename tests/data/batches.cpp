#include "data/batches.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data/temporary.h"

using namespace gradus;
using data::Batches;

namespace {

// Row i of x is [i, -i], and y's is i.
std::pair<Tensor, Tensor> rows(int count) {
    Tensor x = Tensor::empty({count, 2}), y = Tensor::empty({count}, Dtype::i32);
    for (int i = 0; i < count; ++i) {
        x.set(2 * i, i);
        x.set(2 * i + 1, -i);
        y.set(i, i);
    }
    return {x, y};
}

}  // namespace

TEST_CASE("batches: an epoch has each row once, inputs beside their targets") {
    const auto [x, y] = rows(10);
    Batches batches(x, y, 4, {.seed = 1, .keep_last = true});
    REQUIRE(batches.per_epoch() == 3);
    for (int64_t epoch : {0, 1}) {
        std::set<double> seen;
        for (int64_t i = 0; i < 3; ++i) {
            const auto [bx, by] = batches.at(3 * epoch + i);
            REQUIRE(bx.shape() == Shape{i < 2 ? 4 : 2, 2});
            for (int64_t row = 0; row < by.size(); ++row) {
                CHECK(bx.at(2 * row) == by.at(row));
                CHECK(bx.at(2 * row + 1) == -by.at(row));
                seen.insert(by.at(row));
            }
        }
        CHECK(seen.size() == 10);
    }
}

TEST_CASE("batches: a step's rows depend on the seed and the step alone") {
    const auto [x, y] = rows(100);
    Batches all(x, y, 10, {.seed = 1}), late(x, y, 10, {.seed = 1}), other(x, y, 10, {.seed = 2});
    std::vector<double> of_step_23;
    for (int64_t step = 0; step < 24; ++step) {
        const Tensor labels = all.at(step).y;
        of_step_23.clear();
        for (int64_t i = 0; i < 10; ++i) of_step_23.push_back(labels.at(i));
    }
    const Tensor again = late.at(23).y, another = other.at(23).y, earlier = late.at(13).y;
    int same_as_other = 0, same_as_earlier = 0;
    for (int64_t i = 0; i < 10; ++i) {
        const double expected = of_step_23[static_cast<size_t>(i)];
        CHECK(again.at(i) == expected);
        same_as_other += another.at(i) == expected;
        same_as_earlier += earlier.at(i) == expected;
    }
    CHECK(same_as_other < 5);
    CHECK(same_as_earlier < 5);
}

TEST_CASE("batches: in order where shuffling is off, the short last one left out") {
    const auto [x, y] = rows(10);
    Batches batches(x, y, 4, {.shuffle = false});
    CHECK(batches.per_epoch() == 2);
    CHECK(batches.at(1).y.at(0) == 4);
    CHECK(batches.at(2).y.at(0) == 0);
    CHECK(batches.epoch_of(5) == 2);
}

TEST_CASE("batches: rows of f64 and of more axes are taken whole") {
    const Tensor x = Rng(1).normal({3, 2, 2}, 0, 1, Dtype::f64);
    const int32_t positions[] = {2, 2, 0};
    const Tensor taken = data::take_rows(x, positions, 3);
    REQUIRE(taken.shape() == Shape{3, 2, 2});
    for (int64_t i = 0; i < 4; ++i) {
        CHECK(taken.at(i) == x.at(8 + i));
        CHECK(taken.at(4 + i) == x.at(8 + i));
        CHECK(taken.at(8 + i) == x.at(i));
    }
}

TEST_CASE("batches: what cannot be is an error") {
    const auto [x, y] = rows(10);
    CHECK(test::error_of([&, &a = x, &b = y] { Batches(a, b, 11); }) != "");
    CHECK(test::error_of([&, &a = x, &b = y] { Batches(a, b, 0); }) != "");
    CHECK(
        test::contains(test::error_of([&a = x] { Batches(a, Tensor::zeros({9}, Dtype::i32), 2); }),
                       "same number of rows"));
    CHECK(test::error_of([&a = x, &b = y] { Batches(a, b, 2).at(-1); }) != "");
}
