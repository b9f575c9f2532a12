#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

namespace gradus::report {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kReplacementText = "\xEF\xBF\xBD";

struct Character {
    char32_t code;     // kReplacement if the bytes are no UTF-8
    std::size_t size;  // bytes
};

// The character at the start of text, which is not empty.
Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {kReplacement, 1};
    char32_t code = lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0u) != 0x80u) return {kReplacement, 1};
        code = (code << 6) | (byte(i) & 0x3Fu);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest[size] || code > 0x10FFFF || surrogate) return {kReplacement, 1};
    return {code, size};
}

bool in_ranges(char32_t code, std::span<const std::pair<char32_t, char32_t>> ranges) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
        return code >= range.first && code <= range.second;
    });
}

std::size_t columns_of(char32_t code) {
    static constexpr std::array<std::pair<char32_t, char32_t>, 7> kNone = {{{0x0300, 0x036F},
                                                                            {0x200B, 0x200F},
                                                                            {0x1AB0, 0x1AFF},
                                                                            {0x1DC0, 0x1DFF},
                                                                            {0x20D0, 0x20FF},
                                                                            {0xFE00, 0xFE0F},
                                                                            {0xFE20, 0xFE2F}}};
    static constexpr std::array<std::pair<char32_t, char32_t>, 9> kWide = {{{0x1100, 0x115F},
                                                                            {0x2E80, 0x303E},
                                                                            {0x3041, 0xA4CF},
                                                                            {0xAC00, 0xD7A3},
                                                                            {0xF900, 0xFAFF},
                                                                            {0xFE30, 0xFE6F},
                                                                            {0xFF00, 0xFF60},
                                                                            {0x1F300, 0x1FAFF},
                                                                            {0x20000, 0x3FFFD}}};
    if (code < 0x0300) return 1;
    if (in_ranges(code, kNone)) return 0;
    return in_ranges(code, kWide) ? 2 : 1;
}

// 1234567 -> 1,234,567, also with a sign before and a fraction behind.
std::string with_separators(std::string digits) {
    const std::size_t begin = digits.starts_with('-') ? 1 : 0;
    std::size_t at = std::min(digits.find('.'), digits.size());
    while (at > begin + 3) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character c = first_character(text);
        columns += columns_of(c.code);
        text.remove_prefix(c.size);
    }
    return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns == 0) return "";
    std::string cut;
    std::size_t used = 1;  // the …
    for (std::string_view rest = text; !rest.empty();) {
        const Character c = first_character(rest);
        used += columns_of(c.code);
        if (used > columns) break;
        cut += rest.substr(0, c.size);
        rest.remove_prefix(c.size);
    }
    return cut + "…";
}

std::string pad_right(std::string_view text, std::size_t columns) {
    const std::size_t width = display_width(text);
    return std::string(text) + std::string(columns > width ? columns - width : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
    const std::size_t width = display_width(text);
    return std::string(columns > width ? columns - width : 0, ' ') + std::string(text);
}

std::string escape(std::string_view text) {
    std::string safe;
    safe.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const Character c = first_character(text);
        const bool control = c.code < 0x20 && c.code != '\n' && c.code != '\t';
        const bool forbidden = c.code == 0xFFFE || c.code == 0xFFFF;
        const bool deleted = c.code >= 0x7F && c.code <= 0x9F;
        if (c.code == '&') {
            safe += "&amp;";
        } else if (c.code == '<') {
            safe += "&lt;";
        } else if (c.code == '>') {
            safe += "&gt;";
        } else if (c.code == '"') {
            safe += "&quot;";
        } else if (c.code == '\'') {
            safe += "&#39;";
        } else if (control || deleted || forbidden || c.code == kReplacement) {
            safe += kReplacementText;
        } else {
            safe += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    return safe;
}

std::string number(double value, int digits) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "−∞" : "∞";
    const double size = std::abs(value);
    std::string text;
    if (size < 1e15 && size == std::floor(size)) {
        text = with_separators(fmt::format("{:.0f}", size));
    } else if (size < 1e-4 || size >= 1e15) {
        text = fmt::format("{:.{}e}", size, std::max(0, digits - 1));
        const std::size_t e = text.find('e');
        std::size_t last = text.find_last_not_of('0', e - 1);
        if (text[last] == '.') --last;
        if (text.find('.') < e) text.erase(last + 1, e - last - 1);
    } else {
        const int whole = static_cast<int>(std::floor(std::log10(size))) + 1;
        text = with_separators(fmt::format("{:.{}f}", size, std::max(0, digits - whole)));
    }
    return value < 0 ? "−" + text : text;
}

std::string short_number(double value, int digits) {
    std::string text = number(value, digits);
    if (text.find('.') == std::string::npos || text.find('e') != std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string duration(double seconds) {
    if (!std::isfinite(seconds) || seconds < 0) return "?";
    if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(std::llround(std::min(seconds, 1e12)));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string base64(std::string_view bytes) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8 | (j < here ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text += j <= here ? kDigits[group >> (18 - 6 * j) & 63u] : '=';
        }
    }
    return text;
}

}  // namespace gradus::report
