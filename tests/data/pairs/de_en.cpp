#include "data/pairs/de_en.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

std::vector<PairDocument> read(const std::string& text) {
    const TemporaryFolder folder;
    write_file(folder / "de-en", text);
    return read_de_en(folder / "de-en");
}

}  // namespace

TEST_CASE("de-en: sentences of the entries, part by part") {
    const auto documents = read(
        "# Version\n\n"
        "Hund {m} | Hunde {pl} | Der Hund bellt. | \u00dcbel!; Oje! :: dog | dogs | The dog barks. "
        "| "
        "Oh no!\n"
        "Aal {m} :: eel\n"
        "Er sieht (mich). ; Er schaut. :: He sees me [coll.] . ; He looks.\n");
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].name == "line 3");
    REQUIRE(documents[0].pairs.size() == 1);
    CHECK(documents[0].pairs[0].source == "Der Hund bellt.");
    CHECK(documents[0].pairs[0].target == "The dog barks.");
    REQUIRE(documents[1].pairs.size() == 1);
    CHECK(documents[1].pairs[0].source == "Er sieht.");
    CHECK(documents[1].pairs[0].target == "He sees me.");
}

TEST_CASE("de-en: parts with a choice of words, of one word, or said before are left out") {
    const auto documents = read(
        "Sie kommt. | Er geht /ABK/ weg. :: She comes. | He leaves/goes.\n"
        "Komm! | Er geht /ABK/ weg. :: Do come! | He leaves.\n"
        "Sie kommt. :: She arrives.\n"
        "Ich bin da :: I am here.\n");
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].pairs.size() == 1);
    CHECK(documents[0].pairs[0].target == "She comes.");
    REQUIRE(documents[1].pairs.size() == 1);
    CHECK(documents[1].pairs[0].source == "Er geht weg.");
}

TEST_CASE("de-en: an entry without its other half is an error with its line") {
    const auto refusal = [](const std::string& text) { return error_of([&] { read(text); }); };
    CHECK(contains(refusal("#\nHund\n"), "de-en: line 2 has 1 parts around \" :: \""));
    CHECK(contains(refusal("a :: b :: c"), "line 1 has 3 parts"));
    CHECK(contains(refusal("a | b :: c"), "line 1 has 2 parts in German and 1 in English"));
    CHECK(contains(refusal("a | b :: c"), "./run data de-en"));
    CHECK(contains(refusal("a :: \xe9"), "is not UTF-8"));
    CHECK(refusal("a :: b") == "");
}
