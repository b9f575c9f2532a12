#include "lessons/projection.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using lesson::principal_axes, lesson::project;

namespace {

// A cloud 5 long in one direction, 2 in a second, 0.1 in all others, far from the origin.
struct Cloud {
    Tensor long_axis, short_axis, x;  // [1, D], [1, D], [N, D]
};
Cloud cloud(int64_t n, int64_t d) {
    Rng rng(1);
    Tensor a = rng.normal({1, d}, 0, 1, Dtype::f64), b = rng.normal({1, d}, 0, 1, Dtype::f64);
    a = a / sqrt(sum(square(a)));
    b = b - a * sum(a * b);
    b = b / sqrt(sum(square(b)));
    const Tensor x = rng.normal({n, 1}, 0, 5, Dtype::f64) * a +
                     rng.normal({n, 1}, 0, 2, Dtype::f64) * b +
                     rng.normal({n, d}, 0, 0.1, Dtype::f64) + 30.0;
    return {a, b, x};
}

}  // namespace

TEST_CASE("projection: finds the directions in which a cloud is long, the longest first") {
    const Cloud c = cloud(4000, 12);
    const Tensor axes = principal_axes(c.x, 2);
    CHECK(std::abs(sum(slice(axes, 0, 0, 1) * c.long_axis).item()) > 0.999);
    CHECK(std::abs(sum(slice(axes, 0, 1, 2) * c.short_axis).item()) > 0.999);
    const Tensor flat = project(c.x, axes);  // [N, 2]
    const Tensor variance = var(flat, {0});
    CHECK(variance.at(0) == doctest::Approx(25).epsilon(0.1));
    CHECK(variance.at(1) == doctest::Approx(4).epsilon(0.1));
    CHECK(max(abs(mean(flat, {0}))).item() < 1e-9);
}

TEST_CASE("projection: axes are of unit length, at right angles, and diagonalise the covariance") {
    Rng rng(2);
    const Tensor x = rng.normal({40, 6}, 1, 2, Dtype::f64), axes = principal_axes(x, 6);
    Tensor identity = Tensor::zeros({6, 6}, Dtype::f64);
    for (int i = 0; i < 6; ++i) identity.set(i * 7, 1);
    CHECK(test::distance(matmul(axes, axes, Trans::b), identity) < 1e-9);
    const Tensor flat = project(x, axes), covariance = matmul(flat, flat, Trans::a);
    CHECK(max(abs(covariance * (1 - identity))).item() < 1e-6 * max(covariance).item());
    for (int i = 0; i < 5; ++i) CHECK(covariance.at(i * 7) >= covariance.at((i + 1) * 7));
}

TEST_CASE("projection: rows that are all alike, or lie on a line, are no trouble") {
    CHECK(max(abs(project(Tensor::ones({5, 3}), principal_axes(Tensor::ones({5, 3}), 2)))).item() <
          1e-9);
    const Tensor line = Tensor::from<float>({0, 0, 1, 2, 2, 4}, {3, 2});
    const Tensor flat = project(line, principal_axes(line, 2));
    CHECK(std::abs(flat.at(4)) == doctest::Approx(std::sqrt(5)));
    CHECK(std::abs(flat.at(5)) < 1e-9);
}

TEST_CASE("projection: what has no such axes is refused") {
    const auto of = [](const Shape& shape, int64_t count) {
        return test::error_of([&] { principal_axes(Tensor::ones(shape), count); });
    };
    CHECK(test::contains(of({1, 3}, 1), "at least two rows"));
    CHECK(test::contains(of({4, 3}, 4), "4 axes in 3 dimensions"));
    CHECK(test::contains(of({4, 3}, 0), "0 axes"));
}
