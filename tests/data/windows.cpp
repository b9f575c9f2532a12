#include "data/windows.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

TEST_CASE("windows: a row for each token, padded before the beginning of its sequence") {
    const auto [x, y] = data::windows({{5, 6, 7}, {}, {8, 9}}, 2, 0);
    CHECK(test::same_bits(x, Tensor::from<int32_t>({0, 0, 0, 5, 5, 6, 0, 0, 0, 8}, {5, 2})));
    CHECK(test::same_bits(y, Tensor::from<int32_t>({5, 6, 7, 8, 9})));
}

TEST_CASE("windows: may be longer than a sequence") {
    const auto [x, y] = data::windows({{1, 2}}, 4, -1);
    CHECK(test::same_bits(x, Tensor::from<int32_t>({-1, -1, -1, -1, -1, -1, -1, 1}, {2, 4})));
    CHECK(y.size() == 2);
}

TEST_CASE("windows: no width or no tokens are refused") {
    CHECK(test::contains(test::error_of([] { data::windows({{1, 2}}, 0, 0); }), "a window of 0"));
    CHECK(test::contains(test::error_of([] { data::windows({{}, {}}, 2, 0); }), "over 0 tokens"));
}
