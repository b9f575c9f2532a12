#include "data/pairs/tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "data/text/text.h"

namespace gradus::data {
namespace {

// Letters, marks, numbers, "_" and its like.
bool is_word_part(int32_t code) {
    const utf8proc_category_t category = utf8proc_category(code);
    return UTF8PROC_CATEGORY_LU <= category && category <= UTF8PROC_CATEGORY_PC;
}

bool contains(std::string_view set, std::string_view token) {
    return token.size() == 1 && set.find(token) != set.npos;
}

// Of what stands between white space.
void append_tokens(std::vector<std::string>& tokens, std::string_view word) {
    std::vector<int32_t> codes;
    for (std::string_view character : characters(word)) {
        constexpr int32_t kCurlyApostrophe = 0x2019;
        const int32_t code = code_point(character);
        codes.push_back(code == kCurlyApostrophe ? '\'' : utf8proc_tolower(code));
    }
    bool in_word = false;  // goes the next letter to the last token?
    for (size_t i = 0; i < codes.size(); ++i) {
        const int32_t code = codes[i];
        const bool inside = in_word && i + 1 < codes.size() && is_word_part(codes[i + 1]);
        const bool joins = code == '-' || code == '.' || code == ',';
        const bool part = is_word_part(code) || (inside && joins);
        if (in_word && (part || (inside && code == '\'')))
            tokens.back() += utf8(code);
        else
            tokens.push_back(utf8(code));
        in_word = part;
    }
}

}  // namespace

std::vector<std::string> word_tokens(std::string_view sentence) {
    std::vector<std::string> tokens;
    for (std::string_view word : words(sentence))
        if (word != "\n") append_tokens(tokens, word);
    return tokens;
}

std::string detokenize(const std::vector<std::string>& words) {
    std::string text;
    bool joined = true;   // to the word that comes next
    bool quoted = false;  // is a quotation open?
    for (const std::string& word : words) {
        const bool quote = word == "\"";
        if (!joined && !contains(",.;:!?)]}%", word) && !(quote && quoted)) text += ' ';
        text += word;
        quoted ^= quote;
        joined =
            contains("([{", word) || (quote && quoted) || (word.size() > 1 && word.back() == '\'');
    }
    return text;
}

std::vector<std::string> character_tokens(std::string_view text) {
    std::vector<std::string> tokens;
    for (std::string_view character : characters(text))
        tokens.emplace_back(one_line(character).empty() ? "_" : character);
    return tokens;
}

std::vector<std::string> space_tokens(std::string_view text) {
    check_utf8("space tokens", text);
    std::vector<std::string> tokens;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(' ', begin), text.size());
        if (end > begin) tokens.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return tokens;
}

}  // namespace gradus::data
