#include "report/plot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;
using Values = std::vector<double>;

namespace {
Values steps(std::size_t n) {
    Values xs(n);
    std::iota(xs.begin(), xs.end(), 1);
    return xs;
}
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

TEST_CASE("plot: every kind of series is well-formed, with hostile names too") {
    const std::string name = "<script>\"&'\xFF";
    const Values xs = {1, 2, 3}, ys = {3, 1, 2}, lo = {2, 0.5, 1}, hi = {4, 2, 3};
    Plot plot(name, name, name);
    plot.line(name, xs, ys).noisy_line(name, xs, ys).path(name, xs, ys).points(name, xs, ys);
    plot.band(name, xs, lo, hi).hline(name, 2);
    CHECK(xml_fault(plot.svg()) == "");
    CHECK(xml_fault(plot.log_x().log_y().svg()) == "");
    CHECK_FALSE(contains(plot.svg(), "<script>"));
}

TEST_CASE("plot: points with labels show them in place of dots, escaped") {
    const Values xs = {1, 2, 3}, ys = {3, 1, kNaN};
    const std::vector<std::string> names = {"a", "<b>", "lost"};
    const std::string svg = Plot("t", "x", "y").labels("letters", xs, ys, names).svg();
    CHECK(xml_fault(svg) == "");
    CHECK(contains(svg, ">a</text>"));
    CHECK(contains(svg, ">&lt;b&gt;</text>"));
    CHECK_FALSE(contains(svg, "lost"));
    CHECK(contains(svg, "letters: 1 value is not finite"));
    CHECK(count(svg, "dot mark") == 0);
    const std::vector<std::string> few = {"a"};
    CHECK_THROWS_AS(Plot("t", "x", "y").labels("letters", xs, ys, few), gradus::Error);
}

TEST_CASE("plot: colours come from classes alone, so that light and dark both work") {
    const Values xs = {1, 2, 3};
    Plot plot("t", "x", "y");
    plot.line("a", xs, xs).points("b", xs, xs).hline("c", 2);
    CHECK_FALSE(contains(plot.svg(), "#"));
    CHECK(contains(plot.svg(), "class=\"curve c0\""));
    CHECK(contains(plot.svg(), "f1\""));
    CHECK(contains(plot.svg(), "class=\"level c2\""));
}

TEST_CASE("plot: values that cannot be drawn are left out, and counted") {
    const Values xs = {1, 2, 3, 4, 5, 6}, ys = {1, kNaN, 2, kInfinity, 3, 2};
    const std::string svg = Plot("t", "x", "y").line("train", xs, ys).svg();
    CHECK(contains(svg, "train: 2 values are not finite, left out"));
    CHECK_FALSE(contains(svg, "nan"));
    CHECK_FALSE(contains(svg, "inf"));
    const Values zeros = {1, 0, -1, 1, 1, 1};
    Plot log("t", "x", "y");
    CHECK(contains(log.line("train", xs, zeros).log_y().svg(), "train: 2 values are"));
    const Values none = {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN};
    const std::string empty = Plot("t", "x", "y").line("l", xs, none).svg();
    CHECK(xml_fault(empty) == "");
    CHECK(contains(empty, "l: 6 values are"));
    CHECK_FALSE(contains(empty, "nan"));
}

TEST_CASE("plot: nothing, one point and constants are drawn") {
    CHECK(contains(Plot("t", "x", "y").svg(), "no values"));
    CHECK(contains(Plot("t", "x", "y").line("l", {}, {}).svg(), "no values"));
    const Values one = {5}, flat = {2, 2, 2};
    CHECK(contains(Plot("t", "x", "y").line("l", one, one).svg(), "<circle class=\"dot f0\""));
    CHECK(xml_fault(Plot("t", "x", "y").line("l", flat, flat).svg()) == "");
    CHECK(xml_fault(Plot("", "", "").noisy_line("", one, one).svg()) == "");
    CHECK(xml_fault(Plot("t", "x", "y").log_x().log_y().svg()) == "");
}

TEST_CASE("plot: values of any size are drawn") {
    const Values xs = {-1e308, 0, 1e308}, tiny = {1e-308, 2e-308, 3e-308};
    for (const std::string& svg : {Plot("t", "x", "y").line("l", xs, xs).svg(),
                                   Plot("t", "x", "y").line("l", tiny, tiny).svg()}) {
        CHECK(xml_fault(svg) == "");
        CHECK_FALSE(contains(svg, "nan"));
        CHECK_FALSE(contains(svg, "inf"));
    }
}

TEST_CASE("plot: many points are thinned, extremes stay") {
    const std::size_t n = 100000;
    Values xs = steps(n), ys(n);
    for (std::size_t i = 0; i < n; ++i) ys[i] = std::sin(static_cast<double>(i));
    ys[77777] = 42;
    ys[33333] = -42;
    const auto kept = decimate(ys);
    CHECK(kept.size() <= 2002);
    CHECK(kept.front() == 0);
    CHECK(kept.back() == n - 1);
    CHECK(std::is_sorted(kept.begin(), kept.end()));
    CHECK(std::adjacent_find(kept.begin(), kept.end()) == kept.end());
    CHECK(std::count(kept.begin(), kept.end(), 77777u) == 1);
    CHECK(std::count(kept.begin(), kept.end(), 33333u) == 1);
    CHECK(Plot("t", "x", "y").line("l", xs, ys).svg().size() < 100000);
    CHECK(Plot("t", "x", "y").noisy_line("l", xs, ys).svg().size() < 120000);
    const std::string points = Plot("t", "x", "y").points("p", xs, ys).svg();
    CHECK(count(points, "<circle") <= 3000);
    CHECK(contains(points, "p: one of 34 points is drawn"));
    CHECK(decimate(Values{3, 1, 2}).size() == 3);
    CHECK(decimate(Values{}).empty());
}

TEST_CASE("plot: pointing shows the values") {
    const Values xs = {100, 200, 300}, a = {0.5, 0.25, 0.125}, b = {0.75, 0.5, 0.25};
    Plot plot("t", "step", "loss");
    const std::string svg = plot.line("train", xs, a).line("test", xs, b).svg();
    CHECK(count(svg, "class=\"hover\"") == 3);
    CHECK(contains(svg, "step 200 · train 0.25 · test 0.5"));
    CHECK(contains(Plot("t", "x", "y").points("p", xs, a).svg(), "<title>p: 200, 0.25</title>"));
    CHECK(contains(Plot("t", "x", "y").path("gd", xs, a).svg(), "<title>gd 2: 300, 0.125</title>"));
}

TEST_CASE("plot: bars with long labels, negative values and a level") {
    const std::vector<std::string> labels = {"a", "a label of many words that breaks", "<b>", "d"};
    const Values values = {1, -2, kNaN, 3};
    const std::string svg = Plot("t", "", "GFLOP/s").bars(labels, values).hline("mark", 2).svg();
    CHECK(xml_fault(svg) == "");
    CHECK(count(svg, "<rect class=\"f0 mark\"") == 3);
    CHECK(contains(svg, "&lt;b&gt;: 1 value is not finite"));
    const std::vector<std::string> long_words(12, "unbreakable_label_of_one_word");
    CHECK(contains(Plot("t", "", "y").bars(long_words, Values(12, 1)).svg(), "rotate(-35)"));
    CHECK(xml_fault(Plot("t", "", "y").bars({}, {}).svg()) == "");
}

TEST_CASE("plot: a path over contours") {
    const auto bowl = [](double x, double y) { return x * x + y * y; };
    Plot plot("t", "x", "y");
    plot.contours(sample(bowl, -1, 1, -1, 1, 20, 20), {0.1, 0.5});
    plot.path("descent", Values{0.9, 0.5, 0}, Values{0.9, 0.3, 0});
    CHECK(xml_fault(plot.svg()) == "");
    CHECK(count(plot.svg(), "class=\"contour\"") == 2);
    CHECK(contains(plot.svg(), "class=\"ring c0\""));
}

TEST_CASE("plot: what does not go together is an error") {
    const Values two = {1, 2}, three = {1, 2, 3};
    CHECK_THROWS_WITH_AS(Plot("t", "x", "y").line("train", three, two),
                         "Plot: \"train\" has 3 x values and 2 y values", gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").band("b", two, two, three), gradus::Error);
    const std::vector<std::string> labels = {"a", "b"};
    CHECK_THROWS_AS(Plot("t", "x", "y").line("l", two, two).bars(labels, two), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").bars(labels, two).line("l", two, two), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").bars(labels, three), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").x_range(1, 1), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").size(10, 10), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").x_range(-1, 1).log_x().svg(), gradus::Error);
    CHECK_THROWS_AS(Plot("t", "x", "y").contours({{0, 1}, {0, 1}, {1}}, {0.5}), gradus::Error);
}
