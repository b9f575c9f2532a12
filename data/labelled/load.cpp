#include <algorithm>
#include <map>

#include "autograd/error.h"
#include "autograd/random.h"
#include "data/labelled/imdb.h"
#include "data/labelled/labelled.h"
#include "data/split.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImdb = "reviews.json";

LabelledData split(std::string name, std::vector<std::string> classes,
                   std::vector<LabelledText> texts) {
    LabelledData data{std::move(name), std::move(classes), {}, {}};
    const Tensor order = Rng(0).permutation(static_cast<int64_t>(texts.size()));
    for (const int32_t i : order.values<int32_t>()) {
        LabelledText& text = texts[static_cast<size_t>(i)];
        (is_tenth(text.text) ? data.test : data.train).push_back(std::move(text));
    }
    return data;
}

LabelledData load_tsv(const fs::path& path) {
    const std::string file = path.string(), content = read_text(path);
    std::vector<LabelledText> texts;
    std::vector<std::string> names;  // of each text's class
    std::map<std::string, int32_t> numbers;
    size_t line = 0;
    for (size_t begin = 0; begin < content.size();) {
        const size_t end = std::min(content.find('\n', begin), content.size());
        const std::string_view here = std::string_view(content).substr(begin, end - begin);
        begin = end + 1;
        ++line;
        if (one_line(here).empty()) continue;
        const size_t tab = here.find('\t');
        check(tab != here.npos, file, "line {} has no tab; class, tab, text expected", line);
        names.push_back(one_line(here.substr(0, tab)));
        texts.push_back({one_line(here.substr(tab + 1)), 0});
        check(!names.back().empty() && !texts.back().text.empty(), file,
              "line {} has no {}; class, tab, text expected", line,
              names.back().empty() ? "class before its tab" : "text after its tab");
        numbers.emplace(names.back(), 0);
    }
    std::vector<std::string> classes;
    for (auto& [name, number] : numbers) {
        number = static_cast<int32_t>(classes.size());
        classes.push_back(name);
    }
    check(classes.size() >= 2, file, "all texts are of the class \"{}\"; two classes expected",
          classes.empty() ? "" : classes[0]);
    for (size_t i = 0; i < texts.size(); ++i) texts[i].label = numbers[names[i]];
    return split(path.filename().string(), std::move(classes), std::move(texts));
}

LabelledData load_any(const fs::path& path) {
    std::error_code error;
    check(fs::exists(path, error), path.string(), "there is no such file or folder");
    const fs::path reviews = fs::is_directory(path, error) ? path / kImdb : path;
    if (reviews.filename() == kImdb && fs::exists(reviews, error))
        return split("imdb", {"disliked", "liked"}, read_imdb(reviews));
    check(
        path.extension() == ".tsv", path.string(),
        "has no labelled texts; a .tsv file of class, tab, text, or what ./run data imdb fetches, "
        "expected");
    return load_tsv(path);
}

}  // namespace

LabelledData load_labelled(const fs::path& path) {
    LabelledData data = load_any(path);
    check(!data.train.empty() && !data.test.empty(), path.string(),
          "of {} texts {} are the test set, which a text's hash decides; give more of them",
          data.train.size() + data.test.size(), data.test.size());
    return data;
}

std::vector<LabelledText> at_most_words(const std::vector<LabelledText>& texts, int64_t most) {
    check(most >= 1, "at most words", "{} words; 1 or more expected", most);
    std::vector<LabelledText> kept;
    std::copy_if(texts.begin(), texts.end(), std::back_inserter(kept),
                 [&](const LabelledText& text) {
                     return static_cast<int64_t>(words(text.text).size()) <= most;
                 });
    return kept;
}

}  // namespace gradus::data
