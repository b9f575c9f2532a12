#include "data/text/unicode.h"

#include <utf8proc.h>

namespace gradus::data {

Character first_character(std::string_view text) {
    if (const auto byte = static_cast<unsigned char>(text.front()); byte < 0x80) return {byte, 1};
    Character character;
    const utf8proc_ssize_t bytes =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                         static_cast<utf8proc_ssize_t>(text.size()), &character.code);
    character.bytes = bytes > 0 ? static_cast<size_t>(bytes) : 0;
    return character;
}

bool is_white_space(int32_t code) {
    constexpr int32_t kNextLine = 0x85;
    if (code < 0x80) return code == ' ' || ('\t' <= code && code <= '\r');
    const utf8proc_category_t category = utf8proc_category(code);
    return code == kNextLine || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace gradus::data
