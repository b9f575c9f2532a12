#include "report/images.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>

#include "autograd/error.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;

namespace {
std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
}

// The lines of a PNG file's pixels, each with its filter byte; checks length and sum of each chunk.
std::string unpacked(std::string_view file) {
    REQUIRE(file.substr(0, 8) == std::string_view("\x89PNG\r\n\x1a\n", 8));
    file.remove_prefix(8);
    std::string data;
    while (!file.empty()) {
        const std::size_t size = big_endian(file);
        const std::string_view body = file.substr(4, size + 4);
        CHECK(crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                    static_cast<uInt>(body.size())) == big_endian(file.substr(size + 8)));
        if (body.starts_with("IDAT")) data = body.substr(4);
        file.remove_prefix(size + 12);
    }
    std::string lines(1000, '\0');
    uLongf length = lines.size();
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(lines.data()), &length,
                       reinterpret_cast<const Bytef*>(data.data()),
                       static_cast<uLong>(data.size())) == Z_OK);
    lines.resize(length);
    return lines;
}
}  // namespace

TEST_CASE("images: a PNG holds the pixels, cut to its range") {
    const std::vector<double> pixels = {0, 0.5, 1, -3, 7, std::nan("")};
    CHECK(unpacked(png(pixels, 2, 3)) == std::string("\0\x00\x80\xFF\0\x00\xFF\x00", 8));
    const std::vector<double> weights = {-1, 0, 1};
    CHECK(unpacked(png(weights, 1, 3, -1, 1)) == std::string("\0\x00\x80\xFF", 4));
}

TEST_CASE("images: captions are escaped, marks have signs") {
    const std::vector<double> pixels(784, 0.5);
    Images images("digits");
    images.add(pixels, 28, 28, "<3>", Mark::fail).add(pixels, 28, 28, "5");
    CHECK(count(images.html(), "src=\"data:image/png;base64,") == 2);
    CHECK(contains(images.html(), "<em class=\"fail\">✗ &lt;3&gt;</em>"));
    CHECK(images.html().size() < 1500);
}

TEST_CASE("images: wrong sizes are errors") {
    const std::vector<double> pixels(6, 0.5);
    CHECK_THROWS_WITH_AS(png(pixels, 2, 2), "png: 6 pixels for a picture of 2 x 2", gradus::Error);
    CHECK_THROWS_AS(png(pixels, 0, 0), gradus::Error);
    CHECK_THROWS_AS(png(pixels, 2, 3, 1, 1), gradus::Error);
    CHECK_THROWS_AS(Images("").add(pixels, -2, -3, ""), gradus::Error);
}
