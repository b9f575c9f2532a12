// Texts with a label each: what a classifier is learned from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gradus::data {

/// A text, UTF-8, on one line, and the number of its class.
struct LabelledText {
    std::string text;
    int32_t label = 0;
};

/// Training and test texts of one source, in an order that is random and always the same, so that
/// the first hundred are a fair sample.
struct LabelledData {
    std::string name;                  // "imdb", or a file's name
    std::vector<std::string> classes;  // "disliked", "liked"
    std::vector<LabelledText> train, test;
};

/// Labelled texts from a path, in one of these forms:
///   the folder of `./run data imdb`: 50,000 film reviews, disliked (0) or liked (1), without their
///   <br />;
///   a user's own .tsv file: class, tab, text in each line; classes are numbered in the order of
///   their bytes.
/// A tenth, chosen by the text's own hash, is the test set: a text that stands there twice is on one
/// side. Throws Error, with file and place, where nothing of the kind is found, a text is empty or
/// not UTF-8, there are fewer than two classes, or one side has no text.
LabelledData load_labelled(const std::filesystem::path& path);

/// Those of at most `most` words (parts between white space), in their order.
std::vector<LabelledText> at_most_words(const std::vector<LabelledText>& texts, int64_t most);

}  // namespace gradus::data
