#include "report/text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace gradus::report;

TEST_CASE("text: width counts columns, not bytes") {
    CHECK(display_width("") == 0);
    CHECK(display_width("loss ≤ 0.5 · é") == 14);
    CHECK(display_width("e\xCC\x81") == 1);  // e and a combining accent
    CHECK(display_width("漢字") == 4);
    CHECK(display_width("\xFF\xC3") == 2);  // not UTF-8
}

TEST_CASE("text: cutting and filling keep whole characters") {
    CHECK(fit("éééé", 4) == "éééé");
    CHECK(fit("éééé", 3) == "éé…");
    CHECK(fit("漢字漢", 4) == "漢…");
    CHECK(fit("abc", 1) == "…");
    CHECK(fit("abc", 0) == "");
    CHECK(pad_right("≤", 3) == "≤  ");
    CHECK(pad_left("≤", 3) == "  ≤");
    CHECK(pad_left("long", 2) == "long");
}

TEST_CASE("text: escaping leaves nothing that HTML or XML would read") {
    CHECK(escape("<script>alert('1' & \"2\")</script>") ==
          "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;");
    CHECK(escape("é ≤ 漢\n\t") == "é ≤ 漢\n\t");
    const std::string bad = "\xEF\xBF\xBD";  // U+FFFD
    CHECK(escape(std::string("\0\x1b\x7f", 3)) == bad + bad + bad);
    CHECK(escape("a\xFF") == "a" + bad);
    CHECK(escape("\xC0\xBC") == bad + bad);            // "<", written too long
    CHECK(escape("\xED\xA0\x80") == bad + bad + bad);  // half of a surrogate pair
    CHECK(escape("\xE2\x89") == bad + bad);            // cut off
}

TEST_CASE("text: numbers are for reading") {
    CHECK(number(0) == "0");
    CHECK(number(0.3125) == "0.3125");
    CHECK(number(1.1946123) == "1.195");
    CHECK(number(-2.5) == "−2.500");
    CHECK(number(1048576) == "1,048,576");
    CHECK(number(8123.4) == "8,123");
    CHECK(number(3.2e-9) == "3.2e-09");
    CHECK(number(-1e-9) == "−1e-09");
    CHECK(number(1.5e300) == "1.5e+300");
    CHECK(number(std::nan("")) == "NaN");
    CHECK(number(-std::numeric_limits<double>::infinity()) == "−∞");
    CHECK(short_number(0.98) == "0.98");
    CHECK(short_number(-2.5) == "−2.5");
    CHECK(short_number(100) == "100");
    CHECK(short_number(3.0000001) == "3");
}

TEST_CASE("text: durations are for reading") {
    CHECK(duration(0.84) == "0.8 s");
    CHECK(duration(41.6) == "42 s");
    CHECK(duration(59.7) == "1:00");
    CHECK(duration(187) == "3:07");
    CHECK(duration(3765) == "1:02:45");
    CHECK(duration(-1) == "?");
    CHECK(duration(std::nan("")) == "?");
}

TEST_CASE("text: base 64 as in RFC 4648") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xFF\xFE\xFD") == "//79");
}
