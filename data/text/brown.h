// The Brown corpus (Francis and Kucera 1964, revised 1979): American English of 1961, each word with
// its part of speech.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gradus::data {

struct TaggedWord {
    std::string word, tag;  // "Jury", "nn-tl": as in the corpus
};
using TaggedSentence = std::vector<TaggedWord>;

struct BrownText {
    std::string name;   // "ca01"
    std::string genre;  // "news"
    std::vector<TaggedSentence> sentences;

    /// Words separated by spaces, a sentence a line.
    std::string plain() const;
};

/// The texts that cats.txt in `folder` lists ("ca01 news"), in its order; each is a file of
/// sentences, one a line, of word/tag. Throws Error, with file and line, where one is missing, has
/// no sentence, is not UTF-8, or a word has no tag.
std::vector<BrownText> read_brown(const std::filesystem::path& folder);

}  // namespace gradus::data
