#include "report/coloured_text.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;
using Values = std::vector<double>;

TEST_CASE("coloured text: a token's ground shows its value and sign") {
    const std::string svg = ColouredText("unit", {"a", "b", "c"}, Values{2, -1, 0}).svg();
    CHECK(xml_fault(svg) == "");
    CHECK(contains(svg, "fill-opacity=\"0.80\"><title>a: 2</title>"));
    CHECK(contains(svg, "class=\"cell mark below\" x=\"8.6\""));
    CHECK(contains(svg, "fill-opacity=\"0.40\"><title>b: −1</title>"));
    CHECK(contains(svg, "fill-opacity=\"0.00\"><title>c: 0</title>"));
}

TEST_CASE("coloured text: markup in a text is text") {
    const std::string svg = ColouredText("<b>", {"<", "&", "\"", "'"}, Values(4, 1)).svg();
    CHECK(xml_fault(svg) == "");
    CHECK(contains(svg, ">&lt;</text>"));
    CHECK(contains(svg, "<title>&amp;: 1</title>"));
    CHECK_FALSE(contains(svg, "<b>"));
}

TEST_CASE("coloured text: lines break at their ends, and where there is no more room") {
    const std::vector<std::string> tokens{"ab", "\n", "cd", "efg", "h", "\n"};
    const std::string svg = ColouredText("", tokens, Values(6, 1)).columns(5).svg();
    CHECK(count(svg, "⏎</text>") == 2);
    CHECK(contains(svg, "x=\"0\" y=\"4\""));   // ab
    CHECK(contains(svg, "x=\"0\" y=\"25\""));  // cd efg, which fill the line
    CHECK(contains(svg, "x=\"17.2\" y=\"25\""));
    CHECK(contains(svg, "x=\"0\" y=\"46\""));  // h
    CHECK_FALSE(contains(svg, "y=\"67\""));
    const std::string wide = ColouredText("", {"abcdefgh", "i"}, Values(2, 1)).columns(3).svg();
    CHECK(contains(wide, "x=\"0\" y=\"4\""));  // wider than a line: alone on its own
    CHECK(contains(wide, "x=\"0\" y=\"25\""));
}

TEST_CASE("coloured text: spaces have a ground, no letters; wide letters take two columns") {
    const std::string svg = ColouredText("", {" ", "日", "x"}, Values(3, 1)).svg();
    CHECK(count(svg, "<rect") == 3);
    CHECK(count(svg, "</text>") == 2);
    CHECK(contains(svg, "x=\"25.8\""));
}

TEST_CASE("coloured text: nothing, and nothing but zeros, are drawn") {
    CHECK(xml_fault(ColouredText("", {}, Values{}).svg()) == "");
    CHECK(xml_fault(ColouredText("t", {"a"}, Values{0}).svg()) == "");
}

TEST_CASE("coloured text: errors name what was given") {
    CHECK_THROWS_WITH_AS(ColouredText("t", {"a"}, Values{}),
                         "ColouredText: \"t\": 1 tokens and 0 values; one for each expected",
                         gradus::Error);
    CHECK_THROWS_WITH_AS(
        ColouredText("t", {"a"}, Values{NAN}),
        "ColouredText: \"t\": the value of token 0 is nan; a finite number expected",
        gradus::Error);
    CHECK_THROWS_AS(ColouredText("t", {"a"}, Values{1}).columns(0), gradus::Error);
}
