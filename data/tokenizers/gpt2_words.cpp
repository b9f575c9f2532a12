#include "data/tokenizers/gpt2_words.h"

#include <utf8proc.h>

#include "data/text/unicode.h"

namespace gradus::data {
namespace {

enum class Kind { letter, digit, space, other };

struct Part {
    Kind kind;
    size_t bytes;
};

Part first_part(std::string_view text) {
    const auto [code, bytes] = first_character(text);
    if (bytes == 0) return {Kind::other, 1};
    if (is_white_space(code)) return {Kind::space, bytes};
    const utf8proc_category_t category = utf8proc_category(code);
    if (UTF8PROC_CATEGORY_LU <= category && category <= UTF8PROC_CATEGORY_LO)
        return {Kind::letter, bytes};
    if (UTF8PROC_CATEGORY_ND <= category && category <= UTF8PROC_CATEGORY_NO)
        return {Kind::digit, bytes};
    return {Kind::other, bytes};
}

// The length of the word at the front of a text.
size_t word_length(std::string_view text) {
    for (const std::string_view end : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
        if (text.starts_with(end)) return end.size();

    size_t length = 0;
    Part part = first_part(text);
    if (text[0] == ' ' && text.size() > 1) {
        const Part next = first_part(text.substr(1));
        if (next.kind != Kind::space) {
            length = 1;
            part = next;
        }
    }
    const Kind kind = part.kind;
    size_t last = 0;  // where the last character begins
    while (part.kind == kind) {
        last = length;
        length += part.bytes;
        if (length == text.size()) return length;
        part = first_part(text.substr(length));
    }
    return kind == Kind::space && last > 0 ? last : length;
}

}  // namespace

std::vector<std::string_view> gpt2_words(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        words.push_back(text.substr(0, word_length(text)));
        text.remove_prefix(words.back().size());
    }
    return words;
}

}  // namespace gradus::data
