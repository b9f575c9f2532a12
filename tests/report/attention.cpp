// The view's data and errors; what it looks like and does is tests/browser's.
#include "report/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "report/html.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
using gradus::report::test::xml_fault;
using nlohmann::json;
using Tokens = std::vector<std::string>;

namespace {

AttentionGroup cross() {
    return {"cross", {"le", "chat"}, {"the", "cat", "."}, 1, 1, {0.9, 0.1, 0, 0.25, 0.5, 0.25}};
}
AttentionGroup self(std::size_t layers, std::size_t heads) {
    const Tokens tokens{"a", "b"};
    return {"encoder", tokens, tokens, layers, heads, std::vector<double>(layers * heads * 4, 0.5)};
}
std::string error(const std::vector<AttentionGroup>& groups) {
    try {
        AttentionView("view").add(groups);
    } catch (const gradus::Error& e) {
        return e.what();
    }
    return "no error";
}

// What the script will read.
json read(const AttentionView& view) {
    std::string text = view.html();
    const std::size_t begin = text.find("data-view=\"") + 11;
    text = text.substr(begin, text.find('"', begin) - begin);
    const auto replace = [&](const std::string& from, const std::string& to) {
        for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
            text.replace(at, from.size(), to);
    };
    replace("&quot;", "\"");
    replace("&#39;", "'");
    replace("&lt;", "<");
    replace("&gt;", ">");
    replace("&amp;", "&");
    return json::parse(text);
}

std::vector<int> bits(const std::string& base64) {
    const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::vector<int> bytes;
    unsigned held = 0;
    int size = 0;
    for (const char c : base64) {
        if (c == '=') break;
        held = held << 6u | static_cast<unsigned>(letters.find(c));
        size += 6;
        if (size >= 8) bytes.push_back(static_cast<int>(held >> unsigned(size -= 8) & 0xFFu));
    }
    std::vector<int> values;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
        values.push_back(bytes[i] + 256 * bytes[i + 1]);
    return values;
}

}  // namespace

TEST_CASE("attention: the block holds every sentence, group, token and weight") {
    AttentionView view("Where it looks");
    view.add({self(2, 3), cross()}).add({self(2, 3), cross()}, "second");
    CHECK(xml_fault(view.html()) == "");
    const json data = read(view);
    CHECK(data["title"] == "Where it looks");
    REQUIRE(data["sentences"].size() == 2);
    CHECK(data["sentences"][0]["name"] == "the cat . → le chat");
    CHECK(data["sentences"][1]["name"] == "second");
    const json& groups = data["sentences"][1]["groups"];
    CHECK(groups[0]["name"] == "encoder");
    CHECK(groups[0]["layers"] == 2);
    CHECK(groups[0]["heads"] == 3);
    CHECK(groups[1]["rows"] == Tokens{"le", "chat"});
    CHECK(groups[1]["columns"] == Tokens{"the", "cat", "."});
    CHECK(groups[1]["axes"] == Tokens{"query", "key"});
    CHECK(bits(groups[0]["weights"]) == std::vector<int>(24, 32767));
    CHECK(bits(groups[1]["weights"]) == std::vector<int>{58981, 6553, 0, 16384, 32767, 16384});
}

TEST_CASE("attention: rounding is forgiven, what is not finite is marked") {
    AttentionGroup group = cross();
    group.weights = {1 + 1e-6, -1e-7, NAN, INFINITY, -INFINITY, 1};
    const json data = read(AttentionView("v").add({group}));
    CHECK(bits(data["sentences"][0]["groups"][0]["weights"]) ==
          std::vector<int>{65534, 0, 65535, 65535, 65535, 65534});
}

TEST_CASE("attention: text of a corpus is text, blanks are seen") {
    AttentionGroup group = cross();
    group.rows = {"</div><script>alert(1)</script>", "\" onclick=\"alert(1)"};
    group.columns = {"", "  ", "\xff\n"};
    const AttentionView view = AttentionView("<script>").add({group});
    CHECK(xml_fault(view.html()) == "");
    CHECK_FALSE(contains(view.html(), "<script"));
    CHECK(count(view.html(), "\"") == 6);  // of class, data-view and the note's class
    const json data = read(view)["sentences"][0]["groups"][0];
    CHECK(data["rows"] == group.rows);
    CHECK(data["columns"] == Tokens{"∅", "␣␣", "\uFFFD\n"});
}

TEST_CASE("attention: only a page with a view may run a script, and that one alone") {
    const std::string block = AttentionView("v").add({cross()}).html();
    const std::string without = Page("t").text(block).html();
    CHECK_FALSE(contains(without, "script-src"));
    CHECK_FALSE(contains(without, "<script"));
    const std::string with = Page("t").figure(block, "c").figures({block, block}, "c").html();
    CHECK(count(with, "<script>") == 1);
    CHECK(contains(with, std::string(attention_script())));
    CHECK(contains(with, "default-src 'none'"));
    CHECK(contains(with, "img-src data:; script-src 'sha256-" +
                             std::string(attention_script_hash()) + "'\">"));
    // It makes elements and text, never markup.
    for (const char* way : {"innerHTML", "insertAdjacentHTML", "document.write", "eval", "fetch"})
        CHECK_FALSE(contains(attention_script(), way));
}

TEST_CASE("attention: six layers of eight heads over ten sentences stay small") {
    const Tokens tokens(20, "token");
    AttentionView view("big");
    for (int s = 0; s < 10; ++s) {
        AttentionGroup g{"encoder", tokens, tokens, 6, 8, std::vector<double>(6 * 8 * 400, 0.05)};
        view.add({g, g, g});
    }
    CHECK(view.html().size() < 1700000);
}

TEST_CASE("attention: wrong sizes and weights are errors") {
    AttentionGroup group = cross();
    group.weights.pop_back();
    CHECK(error({group}) ==
          "AttentionView::add: cross: 5 weights, but [layers, heads, rows, columns] = [1, 1, 2, 3] "
          "has 6");
    group = cross();
    group.rows.clear();
    CHECK(contains(error({group}), "cross: 1 layers of 1 heads over 0 rows and 3 columns"));
    group = self(2, 0);
    CHECK(contains(error({group}), "encoder: 2 layers of 0 heads"));
    group = self(2, 3);
    group.weights[4 * 5 + 2] = 1.2;
    CHECK(contains(error({group}),
                   "encoder, layer 2, head 3: the weight at [1, 0] is 1.2; 0 to 1 expected"));
    group.weights[4 * 5 + 2] = -0.1;
    CHECK(contains(error({group}), "is -0.1"));
    CHECK(contains(error({}), "\"view\": no maps"));
    CHECK_THROWS_WITH_AS(AttentionView("view").html(),
                         "AttentionView::html: \"view\" has no sentence; add() one", gradus::Error);
    AttentionView view("view");
    view.add({self(2, 3), cross()});
    CHECK_THROWS_WITH_AS(view.add({self(2, 2), cross()}),
                         "AttentionView::add: \"view\": the groups [layers, heads] are encoder [2, "
                         "2], cross [1, 1]; those of the first sentence, encoder [2, 3], cross [1, "
                         "1], expected",
                         gradus::Error);
    CHECK_THROWS_AS(view.add({cross()}), gradus::Error);
    CHECK(read(view)["sentences"].size() == 1);  // what was refused left nothing behind
}
