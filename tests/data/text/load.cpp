// load_text, which knows a source by what is in its folder.
#include <doctest/doctest.h>

#include <set>

#include "data/text/text.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

std::vector<std::string> names_of(const std::vector<Document>& documents) {
    std::vector<std::string> names;
    for (const Document& document : documents) names.push_back(document.name);
    return names;
}

using Names = std::vector<std::string>;

bool absent(const char* name) {
    if (std::filesystem::exists(std::filesystem::path(GRADUS_DATA) / name)) return false;
    MESSAGE("GRADUS_SKIP: " << name << " is not here; ./run data " << name);
    return true;
}

}  // namespace

TEST_CASE("load_text: of a folder of texts every tenth is the test set, at least one") {
    const TemporaryFolder folder;
    const auto write = [&](int i) { write_file(folder / fmt::format("{:02}.txt", i), "text"); };
    write_file(folder / "notes.md", "not this one");
    for (int i = 0; i < 3; ++i) write(i);
    const TextData few = load_text(folder.path());
    CHECK(few.name == folder.path().filename());
    CHECK(names_of(few.train) == Names{"00.txt", "01.txt"});
    CHECK(names_of(few.test) == Names{"02.txt"});

    for (int i = 3; i < 25; ++i) write(i);
    const TextData many = load_text(folder.path());
    CHECK(many.train.size() == 23);
    CHECK(names_of(many.test) == Names{"09.txt", "19.txt"});
}

TEST_CASE("load_text: of one file the last tenth of the paragraphs is the test set") {
    const TemporaryFolder folder;
    std::string text = "\n\n";
    for (int i = 0; i < 20; ++i) text += fmt::format("paragraph\n{}\n \n\n", i);
    write_file(folder / "a.txt", text);
    const std::string end = "paragraph\n18\n \n\nparagraph\n19\n \n\n";
    for (const auto& path : {folder / "a.txt", folder.path()}) {
        const TextData data = load_text(path);
        CHECK(data.name == "a.txt");
        REQUIRE(data.train.size() == 1);
        REQUIRE(data.test.size() == 1);
        CHECK(data.test[0].text == end);
        CHECK(data.train[0].text + data.test[0].text == text);
    }
    write_file(folder / "a.txt", "one\nmore\n\ntwo");
    CHECK(load_text(folder / "a.txt").train[0].text == "one\nmore\n\n");
    CHECK(load_text(folder / "a.txt").test[0].text == "two");
}

TEST_CASE("load_text: what has no text, or none to set aside, is an error") {
    const TemporaryFolder folder;
    CHECK(contains(error_of([&] { load_text(folder / "none"); }), "there is no such file or"));
    CHECK(contains(error_of([&] { load_text(folder.path()); }), "has no text; .txt files, or"));
    write_file(folder / "a.txt", "one\ntwo\n\n");
    CHECK(contains(error_of([&] { load_text(folder / "a.txt"); }), "a.txt: is one paragraph"));
    CHECK(contains(error_of([&] { load_text(folder.path()); }), "a.txt: is one paragraph"));
    write_file(folder / "b.txt", "\n");
    CHECK(contains(error_of([&] { load_text(folder.path()); }), "b.txt: is empty"));
    write_file(folder / "Rdata.rdb", "\1");
    CHECK(contains(error_of([&] { load_text(folder.path()); }), "Rdata.rdb: ends at byte 1"));
    CHECK(contains(error_of([&] { load_text(folder / "Rdata.rdb"); }), "ends at byte 1"));
}

TEST_CASE("load_text: brown is split within each genre") {
    const TemporaryFolder folder;
    std::string list;
    for (int i = 0; i < 23; ++i) {
        const std::string name = fmt::format("c{}{:02}", i % 2 ? 'a' : 'b', i);
        list += name + (i % 2 ? " news\n" : " editorial\n");
        write_file(folder / name, "Yes/rb ./.\nNo/rb ./.");
    }
    write_file(folder / "cats.txt", list);
    const TextData data = load_text(folder.path());
    CHECK(data.name == "brown");
    CHECK(names_of(data.test) == Names{"cb18", "ca19"});  // the tenth of each
    CHECK(data.train.size() == 21);
    CHECK(data.test[0].text == "Yes .\nNo .\n");
}

TEST_CASE("load_text: which names are the test set depends on the name alone") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "some");
    const auto test_names = [&](int count) {
        std::string text;
        for (int i = 0; i < count; ++i) text += fmt::format("Name{:03}\n", i);
        write_file(folder / "some/names.txt", text);
        const TextData data = load_text(folder.path());
        CHECK(data.name == "names");
        CHECK(data.train.size() + data.test.size() == static_cast<size_t>(count));
        CHECK(data.train[0].text == data.train[0].name);
        return names_of(data.test);
    };
    const Names of_all = test_names(600);
    Names of_some = test_names(300);
    CHECK(of_all.size() > 30);
    CHECK(of_all.size() < 90);
    REQUIRE(of_some.size() > 10);
    CHECK(std::equal(of_some.begin(), of_some.end(), of_all.begin()));
}

TEST_CASE("load_text: the real novels, of which Persuasion is the test set") {
    if (absent("austen")) return;
    const TextData data = load_text(GRADUS_DATA "/austen");
    CHECK(data.name == "austen");
    CHECK(names_of(data.test) == Names{"Persuasion"});
    CHECK(data.train.size() == 5);
}

TEST_CASE("load_text: the real Brown corpus, all genres in both parts") {
    if (absent("brown")) return;
    const TextData data = load_text(GRADUS_DATA "/brown");
    std::set<char> train, test;  // the second letter is the genre's
    for (const Document& text : data.train) train.insert(text.name[1]);
    for (const Document& text : data.test) test.insert(text.name[1]);
    CHECK(train.size() == 15);
    CHECK(test == train);
    CHECK(data.train.size() == 457);
    CHECK(data.test.size() == 43);
}

TEST_CASE("load_text: the real names, about a tenth for the test") {
    if (absent("names")) return;
    const TextData data = load_text(GRADUS_DATA "/names");
    CHECK(data.train.size() + data.test.size() == 8422);
    CHECK(data.test.size() > 750);
    CHECK(data.test.size() < 930);
}
