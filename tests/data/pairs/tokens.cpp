#include "data/pairs/tokens.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;
using Tokens = std::vector<std::string>;

TEST_CASE("tokens: words in lower case, punctuation apart") {
    CHECK(word_tokens("L'objet, ici.") == Tokens{"l'", "objet", ",", "ici", "."});
    CHECK(word_tokens("L\u2019\u00c9t\u00e9\u00a0: d\u00e9j\u00e0\n\tl\u00e0!") ==
          Tokens{"l'", "\u00e9t\u00e9", ":", "d\u00e9j\u00e0", "l\u00e0", "!"});
    CHECK(word_tokens("Don't (ever) do that...") ==
          Tokens{"don'", "t", "(", "ever", ")", "do", "that", ".", ".", "."});
    CHECK(word_tokens("read-only, 3.5 1,000 x_y - e.g. 5%") ==
          Tokens{"read-only", ",", "3.5", "1,000", "x_y", "-", "e.g", ".", "5", "%"});
    CHECK(word_tokens("'Sub' users' =A1+B2") ==
          Tokens{"'", "sub", "'", "users", "'", "=", "a1", "+", "b2"});
    CHECK(word_tokens("a--b .net") == Tokens{"a", "-", "-", "b", ".", "net"});
    CHECK(word_tokens(" \n\t").empty());
}

TEST_CASE("tokens: words become a sentence again") {
    for (const char* sentence :
         {"l'objet, ici.", "he said: \"go (now)!\" and \"stay\"?", "read-only 5% - 3.5; a", ""})
        CHECK(detokenize(word_tokens(sentence)) == sentence);
}

TEST_CASE("tokens: single characters, white space seen") {
    CHECK(character_tokens("3 \u00e9\n\u00a0") == Tokens{"3", "_", "\u00e9", "_", "_"});
    CHECK(character_tokens("").empty());
}

TEST_CASE("tokens: what stands between spaces") {
    CHECK(space_tokens("AH0 T,  x ") == Tokens{"AH0", "T,", "x"});
    CHECK(space_tokens("").empty());
}

TEST_CASE("tokens: text that is not UTF-8 is an error") {
    for (const auto tokenizer : {word_tokens, character_tokens, space_tokens})
        CHECK(contains(error_of([&] { tokenizer("caf\xe9 au"); }), "is not UTF-8: line 1, byte 4"));
}
