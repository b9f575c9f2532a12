// A byte-pair encoding in files of text, and in a string.
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "data/text/text.h"
#include "data/tokenizers/bpe.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// In quotes and ASCII, as JSON has it.
std::string in_quotes(const std::string& token) { return Json(token).dump(-1, ' ', true); }

std::vector<std::string> tokens_of(const std::string& text, std::string_view file) {
    const Json vocab = Json::parse(text, nullptr, false);
    check(vocab.is_object() && !vocab.empty(), file,
          "is no vocabulary; a JSON object {{\"token\": id, ...}} expected");
    const int64_t size = static_cast<int64_t>(vocab.size());
    std::vector<const std::string*> by_id(vocab.size());
    for (const auto& [token, id] : vocab.get_ref<const Json::object_t&>()) {
        check(id.is_number_integer() && id >= 0 && id < size, file,
              "token {} has the id {}; {} tokens, so ids 0 ... {}, none left out, expected",
              in_quotes(token), id.dump(), size, size - 1);
        const std::string*& place = by_id[id.get<size_t>()];
        check(place == nullptr, file, "id {} is both {} and {}; one token for each id expected",
              id.dump(), in_quotes(place ? *place : ""), in_quotes(token));
        place = &token;
    }
    std::vector<std::string> tokens;
    for (const std::string* token : by_id) tokens.push_back(*token);
    return tokens;
}

// Reads merges line by line against a vocabulary.
class MergesReader {
public:
    MergesReader(const Vocab& vocab, std::string_view file)
        : vocab_(vocab), file_(file), line_of_(static_cast<size_t>(vocab.size())) {}

    std::vector<Merge> read(const std::string& text) {
        constexpr std::string_view kVersion = "#version";
        for (size_t begin = 0; begin < text.size();) {
            const size_t end = std::min(text.find('\n', begin), text.size());
            const std::string line = text.substr(begin, end - begin);
            ++line_;
            begin = end + 1;
            if (!line.empty() && !(line_ == 1 && line.starts_with(kVersion))) add(line);
        }
        return std::move(merges_);
    }

private:
    void add(const std::string& line) {
        const size_t space = line.find(' '), last = line.rfind(' ');
        check(space != line.npos && space == last && 0 < space && space + 1 < line.size(), file_,
              "line {} is \"{}\"; two tokens with a space between them expected", line_, line);
        const std::string left = line.substr(0, space), right = line.substr(space + 1);
        merges_.push_back({part(left), part(right)});

        const std::string token = left + right;
        const int32_t id = id_of(token);
        check(id > last_, file_,
              "line {} makes {}, id {}, after id {} on the line before; merges in the order of the "
              "ids that they make expected, each once",
              line_, in_quotes(token), id, last_);
        last_ = id;
        line_of_[static_cast<size_t>(id)] = line_;
    }

    int32_t id_of(const std::string& token) const {
        check(vocab_.contains(token), file_,
              "line {} has {}, which is not in the vocabulary; take both files from one tokenizer",
              line_, in_quotes(token));
        return vocab_.id(token);
    }

    int32_t part(const std::string& token) const {
        const int32_t id = id_of(token);
        check(characters(token).size() == 1 || line_of_[static_cast<size_t>(id)] > 0, file_,
              "line {} merges {}, which no line before it makes; merges in the order in which they "
              "were learned expected",
              line_, in_quotes(token));
        return id;
    }

    const Vocab& vocab_;
    std::string_view file_;
    std::vector<int64_t> line_of_;  // that makes a token; 0: none
    std::vector<Merge> merges_;
    int64_t line_ = 0;
    int32_t last_ = -1;
};

}  // namespace

Bpe Bpe::from_files(const std::string& vocab, std::string_view vocab_name,
                    const std::string& merges, std::string_view merges_name) {
    const std::vector<std::string> tokens = tokens_of(vocab, vocab_name);
    return Bpe(tokens, MergesReader(Vocab({}, {.first = tokens}), merges_name).read(merges),
               vocab_name);
}

Bpe Bpe::load(const fs::path& folder) {
    constexpr std::pair<const char*, const char*> kNames[] = {{"vocab.json", "merges.txt"},
                                                              {"encoder.json", "vocab.bpe"}};
    for (const auto& [vocab, merges] : kNames) {
        if (!fs::exists(folder / vocab)) continue;
        return from_files(read_text(folder / vocab), (folder / vocab).string(),
                          read_text(folder / merges), (folder / merges).string());
    }
    fail(folder.string(),
         "has no byte-pair encoding; vocab.json and merges.txt, or encoder.json and vocab.bpe, as "
         "./run data gpt2-bpe fetches them, expected");
}

void Bpe::save(const fs::path& folder) const {
    std::error_code error;
    fs::create_directories(folder, error);
    check(!error, folder.string(), "cannot be made: {}", error.message());
    write_text(folder / "vocab.json", vocab_file());
    write_text(folder / "merges.txt", merges_file());
}

// By id, which a JSON object of the library would not keep.
std::string Bpe::vocab_file() const {
    std::string text;
    for (int32_t id = 0; id < size(); ++id)
        text += fmt::format("{}{}: {}", id == 0 ? "{" : ", ", in_quotes(vocab_.token(id)), id);
    return text + "}\n";
}

std::string Bpe::merges_file() const {
    std::string text = "#version: 0.2\n";
    for (const auto& [left, right] : merges_)
        text += fmt::format("{} {}\n", vocab_.token(left), vocab_.token(right));
    return text;
}

std::string Bpe::to_string() const {
    return Json{{"vocab.json", vocab_file()}, {"merges.txt", merges_file()}}.dump();
}

Bpe Bpe::parse(const std::string& text) {
    const Json files = Json::parse(text, nullptr, false);
    const auto has = [&](const char* name) {
        return files.is_object() && files.contains(name) && files[name].is_string();
    };
    check(
        has("vocab.json") && has("merges.txt"), "bpe",
        "found {} where vocab.json and merges.txt in one are expected; take a checkpoint that was "
        "saved with them",
        in_quotes(text.substr(0, 40)));
    return from_files(files["vocab.json"], "vocab.json", files["merges.txt"], "merges.txt");
}

}  // namespace gradus::data
