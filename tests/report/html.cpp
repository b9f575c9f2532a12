#include "report/html.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "autograd/error.h"
#include "report/plot.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;
namespace fs = std::filesystem;

namespace {
// An empty folder that goes away with the test.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("gradus-test-html-" + std::to_string(getpid()));
    Folder() {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    ~Folder() { fs::remove_all(path); }
    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(path), fs::directory_iterator()));
    }
};

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
}  // namespace

TEST_CASE("html: all text is escaped") {
    const std::string bad = "<script>alert(1)</script>";
    Table table(bad, {bad});
    table.row({bad});
    Page page(bad, bad);
    page.heading(bad).subheading(bad).text(bad).preformatted(bad).table(table).summary(table);
    page.figure(Plot(bad, bad, bad).svg(), bad).figures({Plot(bad, bad, bad).svg()}, bad);
    CHECK_FALSE(contains(page.html(), "<script"));
    CHECK(count(page.html(), "&lt;script&gt;") >= 15);
}

TEST_CASE("html: the page needs no network and follows light, dark and print") {
    const std::string html = Page("t").figure(Plot("t", "x", "y").svg(), "c").html();
    CHECK(contains(html, "default-src 'none'"));
    CHECK(contains(html, "prefers-color-scheme: dark"));
    CHECK(contains(html, "@media print"));
    CHECK(contains(html, "width=device-width"));
    CHECK(count(html, "http") == 2);  // http-equiv and the name of SVG's vocabulary
    CHECK_FALSE(contains(html, "url("));
    CHECK_FALSE(contains(html, "src=\"http"));
}

TEST_CASE("html: the summary stands first, whenever it is added") {
    Page page("t");
    page.heading("later").summary(Table("first", {"a"}));
    CHECK(page.html().find("first") < page.html().find("later"));
}

TEST_CASE("html: saving makes folders, replaces whole files and leaves nothing else") {
    const Folder folder;
    const fs::path path = folder.path / "deep" / "er" / "03.html";
    Page page("old");
    page.save(path);
    Page("new").save(path);
    CHECK(read(path) == Page("new").html());
    CHECK(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()) == 1);
    write_file(folder.path / "bytes", std::string("a\0b", 3));
    CHECK(read(folder.path / "bytes") == std::string("a\0b", 3));
}

TEST_CASE("html: a full disk is an error that names file, reason and remedy") {
    if (!fs::exists("/dev/full")) return;
    CHECK_THROWS_WITH_AS(Page("t").save("/dev/full"),
                         "save: /dev/full could not be written: No space left on device; free some "
                         "space or write to another disk",
                         gradus::Error);
}

TEST_CASE("html: what cannot be written stays as it was") {
    const Folder folder;
    CHECK_THROWS_AS(write_file(folder.path, "x"), gradus::Error);  // a folder
    CHECK_THROWS_AS(write_file("", "x"), gradus::Error);
    write_file(folder.path / "file", "x");
    CHECK_THROWS_AS(write_file(folder.path / "file" / "below", "y"), gradus::Error);
    CHECK(read(folder.path / "file") == "x");
    const std::string long_name(300, 'n');
    CHECK_THROWS_AS(write_file(folder.path / long_name, "y"), gradus::Error);
    CHECK(folder.files() == 1);
}
