// Text as it comes from files: checked UTF-8, in documents, and cut into tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// What is split by, trained on or tested as a whole: a novel, an article, a name.
struct Document {
    std::string name;  // "Emma", "ca01", "notes.txt"
    std::string text;  // UTF-8, lines end in \n; a name is no line and has none
};

/// Training and test documents of one source.
struct TextData {
    std::string name;  // "austen", or a file's name
    std::vector<Document> train, test;
};

/// Throws Error, with line and byte, at the first byte that is not UTF-8 (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
void check_utf8(std::string_view source, std::string_view text);

/// A whole text file, plain or gzip: UTF-8 without a byte-order mark, \r\n turned to \n. Throws
/// Error where it is missing, empty (or nothing but white space) or not UTF-8.
std::string read_text(const std::filesystem::path& path);
/// A file that holds this text, whole or not at all. Throws Error with the system's reason.
void write_text(const std::filesystem::path& path, std::string_view text);

/// The characters (code points) of a text, as parts of it. Throws Error where it is not UTF-8.
std::vector<std::string_view> characters(std::string_view text);

/// The code point at the front of a text, and one as UTF-8. Throws Error where there is none, or it
/// is no character (a surrogate, above U+10FFFF).
int32_t code_point(std::string_view text);
std::string utf8(int32_t code);

/// The words of a text, as parts of it: what stands between white space (Unicode's, U+00A0 included);
/// each end of a line is a token "\n". Throws Error where the text is not UTF-8.
std::vector<std::string_view> words(std::string_view text);

/// A text on one line: its words, a space between them. Throws Error where it is not UTF-8.
std::string one_line(std::string_view text);

/// Text from a path, split by document, in one of these forms:
///   the folder of `./run data austen`: six novels, of which "Persuasion" is the test set;
///   the folder of `./run data brown`: 500 texts, words separated by spaces, a sentence a line;
///   every tenth text of each genre, at least one, is the test set;
///   the folder of `./run data names`: a name a document; a tenth, chosen by the name's own hash,
///   is the test set;
///   a user's own folder of .txt files: every tenth, at least one, is the test set;
///   a user's own file: the last tenth of its paragraphs is the test set.
/// Throws Error where nothing of the kind is found or a file is not what it should be.
TextData load_text(const std::filesystem::path& path);

}  // namespace gradus::data
