#include "data/labelled/labelled.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/labelled/imdb.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

std::vector<std::string> texts_of(const std::vector<LabelledText>& texts) {
    std::vector<std::string> all;
    for (const auto& text : texts) all.push_back(text.text);
    return all;
}

// 200 lines, of which the first half is bad.
std::string lines() {
    std::string all;
    for (int i = 0; i < 200; ++i)
        all += fmt::format("{}\ttext number {}\n", i < 100 ? "bad" : "good", i);
    return all;
}

}  // namespace

TEST_CASE("imdb: reviews on one line each, without <br />") {
    const TemporaryFolder folder;
    write_file(folder / "reviews.json",
               R"([{"t":"Dull.<br /><br />Very dull.\n","s":0},{"t":" caf\u00e9 ","s":1}])");
    const auto reviews = read_imdb(folder / "reviews.json");
    REQUIRE(reviews.size() == 2);
    CHECK(reviews[0].text == "Dull. Very dull.");
    CHECK(reviews[0].label == 0);
    CHECK(reviews[1].text == "café");
    CHECK(reviews[1].label == 1);
}

TEST_CASE("imdb: what is no list of reviews is refused, with its place") {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& json) {
        write_file(folder / "reviews.json", json);
        return error_of([&] { read_imdb(folder / "reviews.json"); });
    };
    CHECK(contains(refusal(R"([{"t":"a","s":0})"), "byte 17 is wrong; fetch it anew: ./run data"));
    CHECK(contains(refusal("[{\"t\":\"\xff\",\"s\":0}]"), "no JSON in UTF-8: byte 8 is wrong"));
    CHECK(contains(refusal("{}"), "holds no list of reviews"));
    CHECK(contains(refusal(R"([{"t":"a","s":0},{"t":"a","s":2}])"),
                   R"(review 1 is {"s":2,"t":"a"})"));
    CHECK(contains(refusal(R"([{"t":3,"s":0}])"), "review 0 is"));
    CHECK(contains(refusal(R"([{"t":"<br />","s":0}])"), "review 0 has no text"));
}

TEST_CASE(
    "load_labelled: a tsv file's classes, in the order of their bytes, and a tenth for tests") {
    const TemporaryFolder folder;
    write_file(folder / "mine.tsv", lines());
    const LabelledData data = load_labelled(folder / "mine.tsv");
    CHECK(data.name == "mine.tsv");
    CHECK(data.classes == std::vector<std::string>{"bad", "good"});
    CHECK(data.train.size() + data.test.size() == 200);
    CHECK(data.test.size() > 5);
    CHECK(data.test.size() < 40);
    for (const auto* side : {&data.train, &data.test})
        for (const auto& [text, label] : *side)
            CHECK(label == (std::stoi(text.substr(text.rfind(' '))) < 100 ? 0 : 1));
    // Shuffled: the first ones are a fair sample.
    const auto good = std::count_if(data.train.begin(), data.train.begin() + 50,
                                    [](const auto& text) { return text.label == 1; });
    CHECK(good > 10);
    CHECK(good < 40);
    const LabelledData again = load_labelled(folder / "mine.tsv");
    CHECK(texts_of(again.train) == texts_of(data.train));
}

TEST_CASE("load_labelled: a text that stands there twice is on one side") {
    const TemporaryFolder folder;
    write_file(folder / "mine.tsv", lines() + lines());
    const LabelledData data = load_labelled(folder / "mine.tsv");
    const auto train = texts_of(data.train), test = texts_of(data.test);
    const std::set<std::string> seen(train.begin(), train.end());
    CHECK(train.size() == 2 * seen.size());
    for (const std::string& text : test) CHECK(seen.count(text) == 0);
}

TEST_CASE("load_labelled: what has no labelled texts is refused") {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& content) {
        write_file(folder / "mine.tsv", content);
        return error_of([&] { load_labelled(folder / "mine.tsv"); });
    };
    CHECK(contains(refusal("good\ta\n\nbad b\n"), "line 3 has no tab; class, tab, text expected"));
    CHECK(contains(refusal("good\ta\n\tb\n"), "line 2 has no class before its tab"));
    CHECK(contains(refusal("good\ta\nbad\t \n"), "line 2 has no text after its tab"));
    CHECK(contains(refusal("good\ta\ngood\tb\n"), "all texts are of the class \"good\""));
    CHECK(contains(refusal("good\ta\nbad\t\xff\n"), "is not UTF-8: line 2, byte 5"));
    CHECK(contains(refusal("good\ta\nbad\ta\n"), "of 2 texts 0 are the test set"));
    CHECK(contains(error_of([&] { load_labelled(folder.path()); }), "./run data imdb"));
    CHECK(contains(error_of([&] { load_labelled(folder / "none"); }), "no such file or folder"));
}

TEST_CASE("at_most_words: keeps what is short, in order") {
    const std::vector<LabelledText> texts{{"a b c", 0}, {"a b", 1}, {"a", 0}};
    CHECK(texts_of(at_most_words(texts, 2)) == std::vector<std::string>{"a b", "a"});
    CHECK(contains(error_of([&] { at_most_words(texts, 0); }), "0 words"));
}

TEST_CASE("load_labelled: the 50,000 reviews") {
    const std::filesystem::path path = GRADUS_DATA "/imdb";
    if (!std::filesystem::exists(path)) {
        MESSAGE("GRADUS_SKIP: imdb is not here; ./run data imdb");
        return;
    }
    const LabelledData data = load_labelled(path);
    CHECK(data.train.size() + data.test.size() == 50000);
    CHECK(data.test.size() == doctest::Approx(5000).epsilon(0.05));
    int64_t liked = 0, breaks = 0;
    for (const auto* side : {&data.train, &data.test}) {
        for (const auto& [text, label] : *side) {
            liked += label;
            breaks += contains(text, "<br />");
        }
    }
    CHECK(liked == 25000);
    CHECK(breaks == 0);
    CHECK(at_most_words(data.train, 128).size() + at_most_words(data.test, 128).size() == 13645);
}
