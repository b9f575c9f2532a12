#include "data/pairs/cmudict.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

std::vector<PairDocument> read(const std::string& text) {
    const TemporaryFolder folder;
    write_file(folder / "index.js", text);
    return read_cmudict(folder / "index.js");
}

std::string refusal(const std::string& text) {
    return error_of([&] { read(text); });
}

}  // namespace

TEST_CASE("cmudict: a document a word, all its pronunciations together") {
    const auto words = read(R"js(/** @type {{ [word: string]: string }} */
export const dictionary = {
  "a": "AH0",
  "a's": "EY1 Z",
  "a(2)": "EY1",
  "'bout": "B AW1 T",
  "zeist": "Z AY1 S T # place, dutch"
}
)js");
    REQUIRE(words.size() == 4);
    CHECK(words[3].pairs.at(0).target == "Z AY1 S T");
    CHECK(words[0].name == "'bout");
    CHECK(words[0].pairs.at(0).source == "' b o u t");
    CHECK(words[0].pairs.at(0).target == "B AW1 T");
    CHECK(words[1].name == "a");
    REQUIRE(words[1].pairs.size() == 2);
    CHECK(words[1].pairs[0].target == "AH0");
    CHECK(words[1].pairs[1].source == "a");
    CHECK(words[1].pairs[1].target == "EY1");
    CHECK(words[2].pairs.at(0).source == "a ' s");
}

TEST_CASE("cmudict: anything else is an error") {
    for (const char* text : {"x", "dictionary = 3", "dictionary = {}", "dictionary = {\"a\": "}) {
        CHECK(contains(refusal(text), "index.js: has no `dictionary = {\"word\": \"sounds\""));
        CHECK(contains(refusal(text), "./run data cmudict"));
    }
    CHECK(contains(refusal("dictionary = {\"a\": 3}"), "\"a\" has 3 where sounds are expected"));
    CHECK(contains(refusal("dictionary = {\"a\": \" \"}"), "\"a\": \"\" has an empty side"));
    CHECK(contains(refusal("dictionary = {\"(2)\": \"AH0\"}"), "has an empty side"));
}
