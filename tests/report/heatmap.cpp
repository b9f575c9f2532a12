#include "report/heatmap.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;
using Values = std::vector<double>;

TEST_CASE("heatmap: every cell shows its labels and value") {
    Heatmap map("attention", Values{0.9, 0.1, 0.25, 0.75}, 2);
    map.labels({"le", "chat"}, {"the", "<eos>"}).axes("target", "source").range(0, 1);
    CHECK(xml_fault(map.svg()) == "");
    CHECK(contains(map.svg(), "<title>chat · &lt;eos&gt;: 0.7500</title>"));
    CHECK(contains(map.svg(), "fill-opacity=\"0.90\""));
    CHECK_FALSE(contains(map.svg(), "#"));
}

TEST_CASE("heatmap: values below 0 have a colour of their own") {
    const std::string svg = Heatmap("w", Values{-2, 0, 1, 2}, 2).svg();
    CHECK(contains(svg, "class=\"cell mark below\""));
    CHECK(contains(svg, "fill-opacity=\"0.50\"><title>row 1 · column 0: 1</title>"));
}

TEST_CASE("heatmap: logarithmic colours; zeros are blank, what is missing is stated") {
    const std::string svg = Heatmap("n", Values{0, 1, 10, 100, NAN, -1}, 3).log_scale().svg();
    CHECK(xml_fault(svg) == "");
    CHECK(contains(svg, "fill-opacity=\"0.53\"><title>row 0 · column 2: 10<"));
    CHECK(contains(svg, "2 cells (×): not finite, or below 0"));
    CHECK_FALSE(contains(svg, "\"nan\""));
}

TEST_CASE("heatmap: constants, one cell, nothing finite, big ones") {
    CHECK(xml_fault(Heatmap("", Values{3}, 1).svg()) == "");
    CHECK(xml_fault(Heatmap("", Values{0, 0}, 1).svg()) == "");
    CHECK(xml_fault(Heatmap("", Values{NAN, INFINITY}, 2).log_scale().svg()) == "");
    const std::string big = Heatmap("big", Values(100 * 100, 0.5), 100).svg();
    CHECK(contains(big, "pointing at one shows no value"));
    CHECK(big.size() < 1500000);
}

TEST_CASE("heatmap: labels of many rows do not touch") {
    const std::vector<std::string> names(64, "token");
    Heatmap map("m", Values(64 * 64, 0.5), 64);
    map.labels(names, names).cell_size(6);
    CHECK(count(map.svg(), ">token</text>") == 64);  // every second of both
}

TEST_CASE("heatmap: wrong shapes are errors") {
    CHECK_THROWS_WITH_AS(Heatmap("m", Values{1, 2, 3}, 2),
                         "Heatmap: \"m\": 3 values do not fill rows of 2", gradus::Error);
    CHECK_THROWS_AS(Heatmap("m", Values{}, 2), gradus::Error);
    CHECK_THROWS_AS(Heatmap("m", Values{1}, 0), gradus::Error);
    CHECK_THROWS_AS(Heatmap("m", Values{1}, 1).labels({}, {"a"}), gradus::Error);
    CHECK_THROWS_AS(Heatmap("m", Values{1}, 1).range(1, 1), gradus::Error);
}
