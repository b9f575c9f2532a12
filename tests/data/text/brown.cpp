#include "data/text/brown.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

TEST_CASE("brown: sentences of words and tags, a sentence a line") {
    const TemporaryFolder folder;
    write_file(folder / "cats.txt", "ca01 news\ncb02 editorial\n");
    write_file(folder / "ca01",
               "\n\n\tThe/at Jury/nn-tl 1/2/cd ,/, ''/'' ./.\n\n\n\tYes/rb !/. \n");
    write_file(folder / "cb02", "//in");
    const auto texts = read_brown(folder.path());
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].name == "ca01");
    CHECK(texts[0].genre == "news");
    REQUIRE(texts[0].sentences.size() == 2);
    REQUIRE(texts[0].sentences[0].size() == 6);
    CHECK(texts[0].sentences[0][1].word == "Jury");
    CHECK(texts[0].sentences[0][1].tag == "nn-tl");
    CHECK(texts[0].sentences[0][2].word == "1/2");
    CHECK(texts[0].sentences[0][2].tag == "cd");
    CHECK(texts[0].plain() == "The Jury 1/2 , '' .\nYes !\n");
    CHECK(texts[1].genre == "editorial");
    CHECK(texts[1].plain() == "/\n");
}

TEST_CASE("brown: what is not of its form is an error with file and line") {
    const TemporaryFolder folder;
    write_file(folder / "cats.txt", "ca01 news");
    const auto refusal = [&](const std::string& text) {
        write_file(folder / "ca01", text);
        return error_of([&] { read_brown(folder.path()); });
    };
    CHECK(refusal("The/at\n") == "");
    CHECK(contains(refusal("The/at\n\nJury said/vbd"), "ca01: line 3 has \"Jury\"; word/tag"));
    CHECK(contains(refusal("The/ at/"), "line 1 has \"The/\""));
    CHECK(contains(refusal("/at"), "line 1 has \"/at\""));
    CHECK(contains(refusal("The"), "./run data brown"));
    CHECK(contains(refusal(" \n"), "ca01: is empty"));
    CHECK(contains(refusal("The/at\n\xe9/nn"), "ca01: is not UTF-8: line 2"));

    std::filesystem::remove(folder / "ca01");
    CHECK(contains(error_of([&] { read_brown(folder.path()); }), "ca01: there is no such file"));
    for (const char* list : {"ca01\n", "ca01 news x\n"}) {
        write_file(folder / "cats.txt", list);
        CHECK(contains(error_of([&] { read_brown(folder.path()); }), "cats.txt: line 1 has"));
    }
}

TEST_CASE("brown: the real corpus") {
    const std::filesystem::path path = GRADUS_DATA "/brown";
    if (!std::filesystem::exists(path)) {
        MESSAGE("GRADUS_SKIP: brown is not here; ./run data brown");
        return;
    }
    const auto texts = read_brown(path);
    size_t sentences = 0, tokens = 0;
    std::set<std::string> genres, base_tags;
    for (const BrownText& text : texts) {
        genres.insert(text.genre);
        sentences += text.sentences.size();
        for (const TaggedSentence& sentence : text.sentences) {
            tokens += sentence.size();
            for (const TaggedWord& word : sentence)
                base_tags.insert(word.tag.substr(0, word.tag.find('-')));
        }
    }
    CHECK(texts.size() == 500);
    CHECK(genres.size() == 15);
    CHECK(sentences == 57340);
    CHECK(tokens == 1161192);
    CHECK(base_tags.size() == 181);
    CHECK(texts[0].plain().starts_with("The Fulton County Grand Jury said Friday an"));
}
