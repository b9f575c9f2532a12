// How sentences are cut into tokens for translation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// Words in lower case, each other character a token of its own: "L'objet, ici." -> l' objet , ici .
/// An apostrophe ends its word; hyphens, points and commas between letters or digits stay in theirs:
/// don' t, read-only, 3.5. Curly apostrophes become straight ones. Throws Error where the sentence
/// is not UTF-8, as all of these do.
std::vector<std::string> word_tokens(std::string_view sentence);

/// Such words as a sentence to be read: "l'objet, ici."
std::string detokenize(const std::vector<std::string>& words);

/// Single characters, white space as "_".
std::vector<std::string> character_tokens(std::string_view text);

/// What stands between single spaces, as it is.
std::vector<std::string> space_tokens(std::string_view text);

}  // namespace gradus::data
