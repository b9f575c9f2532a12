#include "data/tokenizers/byte_alphabet.h"

#include <doctest/doctest.h>

#include <set>

#include "data/text/text.h"

using namespace gradus::data;

TEST_CASE("byte alphabet: every byte has a character of its own that can be seen, and comes back") {
    std::set<std::string> seen;
    for (const unsigned char byte : byte_alphabet()) {
        const std::string one(1, static_cast<char>(byte)), character = spelled(one);
        CHECK(characters(character).size() == 1);
        CHECK(words(character).size() == 1);  // no white space
        CHECK(unspelled(character) == one);
        seen.insert(character);
    }
    CHECK(seen.size() == 256);
    CHECK(byte_alphabet().size() == 256);
}

TEST_CASE("byte alphabet: the spelling of GPT-2's files") {
    CHECK(spelled(" the\n") == "\u0120the\u010a");
    CHECK(spelled("\u00e9") == "\u00c3\u00a9");
    CHECK(spelled(std::string("\0\x7f\x80\xad\xff", 5)) == "\u0100\u0121\u0122\u0143\u00ff");
    CHECK(byte_alphabet()[0] == '!');
    CHECK(byte_alphabet()[255] == 0xad);
    for (const char* none : {" ", "a b", "\n", "\u0144", "\u4f60", "\xff", "a\xc3"})
        CHECK(!unspelled(none));
    CHECK(unspelled("") == "");
}
