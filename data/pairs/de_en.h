// German and English: the examples in the dictionary Ding (TU Chemnitz; GNU GPL 2 or later).
#pragma once

#include <filesystem>

#include "data/pairs/pairs.h"

namespace gradus::data {

/// Everyday sentences: of each entry "de; de2 | example :: en; en2 | example" the parts that are, in
/// both languages, two words or more and end in . ! or ?, each without its notes in {} [] () <> //,
/// the first where several say the same. Left out are parts with words to choose from ("at/by") and
/// all but the first pair of a German sentence. A document is an entry; those without a sentence are
/// left out. Throws Error, with file and line, where an entry has no second half, or not as many
/// parts as the first.
std::vector<PairDocument> read_de_en(const std::filesystem::path& file);

}  // namespace gradus::data
