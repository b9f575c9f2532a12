#include "report/svg.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;

TEST_CASE("svg: coordinates are short") {
    CHECK(px(12) == "12");
    CHECK(px(12.25) == "12.2");
    CHECK(px(-0.01) == "0");
    CHECK(px(-0.3) == "-0.3");
}

TEST_CASE("svg: text is cut to its room") {
    CHECK(fit_pixels("short", 12, 100) == "short");
    const std::string cut = fit_pixels("a rather long label", 12, 60);
    CHECK(cut.ends_with("…"));
    CHECK(text_width(cut, 12) <= 60);
    CHECK(text_width("mm", 12) > text_width("ll", 12));
}

TEST_CASE("svg: every colour is set for light, dark and print") {
    const std::string_view style = svg_style();
    for (const char* name : {"--paper", "--ink", "--soft", "--grid", "--line", "--s0", "--s7",
                             "--pass", "--fail", "--leaf", "--op", "--output"}) {
        CHECK(count(style, std::string(name) + ":") == 3);
    }
    CHECK_FALSE(contains(style, "url("));
    CHECK_FALSE(contains(style, "@import"));
    CHECK_FALSE(contains(style, "<"));
}

TEST_CASE("svg: a drawing that stands alone brings its style") {
    const auto path = std::filesystem::temp_directory_path() / "gradus-test-alone.svg";
    save_svg(path, svg_frame(100, 50, "a \"b\"", svg_text(1, 2, "soft", "end", "<x>")));
    std::ifstream in(path);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    std::filesystem::remove(path);
    CHECK(xml_fault(file) == "");
    CHECK(contains(file, "prefers-color-scheme: dark"));
    CHECK(contains(file, "width=\"132\" height=\"82\""));
    CHECK_THROWS_AS(save_svg(path, "<p>no drawing</p>"), gradus::Error);
}
