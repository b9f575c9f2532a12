#include "nn/text_stream.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;

namespace {

// What is handed on for each piece, "|" between them; then, after "$", at the end.
std::string handed_on(std::vector<std::string> stops, const std::vector<std::string>& pieces) {
    std::string result;
    nn::TextStream stream(std::move(stops), [&](std::string_view text) { result += text; });
    for (const std::string& piece : pieces) {
        if (!stream.add(piece)) {
            CHECK(stream.stopped());
            stream.finish();
            return result + "!";
        }
        result += "|";
    }
    result += "$";
    stream.finish();
    CHECK_FALSE(stream.stopped());
    return result;
}

}  // namespace

TEST_CASE("text_stream: text goes on at once where nothing can stop it") {
    CHECK(handed_on({}, {"a", "", "bc"}) == "a||bc|$");
    CHECK(handed_on({"xyz"}, {"a", "bc"}) == "a|bc|$");
}

TEST_CASE("text_stream: ends before the first stop string, wherever the pieces end") {
    CHECK(handed_on({"END"}, {"the END of it"}) == "the !");
    CHECK(handed_on({"END"}, {"the E", "N", "D of it"}) == "the ||!");
    CHECK(handed_on({"END", "he"}, {"the END"}) == "t!");
    CHECK(handed_on({"\n\n"}, {"a\n", "b\n", "\nc"}) == "a|\nb|!");
    CHECK(handed_on({"END"}, {"END"}) == "!");
}

TEST_CASE("text_stream: what only began like a stop string is handed on") {
    CHECK(handed_on({"END"}, {"E", "NE", "ND"}) == "|EN|!");
    CHECK(handed_on({"END"}, {"EN", "d"}) == "|ENd|$");
    CHECK(handed_on({"END"}, {"so EN"}) == "so |$EN");
    CHECK(handed_on({"aab"}, {"a", "a", "a", "b"}) == "||a|!");
    CHECK(handed_on({"abcd", "bx"}, {"ab", "x"}) == "|a!");
}

TEST_CASE("text_stream: a character is never handed on in parts") {
    CHECK(handed_on({}, {"\xC3", "\xA9"}) == "|\xC3\xA9|$");
    CHECK(handed_on({}, {"a\xF0\x9F", "\x98",
                         "\x80"
                         "b"}) ==
          "a||\xF0\x9F\x98\x80"
          "b|$");
    CHECK(handed_on({}, {"\xE4\xB8\xAD\xE6", "\x96\x87"}) == "\xE4\xB8\xAD|\xE6\x96\x87|$");
    // What is no UTF-8 is not held back for ever.
    CHECK(handed_on({}, {"\x80\x80\x80\x80", "\xFF"}) == "\x80\x80\x80\x80||$\xFF");
}

TEST_CASE("text_stream: an empty stop string is refused") {
    CHECK(test::contains(test::error_of([] { nn::TextStream({""}, [](auto) {}); }),
                         "a stop string is empty"));
}
