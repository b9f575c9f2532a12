#include "data/text/names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

TEST_CASE("names: the lists of all sub-folders, each name once, in order") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "f");
    std::filesystem::create_directory(folder / "m");
    std::filesystem::create_directory(folder / "other");
    write_file(folder / "f/names.txt", "Zo\u00eb\r\nAnne-Marie\nKim\nKim\n\n");
    write_file(folder / "m/names.txt", "Kim\nAaron");
    write_file(folder / "readme", "not a name");
    CHECK(read_names(folder.path()) ==
          std::vector<std::string>{"Aaron", "Anne-Marie", "Kim", "Zo\u00eb"});

    write_file(folder / "m/names.txt", "Kim\n\nAaron Bob\n");
    const std::string refusal = error_of([&] { read_names(folder.path()); });
    CHECK(contains(refusal, "m/names.txt: line 3 goes on with \"Bob\" after its name"));
    CHECK(contains(refusal, "./run data names"));
    write_file(folder / "m/names.txt", "");
    CHECK(contains(error_of([&] { read_names(folder.path()); }), "m/names.txt: is empty"));
    CHECK(contains(error_of([&] { read_names(folder / "other"); }), "has no list of names"));
    CHECK(contains(error_of([&] { read_names(folder / "none"); }), "is no folder"));
}

TEST_CASE("names: the real ones") {
    const std::filesystem::path path = GRADUS_DATA "/names";
    if (!std::filesystem::exists(path)) {
        MESSAGE("GRADUS_SKIP: names is not here; ./run data names");
        return;
    }
    const auto names = read_names(path);
    CHECK(names.size() == 8422);
    CHECK(names.front() == "Aaren");
    CHECK(std::is_sorted(names.begin(), names.end()));
    const auto spelled = [](const std::string& name) {
        return std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return c == '-' || (c < 0x80 && std::isalpha(c));
        });
    };
    CHECK(std::all_of(names.begin(), names.end(), spelled));
}
