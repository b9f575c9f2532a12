#include "report/images.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "autograd/error.h"
#include "report/text.h"

namespace gradus::report {
namespace {

std::string big_endian(std::uint32_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFFu);
    return bytes;
}

// A PNG chunk: length, type, data, checksum of type and data.
std::string chunk(std::string_view type, const std::string& data) {
    const std::string body = std::string(type) + data;
    const auto sum =
        crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return big_endian(static_cast<std::uint32_t>(data.size())) + body +
           big_endian(static_cast<std::uint32_t>(sum));
}

std::string deflated(const std::string& bytes) {
    uLongf size = compressBound(static_cast<uLong>(bytes.size()));
    std::string packed(size, '\0');
    const int status = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                                 reinterpret_cast<const Bytef*>(bytes.data()),
                                 static_cast<uLong>(bytes.size()), 9);
    check(status == Z_OK, "png", "zlib could not compress {} bytes (status {})", bytes.size(),
          status);
    packed.resize(size);
    return packed;
}

}  // namespace

std::string png(std::span<const double> pixels, int height, int width, double low, double high) {
    check(height > 0 && width > 0, "png", "a picture of {} x {} pixels", height, width);
    const auto rows = static_cast<std::size_t>(height), columns = static_cast<std::size_t>(width);
    check(pixels.size() == rows * columns, "png", "{} pixels for a picture of {} x {}",
          pixels.size(), height, width);
    check(low < high, "png", "low has to be below high; got {} and {}", low, high);
    std::string lines;  // each begins with its filter: 0, none
    for (std::size_t r = 0; r < rows; ++r) {
        lines += '\0';
        for (std::size_t c = 0; c < columns; ++c) {
            const double value = (pixels[r * columns + c] - low) / (high - low);
            const double grey = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0) * 255;
            lines += static_cast<char>(static_cast<unsigned char>(std::lround(grey)));
        }
    }
    const std::string header = big_endian(static_cast<std::uint32_t>(width)) +
                               big_endian(static_cast<std::uint32_t>(height)) +
                               std::string("\x08\x00\x00\x00\x00", 5);  // 8 bits, grey
    return std::string("\x89PNG\r\n\x1a\n", 8) + chunk("IHDR", header) +
           chunk("IDAT", deflated(lines)) + chunk("IEND", "");
}

Images& Images::add(std::span<const double> pixels, int height, int width, std::string caption,
                    Mark mark, double low, double high) {
    items_.push_back(
        {png(pixels, height, width, low, high), height, width, std::move(caption), mark});
    return *this;
}

Images& Images::display_size(int pixels) {
    check(pixels >= 1, "Images::display_size", "at least 1 pixel; got {}", pixels);
    display_size_ = pixels;
    return *this;
}

std::string Images::html() const {
    // A caption of two or three words fits below even the smallest picture.
    std::string html = fmt::format(
        "<div class=\"images\" style=\"grid-template-columns:repeat(auto-fill,{}px)\">\n",
        std::max(display_size_, 92));
    if (!title_.empty()) html += fmt::format("<h4>{}</h4>\n", escape(title_));
    for (const Item& item : items_) {
        const double scale = static_cast<double>(display_size_) / std::max(item.height, item.width);
        const std::string_view mark = item.mark == Mark::none   ? ""
                                      : item.mark == Mark::pass ? " class=\"pass\""
                                                                : " class=\"fail\"";
        const std::string_view sign = item.mark == Mark::none   ? ""
                                      : item.mark == Mark::pass ? "✓ "
                                                                : "✗ ";
        html += fmt::format(
            "<span><img alt=\"{0}\" width=\"{1:.0f}\" height=\"{2:.0f}\" "
            "src=\"data:image/png;base64,{3}\"><em{4}>{5}{0}</em></span>\n",
            escape(item.caption), item.width * scale, item.height * scale, base64(item.png), mark,
            sign);
    }
    return html + "</div>\n";
}

}  // namespace gradus::report
