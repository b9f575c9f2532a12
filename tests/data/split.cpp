#include "data/split.h"

#include <doctest/doctest.h>

#include <string>

using gradus::data::is_tenth;

TEST_CASE("split: every tenth document; of few, the last one") {
    for (const size_t n : {1, 2, 9}) {
        for (size_t i = 0; i < n; ++i) CHECK(is_tenth(i, n) == (i + 1 == n));
    }
    for (size_t i = 0; i < 35; ++i) CHECK(is_tenth(i, 35) == (i == 9 || i == 19 || i == 29));
}

TEST_CASE("split: a tenth of the names, each by itself") {
    int tenth = 0;
    for (int i = 0; i < 20000; ++i) tenth += is_tenth("name " + std::to_string(i));
    CHECK(tenth == doctest::Approx(2000).epsilon(0.06));
}
