#include "data/text/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>

#include "autograd/atomic_file.h"
#include "autograd/error.h"
#include "data/files.h"
#include "data/text/unicode.h"

namespace gradus::data {
namespace {

[[noreturn]] void fail_not_utf8(std::string_view source, std::string_view text, size_t position) {
    const std::string_view before = text.substr(0, position);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    fail(source, fmt::format("is not UTF-8: line {}, byte {} is {:#04x}; convert it, for example "
                             "with iconv --from-code=ISO-8859-1 --to-code=UTF-8",
                             line, position - line_begin + 1,
                             int{static_cast<unsigned char>(text[position])}));
}

// Calls f(character, its part of the text) from front to back.
template <class F>
void for_each_character(std::string_view source, std::string_view text, F&& f) {
    for (size_t at = 0; at < text.size();) {
        const Character character = first_character(text.substr(at));
        if (character.bytes == 0) fail_not_utf8(source, text, at);
        f(character.code, text.substr(at, character.bytes));
        at += character.bytes;
    }
}

}  // namespace

void check_utf8(std::string_view source, std::string_view text) {
    for_each_character(source, text, [](auto, auto) {});
}

std::string read_text(const std::filesystem::path& path) {
    const std::string file = path.string(), bytes = read_file(path);
    std::string_view rest = bytes;
    if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);

    std::string text;
    text.reserve(rest.size());
    for (size_t i = 0; i < rest.size(); ++i)
        if (rest[i] != '\r' || i + 1 == rest.size() || rest[i + 1] != '\n') text += rest[i];

    bool blank = true;
    for_each_character(file, text, [&](auto code, auto) { blank = blank && is_white_space(code); });
    check(!blank, file, "is empty: it has {} bytes and no text; give a file with some text in it",
          bytes.size());
    return text;
}

void write_text(const std::filesystem::path& path, std::string_view text) {
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(text)));
    file.commit();
}

std::vector<std::string_view> characters(std::string_view text) {
    std::vector<std::string_view> found;
    found.reserve(text.size());
    for_each_character("characters", text, [&](auto, auto part) { found.push_back(part); });
    return found;
}

int32_t code_point(std::string_view text) {
    check(!text.empty(), "code point", "the text is empty; at least one character expected");
    const Character character = first_character(text);
    if (character.bytes == 0) fail_not_utf8("code point", text, 0);
    return character.code;
}

std::string utf8(int32_t code) {
    check(utf8proc_codepoint_valid(code), "utf8",
          "{:#x} is no character; 0 ... 0x10ffff, surrogates excepted, expected", code);
    std::array<utf8proc_uint8_t, 4> bytes;
    const utf8proc_ssize_t size = utf8proc_encode_char(code, bytes.data());
    return {bytes.begin(), bytes.begin() + size};
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    const char* begin = text.data();  // of the word that is being read
    const auto end_word = [&](const char* end) {
        if (end != begin) found.emplace_back(begin, static_cast<size_t>(end - begin));
    };
    for_each_character("words", text, [&](auto code, std::string_view part) {
        if (!is_white_space(code)) return;
        end_word(part.data());
        if (code == '\n') found.push_back(part);
        begin = part.data() + part.size();
    });
    end_word(text.data() + text.size());
    return found;
}

std::string one_line(std::string_view text) {
    std::string line;
    for (std::string_view word : words(text)) {
        if (word == "\n") continue;
        if (!line.empty()) line += ' ';
        line += word;
    }
    return line;
}

}  // namespace gradus::data
