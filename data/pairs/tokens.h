// How sentences are cut into tokens for translation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// Words in lower case, punctuation apart: "L'objet, ici." -> l' objet , ici .
std::vector<std::string> word_tokens(std::string_view sentence);

/// Single characters, white space as "_".
std::vector<std::string> character_tokens(std::string_view text);

/// What stands between single spaces, as it is.
std::vector<std::string> space_tokens(std::string_view text);

}  // namespace gradus::data
