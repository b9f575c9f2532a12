#include "data/tokenizers/gpt2_words.h"

#include <doctest/doctest.h>

#include <string>

#include "autograd/random.h"

using namespace gradus::data;

namespace {

using Words = std::vector<std::string_view>;

}  // namespace

TEST_CASE("gpt2 words: a space goes with what follows it") {
    CHECK(gpt2_words("Hello, big world") == Words{"Hello", ",", " big", " world"});
    CHECK(gpt2_words(" (x1+2)=3") == Words{" (", "x", "1", "+", "2", ")=", "3"});
    CHECK(gpt2_words("a \u00bd\u00b2 !?") == Words{"a", " \u00bd\u00b2", " !?"});
    CHECK(gpt2_words("") == Words{});
}

TEST_CASE("gpt2 words: of several white spaces the last goes with what follows") {
    CHECK(gpt2_words("a   b") == Words{"a", "  ", " b"});
    CHECK(gpt2_words("a\n\nb") == Words{"a", "\n", "\n", "b"});
    CHECK(gpt2_words("a \n b") == Words{"a", " \n", " b"});
    CHECK(gpt2_words("a\tb") == Words{"a", "\t", "b"});
    CHECK(gpt2_words("  ") == Words{"  "});
    CHECK(gpt2_words(" ") == Words{" "});
    CHECK(gpt2_words("a\u00a0\u3000b") == Words{"a", "\u00a0", "\u3000", "b"});
}

TEST_CASE("gpt2 words: contractions, in small letters, right after a word") {
    CHECK(gpt2_words("I'm we'll they've it'd") ==
          Words{"I", "'m", " we", "'ll", " they", "'ve", " it", "'d"});
    CHECK(gpt2_words("IT'S") == Words{"IT", "'", "S"});
    CHECK(gpt2_words(" 's") == Words{" '", "s"});
    CHECK(gpt2_words("''s") == Words{"''", "s"});
    CHECK(gpt2_words("'stop") == Words{"'s", "top"});
    CHECK(gpt2_words("x'") == Words{"x", "'"});
}

TEST_CASE("gpt2 words: bytes that are no UTF-8 are neither letters nor digits, and none is lost") {
    CHECK(gpt2_words("a\xff\xfe z") == Words{"a", "\xff\xfe", " z"});
    CHECK(gpt2_words("\xc3") == Words{"\xc3"});
    gradus::Rng rng(1);
    for (int trial = 0; trial < 100; ++trial) {
        std::string text;
        for (int64_t n = rng.below(60); n > 0; --n) {
            const int64_t kind = rng.below(3);
            text += kind == 0 ? static_cast<char>(rng.below(256)) : kind == 1 ? ' ' : '\'';
        }
        std::string joined;
        for (const std::string_view word : gpt2_words(text)) {
            CHECK(!word.empty());
            joined += word;
        }
        CHECK(joined == text);
    }
}
