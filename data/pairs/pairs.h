// Pairs of texts that say the same: what translation is learned from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gradus::data {

/// One text in two languages (or spellings), UTF-8, one line each, neither of them empty.
struct Pair {
    std::string source, target;
};

/// Pairs that were written together and are split together.
struct PairDocument {
    std::string name;
    std::vector<Pair> pairs;
};

/// Training and test documents of one source.
struct PairData {
    std::string name;
    std::vector<PairDocument> train, test;
};

/// All pairs of some documents, in order.
std::vector<Pair> all_pairs(const std::vector<PairDocument>& documents);

/// Pairs from a path, split by document, in one of these forms:
///   the folder of `./run data en-fr`: help texts, every tenth file is the test set;
///   the folder of `./run data de-en`: everyday sentences; every tenth entry;
///   the folder of `./run data cmudict`: letters of a word and its phonemes, each separated by
///   spaces; a tenth of the words, chosen by the word's own hash (all its pronunciations together);
///   a user's own .tsv file: source, tab, target in each line; the last tenth is the test set.
/// Throws Error where nothing of the kind is found, or a line has no second half or an empty side.
PairData load_pairs(const std::filesystem::path& path);

}  // namespace gradus::data
