#include "data/text/text.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;
using Parts = std::vector<std::string_view>;

TEST_CASE("text: a byte that is not UTF-8 is named by line and place") {
    const auto refusal = [](std::string_view text) {
        return error_of([&] { check_utf8("notes.txt", text); });
    };
    CHECK(refusal("") == "");
    CHECK(refusal("h\u00e9llo \u4e16\u754c \U0001f600 \ufffd") == "");
    CHECK(refusal("\xf4\x8f\xbf\xbf") == "");  // U+10FFFF
    CHECK(refusal(std::string_view("\0", 1)) == "");

    const std::string latin1 = refusal("one\ntwo\ncaf\xe9 au lait\n");
    CHECK(contains(latin1, "notes.txt: is not UTF-8: line 3, byte 4 is 0xe9"));
    CHECK(contains(latin1, "iconv"));
    CHECK(contains(refusal("\xff\xfeh"), "line 1, byte 1 is 0xff"));
    CHECK(contains(refusal("a\x80"), "line 1, byte 2 is 0x80"));         // continues nothing
    CHECK(contains(refusal("ab\xe4\xb8"), "line 1, byte 3 is 0xe4"));    // ends too early
    CHECK(contains(refusal("\n\xc3 x"), "line 2, byte 1 is 0xc3"));      // is not continued
    CHECK(contains(refusal("\xc0\xaf"), "byte 1 is 0xc0"));              // overlong, two bytes
    CHECK(contains(refusal("\xe0\x80\xaf"), "byte 1 is 0xe0"));          // three
    CHECK(contains(refusal("\xf0\x80\x80\xaf"), "byte 1 is 0xf0"));      // four
    CHECK(contains(refusal("\xed\xa0\x80"), "byte 1 is 0xed"));          // surrogate U+D800
    CHECK(contains(refusal("\xf4\x90\x80\x80"), "byte 1 is 0xf4"));      // U+110000
    CHECK(contains(refusal("\xf8\x88\x80\x80\x80"), "byte 1 is 0xf8"));  // five bytes
}

TEST_CASE("text: a file comes without byte-order mark and with \\n alone") {
    const TemporaryFolder folder;
    const auto path = folder / "a.txt";
    write_file(path, "\xef\xbb\xbfone\r\ntwo\rthree\r\n\nfour\r");
    CHECK(read_text(path) == "one\ntwo\rthree\n\nfour\r");

    const gzFile file = gzopen((folder / "b.gz").c_str(), "wb");
    gzputs(file, "packed\r\n");
    gzclose(file);
    CHECK(read_text(folder / "b.gz") == "packed\n");
}

TEST_CASE("text: a file that is missing, empty, blank or not UTF-8 is an error") {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& bytes) {
        write_file(folder / "a.txt", bytes);
        return error_of([&] { read_text(folder / "a.txt"); });
    };
    CHECK(contains(error_of([&] { read_text(folder / "none"); }), "there is no such file"));
    CHECK(contains(refusal(""), "a.txt: is empty: it has 0 bytes and no text"));
    CHECK(contains(refusal("\xef\xbb\xbf"), "is empty"));
    CHECK(contains(refusal(" \t\r\n\f\u00a0\u3000\n"), "is empty: it has 11 bytes"));
    CHECK(contains(refusal("a\nb\xff"), "a.txt: is not UTF-8: line 2, byte 2"));
    CHECK(refusal(" .") == "");
}

TEST_CASE("text: characters are code points") {
    CHECK(characters("a\u00e9\u4e16\U0001f600\n") ==
          Parts{"a", "\u00e9", "\u4e16", "\U0001f600", "\n"});
    CHECK(characters("").empty());
    CHECK(contains(error_of([] { characters("a\xff"); }), "is not UTF-8: line 1, byte 2"));
    const std::string text = "xy";
    CHECK(characters(text)[1].data() == text.data() + 1);
}

TEST_CASE("text: words stand between white space; an end of a line is one") {
    CHECK(words("to be,  or\tnot\n\nto\u00a0be \u3000?") ==
          Parts{"to", "be,", "or", "not", "\n", "\n", "to", "be", "?"});
    CHECK(words("\n caf\u00e9\n") == Parts{"\n", "caf\u00e9", "\n"});
    CHECK(words("").empty());
    CHECK(words(" \t ").empty());
    CHECK(contains(error_of([] { words("a \xff"); }), "is not UTF-8"));
}

TEST_CASE("text: on one line there is one space between words") {
    CHECK(one_line(" to be,\n\n or\u00a0not\t") == "to be, or not");
    CHECK(one_line("\n \u3000") == "");
    CHECK(contains(error_of([] { one_line("a \xff"); }), "is not UTF-8"));
}

TEST_CASE("text: a code point and back") {
    for (const char* text : {"a", "\u00e9", "\u4e16", "\U0001f600", "\U0010ffff"})
        CHECK(utf8(code_point(text)) == text);
    CHECK(code_point("\u00e9t\u00e9") == 0xe9);
    CHECK(contains(error_of([] { code_point(""); }), "the text is empty"));
    CHECK(contains(error_of([] { code_point("\xe9"); }), "is not UTF-8"));
    for (const int32_t code : {-1, 0xd800, 0x110000})
        CHECK(contains(error_of([&] { utf8(code); }), "is no character"));
}
