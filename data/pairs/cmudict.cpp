#include "data/pairs/cmudict.h"

#include <map>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

constexpr std::string_view kRemedy = "fetch it anew: ./run data cmudict";

std::string spelled(std::string_view word) {
    std::string letters;
    for (std::string_view letter : characters(word)) (letters += letter) += ' ';
    letters.pop_back();
    return letters;
}

}  // namespace

std::vector<PairDocument> read_cmudict(const std::filesystem::path& file) {
    using Json = nlohmann::json;  // in the order of bytes: word, word(2), word(3)
    const std::string name = file.string(), text = read_text(file);
    const size_t begin = text.find("dictionary = ");
    const Json dictionary =
        begin == text.npos ? Json()
                           : Json::parse(text.substr(text.find('=', begin) + 1), nullptr, false);
    check(dictionary.is_object() && !dictionary.empty(), name,
          "has no `dictionary = {{\"word\": \"sounds\", ...}}`; {}", kRemedy);

    std::map<std::string, std::vector<Pair>> words;
    for (const auto& [key, sounds] : dictionary.items()) {
        const std::string word = key.substr(0, key.find('('));
        check(sounds.is_string(), name, "\"{}\" has {} where sounds are expected; {}", key,
              sounds.dump(), kRemedy);
        const std::string line = sounds.get<std::string>();
        const std::string target = one_line(line.substr(0, line.find('#')));  // then a remark
        check(!word.empty() && !target.empty(), name,
              "\"{}\": \"{}\" has an empty side; a word and its sounds expected; {}", key, target,
              kRemedy);
        words[word].push_back({spelled(word), target});
    }
    std::vector<PairDocument> documents;
    documents.reserve(words.size());
    for (auto& [word, pairs] : words) documents.push_back({word, std::move(pairs)});
    return documents;
}

}  // namespace gradus::data
