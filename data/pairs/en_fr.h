// English and French: the help texts of LibreOffice (Mozilla Public License 2.0).
#pragma once

#include <filesystem>
#include <string_view>

#include "data/pairs/pairs.h"

namespace gradus::data {

/// The sentences of the help pages below `english` and `french` that say the same: those of the
/// paragraphs with the same id in the page of the same path, sentence by sentence where a paragraph
/// has equally many in both, else whole. Left out are sentences that were not translated (the same
/// in both: program code, names) and, as pages repeat paragraphs of each other, all but the first
/// pair of an English sentence: none of the test set is in the training set.
/// A page is a document; pages are in the order of their paths, those without pairs left out.
/// Throws Error where a page has no counterpart or there is no page.
std::vector<PairDocument> read_en_fr(const std::filesystem::path& english,
                                     const std::filesystem::path& french);

/// A text cut after each word that ends in . ! or ? where no lower-case letter follows. Words are
/// separated by single spaces.
std::vector<std::string> sentences(std::string_view text);

}  // namespace gradus::data
