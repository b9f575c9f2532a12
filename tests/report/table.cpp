#include "report/table.h"

#include <doctest/doctest.h>

#include "autograd/error.h"
#include "report/text.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::xml_fault;

TEST_CASE("table: columns line up, numbers flush right, whatever the bytes") {
    Table table("accuracy", {"line", "value"});
    table.row({"chance", "10.0 %"}).row({"é ≤ ·", "≥ 7 %"}).row({"ours", ""});
    CHECK(table.text() ==
          "accuracy\n"
          "  line      value\n"
          "  ───────────────\n"
          "  chance   10.0 %\n"
          "  é ≤ ·     ≥ 7 %\n"
          "  ours\n");
}

TEST_CASE("table: marks are words as well as signs") {
    Table table("", {"line", "value"});
    table.section("A").row({"a", "1"}, Mark::pass).row({"b", "2"}, Mark::fail).row({"c", "3"});
    table.note("a note");
    CHECK(contains(table.text(), "    a          1   ✓ pass\n"));
    CHECK(contains(table.text(), "✗ FAIL\n"));
    CHECK(contains(table.text(), "  A\n"));
    CHECK(table.text().ends_with("  a note\n"));
    CHECK(contains(table.html(), "<td class=\"fail\">✗ FAIL</td>"));
    CHECK(contains(table.html(), "<td class=\"number\">3</td><td></td>"));
    CHECK(contains(table.html(), "colspan=\"3\""));
}

TEST_CASE("table: HTML is well-formed and escaped") {
    Table table("<b>", {"<i>", "&"});
    table.row({"<script>x</script>", "\"'"}).note("<p>").section("a < b");
    CHECK(xml_fault("<div>" + table.html() + "</div>") == "");
    CHECK_FALSE(contains(table.html(), "<script>"));
}

TEST_CASE("table: no rows, no title, wrong number of cells, no headers") {
    CHECK(Table("", {"a"}).text() == "  a\n  ─\n");
    CHECK(xml_fault(Table("", {"a"}).html()) == "");
    Table table("accuracy", {"line", "value"});
    CHECK_THROWS_WITH_AS(table.row({"one"}), "Table::row: 1 cells under 2 headers in \"accuracy\"",
                         gradus::Error);
    CHECK(table.rows() == 0);
    CHECK_THROWS_AS(Table("x", {}), gradus::Error);
}
