// How English words sound: the CMU Pronouncing Dictionary (Carnegie Mellon University).
#pragma once

#include <filesystem>

#include "data/pairs/pairs.h"

namespace gradus::data {

/// A document for each word, in the order of their bytes, with a pair for each way to say it:
/// "t o m a t o" and "T AH0 M EY1 T OW2" (39 phonemes in ARPABET, vowels with their stress 0, 1 or
/// 2). `file` is the package's index.js: a comment, then `... dictionary = {"word": "sounds", ...}`,
/// with "word(2)" for the second way; a remark after "#" is left out. Throws Error where it is anything else.
std::vector<PairDocument> read_cmudict(const std::filesystem::path& file);

}  // namespace gradus::data
