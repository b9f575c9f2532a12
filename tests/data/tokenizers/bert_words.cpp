#include "data/tokenizers/bert_words.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("bert words: small letters without accents, composed or not") {
    CHECK(bert_words("H\u00e9llo W\u00d6RLD") == Words{"hello", "world"});
    CHECK(bert_words("cafe\u0301 \u1ebf \u00c5 \u212b") == Words{"cafe", "e", "a", "a"});
    CHECK(bert_words("\u0130 \u0131 \u00df \u00d8") == Words{"i", "\u0131", "\u00df", "\u00f8"});
    CHECK(bert_words("\u0419 \u0451") == Words{"\u0438", "\u0435"});
    CHECK(bert_words("\u0301\u0302").empty());                   // nothing but accents
    CHECK(bert_words("\ud55c") == Words{"\u1112\u1161\u11ab"});  // a Hangul syllable's letters
}

TEST_CASE("bert words: each punctuation mark and each ideograph is a word") {
    CHECK(bert_words("don't stop...") == Words{"don", "'", "t", "stop", ".", ".", "."});
    CHECK(bert_words("a$b^c`d|e~f_g") ==
          Words{"a", "$", "b", "^", "c", "`", "d", "|", "e", "~", "f", "_", "g"});
    CHECK(bert_words("\u00bfqu\u00e9\u2014s\u00ed\u3002") ==
          Words{"\u00bf", "que", "\u2014", "si", "\u3002"});
    CHECK(bert_words("a\u20acb\u00b0") == Words{"a\u20acb\u00b0"});  // symbols are no punctuation
    CHECK(bert_words("x\u4f60\u597dy") == Words{"x", "\u4f60", "\u597d", "y"});
    CHECK(bert_words("\u306e\u30c6") == Words{"\u306e\u30c6"});              // kana are letters
    CHECK(bert_words("a\u037eb\u1fefc") == Words{"a", ";", "b", "`", "c"});  // what they stand for
}

TEST_CASE("bert words: white space separates, controls vanish") {
    CHECK(bert_words(" a\tb\nc\r\nd\u00a0e\u3000f\u2028g ") ==
          Words{"a", "b", "c", "d", "e", "f", "g"});
    CHECK(bert_words(std::string("a\0b\x07"
                                 "c\x0b"
                                 "d\x7f",
                                 8)) == Words{"abcd"});
    CHECK(bert_words("a\u200bb\u00adc\ufeffd\ufffde\ue000f\u0085g") == Words{"abcdefg"});
    CHECK(bert_words("").empty());
    CHECK(bert_words(" \n").empty());
}

TEST_CASE("bert words: what is no UTF-8 is an error with its place") {
    const std::string error = test::error_of([] { bert_words("fine\nnot \xff"); });
    CHECK(test::contains(error, "bert words: is not UTF-8: line 2, byte 5 is 0xff"));
}
