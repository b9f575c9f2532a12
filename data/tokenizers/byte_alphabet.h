// Bytes as characters that can be seen, so that tokens of any bytes can stand in files of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// The 256 bytes in the order of GPT-2's first ids: those that print in ISO 8859-1 (! to ~, U+00A1
/// to U+00FF without the soft hyphen), which stand for themselves, then the others, which are
/// spelled U+0100, U+0101, ...: a space is "Ġ", the end of a line "Ċ".
const std::vector<unsigned char>& byte_alphabet();

/// Bytes as characters of the alphabet, and back; nothing where a character stands for no byte.
std::string spelled(std::string_view bytes);
std::optional<std::string> unspelled(std::string_view characters);

}  // namespace gradus::data
