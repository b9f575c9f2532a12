#include "data/pairs/en_fr.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;
namespace fs = std::filesystem;

namespace {

// Folders "en" and "fr" with the pages that a test writes.
struct Pages {
    TemporaryFolder folder;

    void write(const std::string& page, const std::string& english, const std::string& french) {
        write_one("en/" + page, english);
        write_one("fr/" + page, french);
    }
    void write_one(const std::string& page, const std::string& html) {
        fs::create_directories((folder / page).parent_path());
        write_file(folder / page, html);
    }
    std::vector<PairDocument> read() const { return read_en_fr(folder / "en", folder / "fr"); }
    std::string refusal() const {
        return error_of([&] { read(); });
    }
};

std::string p(const std::string& id, const std::string& text) {
    return "<p id=\"par_" + id + "\">" + text + "</p>\n";
}

}  // namespace

TEST_CASE("en-fr: paragraphs of the same id and page, a page a document") {
    Pages pages;
    pages.write("b.html", p("1", "A cat") + p("2", "A dog"),
                p("2", "Un chien") + p("1", "Un chat"));
    pages.write("a/c.html", "<h1 id=\"hd_1\">Colours</h1>", "<h1 id=\"hd_1\">Couleurs</h1>");
    const auto documents = pages.read();
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].name == "a/c.html");
    CHECK(documents[1].name == "b.html");
    REQUIRE(documents[1].pairs.size() == 2);
    CHECK(documents[0].pairs[0].target == "Couleurs");
    CHECK(documents[1].pairs[0].source == "A cat");
    CHECK(documents[1].pairs[0].target == "Un chat");
    CHECK(documents[1].pairs[1].source == "A dog");
}

TEST_CASE("en-fr: what has no translation is left out, and what was said before") {
    Pages pages;
    pages.write("a.html",
                p("1", "Only here") + p("2", "<img alt=\"x\">") + p("3", "Kept") +
                    p("4", "PRINT x") + p("5", "Empty there"),
                p("2", "Vide") + p("3", "Gard\u00e9") + p("4", "PRINT x") + p("5", "\u00a0"));
    pages.write("b.html", p("9", "Kept"), p("9", "Autrement"));
    pages.write("c.html", p("3", "Kept") + p("3", "Twice"), p("3", "Gard\u00e9") + p("3", "Bis"));
    const auto documents = pages.read();
    REQUIRE(documents.size() == 1);
    REQUIRE(documents[0].pairs.size() == 1);
    CHECK(documents[0].pairs[0].target == "Gard\u00e9");
}

TEST_CASE("en-fr: a paragraph goes sentence by sentence where both have equally many") {
    CHECK(sentences("One is here. Two! \u00c9t\u00e9? \"No.\" see 3. b") ==
          std::vector<std::string>{"One is here.", "Two!", "\u00c9t\u00e9?", "\"No.\" see 3. b"});
    CHECK(sentences("a.b. c") == std::vector<std::string>{"a.b. c"});
    CHECK(sentences("").empty());

    Pages pages;
    pages.write("a.html", p("1", "One. Two.") + p("2", "Three. Four."),
                p("1", "Un. Deux.") + p("2", "Trois, quatre."));
    const auto pairs = pages.read().at(0).pairs;
    REQUIRE(pairs.size() == 3);
    CHECK(pairs[1].source == "Two.");
    CHECK(pairs[1].target == "Deux.");
    CHECK(pairs[2].source == "Three. Four.");
    CHECK(pairs[2].target == "Trois, quatre.");
}

TEST_CASE("en-fr: a page without its other half, or none at all, is an error") {
    Pages pages;
    CHECK(contains(pages.refusal(), "en: there is no such folder"));
    CHECK(contains(pages.refusal(), "./run data en-fr"));
    fs::create_directories(pages.folder / "en");
    CHECK(contains(pages.refusal(), "en: has no .html file"));
    pages.write("a.html", p("1", "a"), p("1", "b"));
    CHECK(pages.refusal() == "");
    pages.write_one("fr/b.html", "");
    CHECK(contains(pages.refusal(), "fr/b.html: has no counterpart in"));
    pages.write_one("en/aa.html", "");
    CHECK(contains(pages.refusal(), "en/aa.html: has no counterpart in"));
    pages.write("b.html", p("1", "x"), p("1", "\xe9"));
    pages.write_one("fr/aa.html", p("1", "x"));
    CHECK(contains(pages.refusal(), "aa.html: is empty"));
    pages.write_one("en/aa.html", p("1", "x"));
    CHECK(contains(pages.refusal(), "fr/b.html: is not UTF-8: line 1"));
}
