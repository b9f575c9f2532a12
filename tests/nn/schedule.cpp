#include "nn/schedule.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using doctest::Approx;

namespace {

double distance(const nn::Schedule& schedule, const Tensor& expected) {
    double largest = 0;
    for (int64_t step = 0; step < expected.size(); ++step)
        largest = std::max(largest, std::abs(schedule(step) - expected.at(step)));
    return largest;
}

}  // namespace

TEST_CASE("schedules: PyTorch's, where it has them") {
    const nn::StateDict torch = test::fixture("schedule");
    CHECK(distance(nn::WarmupCosine{.peak = 0.5, .total = 50, .floor = 0.1}, torch.at("cosine")) <
          1e-12);
    CHECK(distance(nn::StepDecay{.lr = 0.3, .every = 6, .factor = 0.5}, torch.at("step")) < 1e-12);
    CHECK(distance(nn::OneCycle{.peak = 0.2, .total = 41}, torch.at("one_cycle")) < 1e-12);
}

TEST_CASE("warm-up cosine: rises, falls, stays") {
    const nn::WarmupCosine schedule{.peak = 1, .warmup = 4, .total = 24, .floor = 0.2};
    CHECK(schedule(0) == Approx(0.25));
    CHECK(schedule(3) == Approx(1));
    CHECK(schedule(4) == Approx(1));
    CHECK(schedule(14) == Approx(0.6));
    CHECK(schedule(24) == Approx(0.2));
    CHECK(schedule(1000) == Approx(0.2));
    CHECK(test::error_of([] { nn::WarmupCosine{.peak = 1, .warmup = 5, .total = 5}(0); }) != "");
}

TEST_CASE("Noam: highest at the end of the warm-up") {
    const nn::Noam schedule{.dim = 512, .warmup = 4000};
    CHECK(schedule(3999) == Approx(1 / std::sqrt(512.0 * 4000)));
    CHECK(schedule(1999) == Approx(schedule(3999) / 2));
    CHECK(schedule(15999) == Approx(schedule(3999) / 2));
}

TEST_CASE("slanted triangular: ULMFiT's equation") {
    const nn::SlantedTriangular schedule{.peak = 0.01, .total = 100};
    CHECK(schedule(0) == Approx(0.01 / 32));
    CHECK(schedule(10) == Approx(0.01));
    CHECK(schedule(55) == Approx(0.01 * (1 + 0.5 * 31) / 32));
    CHECK(schedule(100) == Approx(0.01 / 32));
    CHECK(schedule(500) == Approx(0.01 / 32));
}

TEST_CASE("schedules: what cannot be is an error") {
    CHECK(test::error_of([] { nn::OneCycle{.peak = 1, .total = 2}(0); }) != "");
    CHECK(test::error_of([] { nn::SlantedTriangular{.peak = 1, .total = 5}(0); }) != "");
    CHECK(test::error_of([] { nn::StepDecay{.lr = 1, .every = 0}(0); }) != "");
    CHECK(nn::Constant{0.3}(77) == 0.3);
}
