#include "report/graph.h"

#include <doctest/doctest.h>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;
using Nodes = std::vector<GraphNode>;

TEST_CASE("graph: one box a node, one arrow an input, a value used twice has two") {
    const Nodes nodes = {{"a", "2", {}, GraphKind::leaf},
                         {"add", "[]", {0, 0}},
                         {"mul", "[]", {1, 0}},
                         {"<loss>", "", {2}, GraphKind::output}};
    const std::string svg = graph_svg("b = a + a", nodes);
    CHECK(xml_fault(svg) == "");
    CHECK(count(svg, "class=\"box") == 4);
    CHECK(count(svg, "class=\"edge\"") == 5);
    CHECK(count(svg, "class=\"box leaf\"") == 1);
    CHECK(count(svg, "class=\"box output\"") == 1);
    CHECK(contains(svg, "&lt;loss&gt;"));
}

TEST_CASE("graph: a chain runs straight down") {
    Nodes nodes;
    for (int i = 0; i < 10; ++i) {
        nodes.push_back({"op", "", i > 0 ? std::vector<int>{i - 1} : std::vector<int>{}});
    }
    // All boxes have the same place from the left.
    const std::string svg = graph_svg("", nodes);
    const std::size_t at = svg.find("<rect class=\"box op\" x=");
    CHECK(count(svg, svg.substr(at, 26)) == 10);
}

TEST_CASE("graph: boxes of a layer never overlap") {
    Nodes nodes;
    for (int i = 0; i < 60; ++i) {
        nodes.push_back({"node" + std::to_string(i), "[2, 3]", {}});
        if (i >= 8) nodes.back().inputs = {(i * 7 + 3) % i, i - 1 - i % 4};
    }
    const std::string svg = graph_svg("tangle", nodes);
    CHECK(xml_fault(svg) == "");
    struct Box {
        double x, y, width;
    };
    std::vector<Box> boxes;
    for (std::size_t at = svg.find("class=\"box"); at != svg.npos;
         at = svg.find("class=\"box", at + 1)) {
        const auto attribute = [&](const std::string& name) {
            const std::size_t begin = svg.find(" " + name + "=\"", at) + name.size() + 3;
            return std::stod(svg.substr(begin, 10));
        };
        boxes.push_back({attribute("x"), attribute("y"), attribute("width")});
    }
    REQUIRE(boxes.size() == 60);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        for (std::size_t j = i + 1; j < boxes.size(); ++j) {
            if (boxes[i].y != boxes[j].y) continue;
            const Box &left = boxes[i].x < boxes[j].x ? boxes[i] : boxes[j],
                      &right = boxes[i].x < boxes[j].x ? boxes[j] : boxes[i];
            CHECK(left.x + left.width < right.x);
        }
    }
}

TEST_CASE("graph: nothing recorded, and inputs that do not come before") {
    CHECK(contains(graph_svg("empty", Nodes{}), "nothing recorded"));
    CHECK(xml_fault(graph_svg("", Nodes{{"x", "", {}}})) == "");
    CHECK_THROWS_WITH_AS(graph_svg("", Nodes{{"mul", "", {0}}}),
                         "graph_svg: node 0 (\"mul\") has input 0; inputs are positions of earlier "
                         "nodes",
                         gradus::Error);
    CHECK_THROWS_AS(graph_svg("", Nodes{{"mul", "", {-1}}}), gradus::Error);
}
