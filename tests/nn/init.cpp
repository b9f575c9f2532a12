#include "nn/init.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using namespace gradus::nn;

namespace {

struct Moments {
    double mean, deviation, low, high;
};

Moments moments(const Tensor& x) {
    Moments m{0, 0, x.at(0), x.at(0)};
    double square = 0;
    for (int64_t i = 0; i < x.size(); ++i) {
        m.mean += x.at(i) / static_cast<double>(x.size());
        square += x.at(i) * x.at(i) / static_cast<double>(x.size());
        m.low = std::min(m.low, x.at(i));
        m.high = std::max(m.high, x.at(i));
    }
    m.deviation = std::sqrt(square - m.mean * m.mean);
    return m;
}

Tensor weight() { return Tensor::empty({200, 300}); }

}  // namespace

TEST_CASE("init: same seed, same weights, and f32 has those of f64") {
    manual_seed(5);
    const Tensor a = init::normal(weight());
    manual_seed(5);
    const Tensor b = init::normal(weight());
    manual_seed(5);
    const Tensor c = init::normal(Tensor::empty({200, 300}, Dtype::f64));
    CHECK(test::same_bits(a, b));
    CHECK(test::same_bits(a, c.to(Dtype::f32)));
}

TEST_CASE("init: deviations are those of the papers") {
    manual_seed(1);
    CHECK(moments(init::normal(weight(), 1, 2)).mean == doctest::Approx(1).epsilon(0.03));
    CHECK(moments(init::normal(weight(), 1, 2)).deviation == doctest::Approx(2).epsilon(0.02));
    const double xavier = std::sqrt(2.0 / 500), kaiming = std::sqrt(2.0 / 300);
    CHECK(moments(init::xavier_normal(weight())).deviation ==
          doctest::Approx(xavier).epsilon(0.02));
    CHECK(moments(init::xavier_uniform(weight())).deviation ==
          doctest::Approx(xavier).epsilon(0.02));
    CHECK(moments(init::xavier_uniform(weight())).high <= std::sqrt(6.0 / 500));
    CHECK(moments(init::kaiming_normal(weight())).deviation ==
          doctest::Approx(kaiming).epsilon(0.02));
    CHECK(moments(init::kaiming_uniform(weight())).deviation ==
          doctest::Approx(kaiming).epsilon(0.02));
    CHECK(moments(init::kaiming_uniform(weight(), init::gain(Activation::none))).high <=
          std::sqrt(3.0 / 300));
}

TEST_CASE("init: fans count the field of a convolution") {
    const auto [in, out] = init::fans(Tensor::empty({8, 4, 3, 3}));
    CHECK(in == 36);
    CHECK(out == 72);
    CHECK(test::contains(test::error_of([] { init::xavier_normal(Tensor::empty({4})); }),
                         "at least two axes"));
}

TEST_CASE("init: a cut normal distribution stays inside") {
    manual_seed(1);
    const Moments m = moments(init::trunc_normal(weight(), 0, 1, -1, 2));
    CHECK(m.low >= -1);
    CHECK(m.high <= 2);
    CHECK(m.mean == doctest::Approx(0.2296).epsilon(0.03));  // (φ(-1) - φ(2)) / (Φ(2) - Φ(-1))
    CHECK(test::error_of([] { init::trunc_normal(weight(), 0, 1, 10, 11); }) != "");
}

TEST_CASE("init: what is filled is what was given") {
    const Tensor x = weight();
    CHECK(init::ones(x).same_as(x));
    CHECK(x.at(59999) == 1);
    CHECK(init::zeros(x).at(59999) == 0);
}
