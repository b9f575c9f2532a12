#include "report/plot/contour.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/error.h"

using namespace gradus::report;

namespace {
// The signed area by the shoelace formula.
double area(const std::vector<Point>& loop) {
    double twice = 0;
    for (std::size_t i = 0; i < loop.size(); ++i) {
        const Point &a = loop[i], &b = loop[(i + 1) % loop.size()];
        twice += a.x * b.y - b.x * a.y;
    }
    return twice / 2;
}
double total_area(const Field2D& field, double level) {
    double sum = 0;
    for (const auto& loop : contour_loops(field, level)) sum += area(loop);
    return std::abs(sum);
}
}  // namespace

TEST_CASE("contour: the disc where 1 - x² - y² ≥ 0 has the area of a disc") {
    const auto bowl = [](double x, double y) { return 1 - x * x - y * y; };
    const Field2D field = sample(bowl, -1.5, 1.5, -1.5, 1.5, 101, 101);
    const auto loops = contour_loops(field, 0);
    REQUIRE(loops.size() == 1);
    CHECK(std::abs(area(loops[0])) == doctest::Approx(3.14159).epsilon(0.002));
    for (const Point p : loops[0]) CHECK(std::hypot(p.x, p.y) == doctest::Approx(1).epsilon(0.001));
}

TEST_CASE("contour: a set with a hole, and one that meets the edge") {
    const auto radius = [](double x, double y) { return x * x + y * y; };
    const Field2D field = sample(radius, -1, 1, -1, 1, 81, 81);
    CHECK(contour_loops(field, 0.25).size() == 2);  // the square's edge and the hole
    CHECK(total_area(field, 0.25) == doctest::Approx(4 - 3.14159 / 4).epsilon(0.003));
    CHECK(contour_loops(field, 1.5).size() == 4);  // four corners
    CHECK(contour_loops(field, 3).empty());
    CHECK(total_area(field, -1) == doctest::Approx(4));  // everything
}

TEST_CASE("contour: a saddle is cut one way or the other, never crossed") {
    for (const double level : {-0.1, 0.0, 0.1}) {
        const Field2D field = sample([](double x, double y) { return x * y; }, -1, 1, -1, 1, 6, 6);
        for (const auto& loop : contour_loops(field, level)) CHECK(loop.size() >= 3);
    }
    const Field2D cell{{0, 1}, {0, 1}, {1, 0, 0, 1}};
    CHECK(contour_loops(cell, 0.4).size() == 1);  // the middle, 0.5, joins the corners
    CHECK(contour_loops(cell, 0.6).size() == 2);
}

TEST_CASE("contour: NaN and infinity are outside of every set") {
    const Field2D field{{0, 1, 2}, {0, 1, 2}, {1, 1, 1, 1, std::nan(""), 1, 1, 1, INFINITY}};
    for (const auto& loop : contour_loops(field, 0.5)) {
        for (const Point p : loop) {
            CHECK(std::isfinite(p.x));
            CHECK(std::isfinite(p.y));
        }
    }
}

TEST_CASE("contour: levels are even, or even in the logarithm") {
    const auto even = contour_levels({{0, 1}, {0, 1}, {0, 10, 20, 40}}, 3);
    CHECK(even == std::vector<double>{10, 20, 30});
    const auto log = contour_levels({{0, 1}, {0, 1}, {1, 10, 100, 1000}}, 3);
    REQUIRE(log.size() == 3);
    CHECK(log[1] == doctest::Approx(10));
    CHECK(contour_levels({{0, 1}, {0, 1}, {2, 2, 2, 2}}).empty());
    CHECK(contour_levels({{0, 1}, {0, 1}, {NAN, NAN, NAN, NAN}}).empty());
}

TEST_CASE("contour: bad grids are errors") {
    CHECK_THROWS_AS(contour_loops({{0}, {0, 1}, {1, 2}}, 0), gradus::Error);
    CHECK_THROWS_AS(contour_loops({{0, 1}, {0, 1}, {1, 2}}, 0), gradus::Error);
    CHECK_THROWS_AS(sample([](double, double) { return 0.0; }, 1, 0, 0, 1), gradus::Error);
}
