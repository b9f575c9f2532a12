#include "report/plot/scale.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/error.h"

using namespace gradus::report;

namespace {
std::vector<std::string> labels(const Scale& scale) {
    std::vector<std::string> all;
    for (const Tick& tick : scale.ticks()) {
        if (!tick.label.empty()) all.push_back(tick.label);
    }
    return all;
}
using Labels = std::vector<std::string>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("scale: linear ticks are 1, 2 or 5 apart and reach over the data") {
    CHECK(labels(Scale::linear(0, 1, 5)) == Labels{"0", "0.2", "0.4", "0.6", "0.8", "1.0"});
    CHECK(labels(Scale::linear(0.3, 4.7, 5)) == Labels{"0", "1", "2", "3", "4", "5"});
    CHECK(labels(Scale::linear(-12, 31, 5)) == Labels{"−20", "−10", "0", "10", "20", "30", "40"});
    CHECK(labels(Scale::linear(0, 60000, 3)) == Labels{"0", "20,000", "40,000", "60,000"});
    CHECK(labels(Scale::linear(0, 3e-9, 3)) == Labels{"0", "1e-09", "2e-09", "3e-09"});
    CHECK(labels(Scale::linear(0.971, 0.984, 4)) == Labels{"0.970", "0.975", "0.980", "0.985"});
    const Scale scale = Scale::linear(0.3, 4.7, 5);
    CHECK(scale.low() == 0);
    CHECK(scale.high() == 5);
    CHECK(scale.place(2.5) == doctest::Approx(0.5));
}

TEST_CASE("scale: exact ends stay where they are") {
    const Scale scale = Scale::linear_exact(0.3, 4.7, 5);
    CHECK(scale.low() == 0.3);
    CHECK(scale.high() == 4.7);
    CHECK(labels(scale) == Labels{"1", "2", "3", "4"});
}

TEST_CASE("scale: logarithmic ticks stand on decades, with 2 and 5 where there are few") {
    CHECK(labels(Scale::log(1, 1000)) == Labels{"1", "10", "100", "1,000"});
    CHECK(labels(Scale::log(1, 20)) == Labels{"1", "2", "5", "10", "20"});
    CHECK(labels(Scale::log(1e-12, 1, 6)) ==
          Labels{"10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01", "1"});
    CHECK(labels(Scale::log(2.1, 3.9, 4)) == Labels{"2.5", "3.0", "3.5"});
    const Scale scale = Scale::log(1, 1000);
    CHECK(scale.place(10) == doctest::Approx(1.0 / 3));
    CHECK(scale.ticks().size() == 28);  // 2 to 9 of each decade too, without labels
}

TEST_CASE("scale: equal ends, wild ends and no ends at all give an axis") {
    for (const Scale& scale :
         {Scale::linear(5, 5), Scale::linear(0, 0), Scale::linear(kInfinity, -kInfinity),
          Scale::linear(-1e308, 1e308), Scale::linear(1, 1 + 1e-15), Scale::linear(1e-320, 2e-320),
          Scale::log(3, 3), Scale::log(kInfinity, -kInfinity), Scale::log(1e-300, 1e300),
          Scale::linear(std::nan(""), 1), Scale::linear_exact(2, 1)}) {
        CHECK(scale.low() < scale.high());
        CHECK(scale.ticks().size() >= 1);
        CHECK(scale.ticks().size() <= 700);
        CHECK(std::isfinite(scale.place((scale.low() + scale.high()) / 2)));
    }
}

TEST_CASE("scale: what cannot stand on an axis") {
    CHECK_FALSE(Scale::linear(0, 1).shows(std::nan("")));
    CHECK_FALSE(Scale::linear(0, 1).shows(kInfinity));
    CHECK(Scale::linear(0, 1).shows(-7));
    CHECK_FALSE(Scale::log(1, 2).shows(0));
    CHECK_THROWS_WITH_AS(Scale::log(0, 1),
                         "Scale::log: a logarithmic axis needs values above 0; its low end is 0",
                         gradus::Error);
}
