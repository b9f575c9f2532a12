#include "data/pairs/help_html.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;

namespace {

std::string text_of(const std::string& inside) {
    const auto found = help_paragraphs("page", "<p id=\"par_1\">" + inside + "</p>");
    REQUIRE(found.size() == 1);
    return found[0].text;
}

}  // namespace

TEST_CASE("help html: paragraphs and headings with their ids, in order") {
    const auto found = help_paragraphs("page", R"html(<!DOCTYPE html>
<html><head><title>Not this</title></head><body onload="x('>')">
<h1 id="hd_7" dir="auto"><a name="top"></a>Anchors
  now</h1><p id="bm_module">nor this</p>
<table><tr><td><p id="par_idN1" class="a b">First</p></td></tr></table>
<p id="par_2"><img src="icon.svg" alt="a > b"></p><p>nor this</p></body></html>)html");
    REQUIRE(found.size() == 3);
    CHECK(found[0].id == "hd_7");
    CHECK(found[0].text == "Anchors now");
    CHECK(found[1].id == "par_idN1");
    CHECK(found[1].text == "First");
    CHECK(found[2].id == "par_2");
    CHECK(found[2].text == "");
    CHECK(help_paragraphs("page", "").empty());
}

TEST_CASE("help html: tags go, coded characters are read, white space collapses") {
    CHECK(text_of("Press <span class=\"key\">Ctrl</span><span>+N</span>.") == "Press Ctrl+N.");
    CHECK(text_of("one,<br>two<br/>three") == "one, two three");
    CHECK(text_of(" a\n  b\u00a0: &nbsp;c ") == "a b : c");
    CHECK(text_of("A&lt;B &amp;&amp; &quot;C&quot; &gt; &apos;D&apos;") == "A<B && \"C\" > 'D'");
    CHECK(text_of("&#233;&#xE9;&#x4e16;") == "\u00e9\u00e9\u4e16");
    CHECK(text_of("&amp;lt;") == "&lt;");
}

TEST_CASE("help html: of what differs by system the others' is read") {
    const std::string keys =
        R"(<span id="s1" class="switchinline"><span hidden="true" id="MAC1" class="MAC"><span>Command)"
        R"(</span></span><span hidden="true" id="default1"><span>Ctrl</span></span></span>)";
    CHECK(text_of("Hold " + keys + " and " + keys + "+C.") == "Hold Ctrl and Ctrl+C.");
}

TEST_CASE("help html: what is not of its form is an error with its line") {
    const auto refusal = [](const std::string& html) {
        return error_of([&] { help_paragraphs("fr/a.html", html); });
    };
    CHECK(
        contains(refusal("\n<p id=\"par_1\">one\n"), "fr/a.html: line 2: a paragraph has no end"));
    CHECK(contains(refusal("<p>\n\n<p id=\"par_1"), "line 3: a tag has no end"));
    CHECK(contains(refusal("<p id=\"par_1\">\n<p>x</p></p>"), "line 2: a paragraph begins inside"));
    for (const char* coded : {"&eacute;", "&;", "& b", "&#xZZ;", "&#xd800;", "&#99999999999;"}) {
        const std::string message = refusal("\n<p id=\"par_1\">a\n" + std::string(coded) + "</p>");
        CAPTURE(message);
        CHECK(contains(message, "line 3: \"" + std::string(coded).substr(0, 3)));
        CHECK(contains(message, "./run data en-fr"));
    }
    CHECK(contains(refusal("<p id=\"par_1\">\xe9</p>"), "is not UTF-8: line 1"));
}
