// Characters one by one, also in bytes that are no text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradus::data {

/// A code point and how many bytes of UTF-8 it takes; 0 bytes where there is none.
struct Character {
    int32_t code = 0;
    size_t bytes = 0;
};

/// The character at the front of a text that is not empty.
Character first_character(std::string_view text);

/// White_Space as Unicode has it, U+00A0 included.
bool is_white_space(int32_t code);

}  // namespace gradus::data
