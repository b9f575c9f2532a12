#include <doctest/doctest.h>

#include <optional>
#include <set>

#include "data/pairs/pairs.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

// Of `name` in .data/; nothing, and a note, where it was not fetched.
std::optional<PairData> real(const std::string& name) {
    const std::filesystem::path path = std::filesystem::path(GRADUS_DATA) / name;
    if (std::filesystem::exists(path)) return load_pairs(path);
    MESSAGE("GRADUS_SKIP: " << name << " is not here; ./run data " << name);
    return {};
}

// How many pairs of the test set have a source that the training set has.
size_t seen_in_training(const PairData& data) {
    std::set<std::string> sources;
    for (const Pair& pair : all_pairs(data.train)) sources.insert(pair.source);
    size_t seen = 0;
    for (const Pair& pair : all_pairs(data.test)) seen += sources.count(pair.source);
    return seen;
}

}  // namespace

TEST_CASE("pairs: a user's file, of which the last tenth is the test set") {
    const TemporaryFolder folder;
    std::string text = "\xef\xbb\xbfone\tun\r\n\r\n two  2 \tdeux\n";
    for (int i = 3; i <= 25; ++i) text += fmt::format("{0}\tn{0}\n", i);
    write_file(folder / "my.tsv", text);
    const PairData data = load_pairs(folder / "my.tsv");
    CHECK(data.name == "my.tsv");
    const auto train = all_pairs(data.train), test = all_pairs(data.test);
    REQUIRE(train.size() == 23);
    REQUIRE(test.size() == 2);
    CHECK(train[0].source == "one");
    CHECK(train[0].target == "un");
    CHECK(train[1].source == "two 2");
    CHECK(test[0].source == "24");
    CHECK(test[1].target == "n25");

    write_file(folder / "two.tsv", "a\tb\nc\td");
    CHECK(all_pairs(load_pairs(folder / "two.tsv").test)[0].source == "c");
}

TEST_CASE("pairs: a line that is no pair is an error with its number") {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& bytes) {
        write_file(folder / "my.tsv", bytes);
        return error_of([&] { load_pairs(folder / "my.tsv"); });
    };
    CHECK(refusal("a\tb\nc\td\n") == "");
    CHECK(contains(refusal("a\tb\n\nc d\n"), "my.tsv: line 3 has no tab, so no second half"));
    CHECK(contains(refusal("a\tb\tc\nc\td\n"),
                   "line 1 has more than two fields; source, tab, target"));
    CHECK(contains(refusal("a\tb\nc\t\n"), "line 2 has an empty target"));
    CHECK(contains(refusal("a\tb\n\u00a0\td\n"), "line 2 has an empty source"));
    CHECK(contains(refusal("a\tb\n"), "has 1 pair; at least 2 expected"));
    CHECK(contains(refusal("a\tb\nc\t\xe9\n"), "is not UTF-8: line 2, byte 3"));
    CHECK(contains(refusal(""), "is empty"));
}

TEST_CASE("pairs: a path with nothing of the kind is an error with its remedy") {
    const TemporaryFolder folder;
    CHECK(contains(error_of([&] { load_pairs(folder / "none"); }),
                   "there is no such file or folder"));
    CHECK(contains(error_of([&] { load_pairs(folder.path()); }), "has no pairs; what ./run data"));
    std::filesystem::create_directories(folder / "libreoffice-help-fr");
    CHECK(contains(error_of([&] { load_pairs(folder.path()); }),
                   "libreoffice-help-en-us: there is no such folder"));
}

TEST_CASE("pairs: cmudict is split by word, each by itself") {
    const TemporaryFolder folder;
    const auto split = [&](const std::string& words) {
        write_file(folder / "index.js", "dictionary = {" + words + "}");
        return load_pairs(folder.path());
    };
    std::string words;
    for (int i = 0; i < 300; ++i)
        words += fmt::format("\"w{0}\": \"W\", \"w{0}(2)\": \"V\", ",
                             static_cast<char>('a' + i % 26) + std::to_string(i));
    const PairData all = split(words + "\"z\": \"Z\"");
    CHECK(all.test.size() > 10);
    CHECK(all.test.size() < 60);
    CHECK(all.train.size() + all.test.size() == 301);
    for (const PairDocument& word : all.test) {
        if (word.name != "z") CHECK(word.pairs.size() == 2);
        // Alone it is in the test set as well.
        CHECK(split("\"" + word.name + "\": \"X\"").test.size() == 1);
    }
}

// Debian's packages move with point releases: their counts are those of version 7.4.7 and 1.9, give
// or take what such a release changes.
TEST_CASE("pairs: the real en-fr") {
    const auto data = real("en-fr");
    if (!data) return;
    const auto train = all_pairs(data->train), test = all_pairs(data->test);
    CHECK(data->name == "en-fr");
    CHECK(data->train.size() + data->test.size() == doctest::Approx(2355).epsilon(0.01));
    CHECK(train.size() + test.size() == doctest::Approx(41269).epsilon(0.01));
    CHECK(test.size() > train.size() / 12);
    CHECK(seen_in_training(*data) == 0);
}

TEST_CASE("pairs: the real de-en") {
    const auto data = real("de-en");
    if (!data) return;
    const auto train = all_pairs(data->train), test = all_pairs(data->test);
    CHECK(data->name == "de-en");
    CHECK(train.size() + test.size() == doctest::Approx(18191).epsilon(0.01));
    CHECK(test.size() > train.size() / 12);
    CHECK(seen_in_training(*data) == 0);
}

TEST_CASE("pairs: the real cmudict") {
    const auto data = real("cmudict");
    if (!data) return;
    CHECK(data->train.size() == 113497);
    CHECK(data->test.size() == 12549);
    CHECK(all_pairs(data->train).size() + all_pairs(data->test).size() == 135155);
    CHECK(seen_in_training(*data) == 0);
}
