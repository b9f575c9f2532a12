#include "data/text/brown.h"

#include <string_view>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

// The last slash of "1/2/cd" stands before the tag.
TaggedWord parse_word(std::string_view file, int64_t line, std::string_view word) {
    const size_t slash = word.rfind('/');
    check(slash != word.npos && slash > 0 && slash + 1 < word.size(), file,
          "line {} has \"{}\"; word/tag expected; fetch it anew: ./run data brown", line, word);
    return {std::string(word.substr(0, slash)), std::string(word.substr(slash + 1))};
}

std::vector<TaggedSentence> read_sentences(const std::filesystem::path& path) {
    const std::string file = path.string(), text = read_text(path);
    std::vector<TaggedSentence> sentences;
    bool in_sentence = false;
    int64_t line = 1;
    for (std::string_view word : words(text)) {
        if (word == "\n") {
            in_sentence = false;
            ++line;
            continue;
        }
        if (!in_sentence) sentences.emplace_back();
        in_sentence = true;
        sentences.back().push_back(parse_word(file, line, word));
    }
    return sentences;
}

}  // namespace

std::string BrownText::plain() const {
    std::string text;
    for (const TaggedSentence& sentence : sentences) {
        for (const TaggedWord& word : sentence) {
            if (&word != &sentence.front()) text += ' ';
            text += word.word;
        }
        text += '\n';
    }
    return text;
}

std::vector<BrownText> read_brown(const std::filesystem::path& folder) {
    const std::filesystem::path list = folder / "cats.txt";
    const std::string listed = read_text(list);
    std::vector<BrownText> texts;
    std::vector<std::string_view> fields;
    int64_t line = 1;
    const auto end_line = [&] {
        check(fields.empty() || fields.size() == 2, list.string(),
              "line {} has {} words; a text and its genre, \"ca01 news\", expected; fetch it anew: "
              "./run data brown",
              line, fields.size());
        if (!fields.empty())
            texts.push_back({std::string(fields[0]), std::string(fields[1]),
                             read_sentences(folder / fields[0])});
        fields.clear();
        ++line;
    };
    for (std::string_view word : words(listed)) {
        if (word == "\n")
            end_line();
        else
            fields.push_back(word);
    }
    end_line();
    return texts;
}

}  // namespace gradus::data
