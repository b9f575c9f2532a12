#include "autograd/error.h"
#include "data/pairs/cmudict.h"
#include "data/pairs/de_en.h"
#include "data/pairs/en_fr.h"
#include "data/pairs/pairs.h"
#include "data/split.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

// What ./run data calls its folders and files.
constexpr const char *kEnglish = "libreoffice-help-en-us", *kFrench = "libreoffice-help-fr",
                     *kDictionary = "de-en", *kSounds = "index.js";

PairData every_tenth(std::string name, std::vector<PairDocument> documents) {
    PairData data{std::move(name), {}, {}};
    for (size_t i = 0; i < documents.size(); ++i)
        (is_tenth(i, documents.size()) ? data.test : data.train).push_back(std::move(documents[i]));
    return data;
}

PairData load_cmudict(const fs::path& file) {
    PairData data{"cmudict", {}, {}};
    for (PairDocument& word : read_cmudict(file))
        (is_tenth(word.name) ? data.test : data.train).push_back(std::move(word));
    return data;
}

// source, tab, target
Pair parse_line(std::string_view file, int64_t line, std::string_view text) {
    constexpr std::string_view kExpected = "source, tab, target expected";
    const size_t tab = text.find('\t');
    check(tab != text.npos, file, "line {} has no tab, so no second half; {}", line, kExpected);
    const std::string_view second = text.substr(tab + 1);
    check(second.find('\t') == second.npos, file,
          "line {} has more than two fields; {}; take the others out", line, kExpected);
    Pair pair{one_line(text.substr(0, tab)), one_line(second)};
    check(!pair.source.empty(), file, "line {} has an empty source; {}", line, kExpected);
    check(!pair.target.empty(), file, "line {} has an empty target; {}", line, kExpected);
    return pair;
}

PairData load_tsv(const fs::path& path) {
    const std::string file = path.string(), text = read_text(path);
    std::vector<Pair> pairs;
    int64_t line = 0;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view content = std::string_view(text).substr(begin, end - begin);
        ++line;
        if (!content.empty()) pairs.push_back(parse_line(file, line, content));
        begin = end + 1;
    }
    check(pairs.size() >= 2, file,
          "has {} pair; at least 2 expected, so that the last can be the test set", pairs.size());
    const auto cut = pairs.end() - static_cast<long>(std::max<size_t>(1, pairs.size() / 10));
    const std::string name = path.filename().string();
    return {name,
            {{name + ", beginning", {pairs.begin(), cut}}},
            {{name + ", end", {cut, pairs.end()}}}};
}

}  // namespace

std::vector<Pair> all_pairs(const std::vector<PairDocument>& documents) {
    std::vector<Pair> pairs;
    for (const PairDocument& document : documents)
        pairs.insert(pairs.end(), document.pairs.begin(), document.pairs.end());
    return pairs;
}

PairData load_pairs(const fs::path& path) {
    std::error_code error;
    check(fs::exists(path, error), path.string(),
          "there is no such file or folder; ./run data en-fr, de-en or cmudict fetches one");
    if (!fs::is_directory(path, error)) return load_tsv(path);
    if (fs::exists(path / kEnglish) || fs::exists(path / kFrench))
        return every_tenth("en-fr", read_en_fr(path / kEnglish, path / kFrench));
    if (fs::exists(path / kDictionary)) return every_tenth("de-en", read_de_en(path / kDictionary));
    if (fs::exists(path / kSounds)) return load_cmudict(path / kSounds);
    fail(path.string(),
         "has no pairs; what ./run data en-fr, de-en or cmudict fetches, or a .tsv file, expected");
}

}  // namespace gradus::data
