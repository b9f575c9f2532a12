#include "data/tokenizers/wordpiece.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "autograd/error.h"
#include "data/text/text.h"
#include "data/tokenizers/bert_words.h"
#include "data/tokenizers/merges.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;
using Tokens = std::vector<std::string>;

const Tokens kSpecials{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
constexpr const char *kUnknown = "[UNK]", *kWithin = "##";
constexpr size_t kLongestWord = 100;  // characters

using WordCounts = std::unordered_map<std::string, int64_t>;

WordCounts count_words(const std::vector<std::string_view>& texts) {
    WordCounts counts;
    for (const std::string_view text : texts)
        for (const std::string& word : bert_words(text)) ++counts[word];
    return counts;
}

// In the order of their bytes.
Tokens frequent_characters(const WordCounts& words, int64_t min_count) {
    std::map<std::string_view, int64_t> counts;
    for (const auto& [word, count] : words)
        for (const std::string_view character : characters(word)) counts[character] += count;
    Tokens frequent;
    for (const auto& [character, count] : counts)
        if (count >= min_count) frequent.emplace_back(character);
    return frequent;
}

// The ids of a word's characters; nothing where one of them has none.
std::vector<int32_t> single_characters(std::string_view word, const Vocab& vocab) {
    std::vector<int32_t> ids;
    for (const std::string_view character : characters(word)) {
        const std::string piece = (ids.empty() ? "" : kWithin) + std::string(character);
        if (!vocab.contains(piece)) return {};
        ids.push_back(vocab.id(piece));
    }
    return ids;
}

Tokens lines_of(const fs::path& file) {
    const std::string name = file.string(), text = read_text(file);
    Tokens tokens;
    std::unordered_map<std::string, size_t> lines;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        tokens.push_back(text.substr(begin, end - begin));
        begin = end + 1;
        check(!tokens.back().empty(), name, "line {} is empty; the piece with id {} expected",
              tokens.size(), tokens.size() - 1);
        const auto [first, is_new] = lines.emplace(tokens.back(), tokens.size());
        check(is_new, name, "line {} is \"{}\", as line {} is; every piece once expected",
              tokens.size(), tokens.back(), first->second);
    }
    return tokens;
}

// The package marks the beginnings of words with U+2581, and what goes on with one not at all; its
// token 1 has lost its name.
Tokens package_tokens(const fs::path& file) {
    using Json = nlohmann::json;
    constexpr std::string_view kBegins = "\u2581";
    const Json listed = Json::parse(read_text(file), nullptr, false);
    check(listed.is_array(), file.string(),
          "is no list of pieces; fetch it anew: ./run data bert-vocab");
    Tokens tokens;
    for (const Json& entry : listed) {
        check(entry.is_string(), file.string(),
              "piece {} is {}; a string expected; fetch it anew: ./run data bert-vocab",
              tokens.size(), entry.dump());
        const std::string token = entry.get<std::string>();
        if (token == kBegins)
            tokens.push_back("[unused0]");
        else if (token.starts_with(kBegins))
            tokens.push_back(token.substr(kBegins.size()));
        else if (token.size() > 2 && token.front() == '[' && token.back() == ']')
            tokens.push_back(token);
        else
            tokens.push_back(kWithin + token);
    }
    return tokens;
}

}  // namespace

WordPiece::WordPiece(Vocab vocab) : vocab_(std::move(vocab)) {
    int32_t* const ids[] = {&pad_, &unk_, &cls_, &sep_, &mask_};
    for (size_t i = 0; i < kSpecials.size(); ++i) {
        check(vocab_.contains(kSpecials[i]), "wordpiece",
              "its vocabulary has no {}; give one with [PAD], [UNK], [CLS], [SEP] and [MASK]",
              kSpecials[i]);
        *ids[i] = vocab_.id(kSpecials[i]);
    }
}

WordPiece WordPiece::train(const std::vector<std::string_view>& texts,
                           const WordPieceOptions& options) {
    check(options.min_count >= 1, "wordpiece", "min_count is {}; at least 1 expected",
          options.min_count);
    const WordCounts counts = count_words(texts);
    const Tokens alphabet = frequent_characters(counts, options.min_count);
    check(!alphabet.empty(), "wordpiece",
          "no character of {} texts occurs {} times; give more text, or a lower min_count",
          texts.size(), options.min_count);

    Tokens tokens = kSpecials;
    tokens.insert(tokens.end(), alphabet.begin(), alphabet.end());
    for (const std::string& character : alphabet) tokens.push_back(kWithin + character);
    const auto room = options.size - static_cast<int64_t>(tokens.size());
    check(
        room >= 0, "wordpiece",
        "a vocabulary of {} asked, and {} specials and {} characters, each of them twice, are {}; "
        "allow as many, or raise min_count from {}",
        options.size, kSpecials.size(), alphabet.size(), tokens.size(), options.min_count);

    const Vocab single({}, {.first = tokens});
    std::vector<CountedWord> words;
    for (const auto& [word, count] : counts)
        words.push_back({single_characters(word, single), count});
    for (const auto& [left, right] : learn_merges(
             std::move(words), static_cast<int32_t>(tokens.size()), room, options.min_count))
        tokens.push_back(tokens[static_cast<size_t>(left)] +
                         tokens[static_cast<size_t>(right)].substr(2));
    return WordPiece(Vocab({}, {.unknown = kUnknown, .first = tokens}));
}

WordPiece WordPiece::load(const fs::path& path) {
    fs::path file = path;
    if (fs::is_directory(path)) file /= fs::exists(path / "vocab.txt") ? "vocab.txt" : "vocab.json";
    check(fs::exists(file), path.string(),
          "has no word pieces; a vocab.txt, or what ./run data bert-vocab fetches, expected");
    const Tokens tokens = file.extension() == ".json" ? package_tokens(file) : lines_of(file);
    for (const std::string& special : kSpecials)
        check(std::find(tokens.begin(), tokens.end(), special) != tokens.end(), file.string(),
              "has no {}; a vocabulary with [PAD], [UNK], [CLS], [SEP] and [MASK] expected",
              special);
    return WordPiece(Vocab({}, {.unknown = kUnknown, .first = tokens}));
}

void WordPiece::save(const fs::path& file) const {
    std::string text;
    for (int32_t id = 0; id < size(); ++id) text += vocab_.token(id) + '\n';
    write_text(file, text);
}

// From left to right the longest piece that there is; no pieces where there is none.
std::vector<int32_t> WordPiece::pieces(std::string_view word) const {
    const std::vector<std::string_view> letters = characters(word);
    if (letters.size() > kLongestWord) return {};
    std::vector<int32_t> ids;
    for (size_t begin = 0, end = 0; begin < letters.size(); begin = end) {
        std::string piece = begin > 0 ? kWithin : "";
        piece.append(letters[begin].data(), word.data() + word.size());
        for (end = letters.size(); end > begin && !vocab_.contains(piece); --end)
            piece.resize(piece.size() - letters[end - 1].size());
        if (end == begin) return {};
        ids.push_back(vocab_.id(piece));
    }
    return ids;
}

Tensor WordPiece::encode(std::string_view text) const {
    std::vector<int32_t> ids;
    for (const std::string& word : bert_words(text)) {
        const std::vector<int32_t> found = pieces(word);
        ids.insert(ids.end(), found.begin(), found.end());
        if (found.empty()) ids.push_back(unk_);
    }
    return Tensor::from<int32_t>(ids);
}

std::string WordPiece::decode(const Tensor& ids) const {
    std::string text;
    for (const int32_t id : ids.values<int32_t>()) {
        std::string_view piece = vocab_.token(id);
        if (piece.starts_with(kWithin))
            piece.remove_prefix(2);
        else if (!text.empty())
            text += ' ';
        text += piece;
    }
    return text;
}

}  // namespace gradus::data
