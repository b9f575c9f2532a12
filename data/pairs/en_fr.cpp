#include "data/pairs/en_fr.h"

#include <utf8proc.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "autograd/error.h"
#include "data/pairs/help_html.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRemedy = "fetch both languages anew: ./run data en-fr";

// Paths of all pages, from the folder on.
std::set<fs::path> pages(const fs::path& folder) {
    std::error_code error;
    check(fs::is_directory(folder, error), folder.string(), "there is no such folder; {}", kRemedy);
    std::set<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().extension() == ".html")
            found.insert(entry.path().lexically_relative(folder));
    check(!found.empty(), folder.string(), "has no .html file; help pages expected; {}", kRemedy);
    return found;
}

std::vector<HelpParagraph> read_page(const fs::path& path) {
    return help_paragraphs(path.string(), read_text(path));
}

void append_sentences(std::vector<Pair>& pairs, const std::string& source,
                      const std::string& target) {
    const std::vector<std::string> sources = sentences(source), targets = sentences(target);
    if (sources.size() != targets.size()) {
        pairs.push_back({source, target});
        return;
    }
    for (size_t i = 0; i < sources.size(); ++i) pairs.push_back({sources[i], targets[i]});
}

// Of paragraphs with the same id, which a page has where it takes in another, the first counts.
std::vector<Pair> page_pairs(const fs::path& english, const fs::path& french) {
    std::unordered_map<std::string, std::string> translations;
    for (HelpParagraph& paragraph : read_page(french))
        translations.emplace(std::move(paragraph.id), std::move(paragraph.text));
    std::vector<Pair> pairs;
    std::unordered_set<std::string> seen;
    for (const HelpParagraph& paragraph : read_page(english)) {
        const auto translation = translations.find(paragraph.id);
        if (translation != translations.end() && !translation->second.empty() &&
            !paragraph.text.empty() && seen.insert(paragraph.id).second)
            append_sentences(pairs, paragraph.text, translation->second);
    }
    return pairs;
}

}  // namespace

std::vector<std::string> sentences(std::string_view text) {
    std::vector<std::string> found;
    bool ended = true;  // before the word that comes next
    for (std::string_view word : words(text)) {
        if (found.empty() || (ended && !utf8proc_islower(code_point(word))))
            found.emplace_back(word);
        else
            (found.back() += ' ') += word;
        ended = std::string_view(".!?").find(word.back()) != std::string_view::npos;
    }
    return found;
}

std::vector<PairDocument> read_en_fr(const fs::path& english, const fs::path& french) {
    const std::set<fs::path> here = pages(english), there = pages(french);
    const auto [one, other] = std::mismatch(here.begin(), here.end(), there.begin(), there.end());
    if (one != here.end() || other != there.end()) {
        const bool only_here = one != here.end() && (other == there.end() || *one < *other);
        fail((only_here ? english / *one : french / *other).string(),
             fmt::format("has no counterpart in {}; {}", (only_here ? french : english).string(),
                         kRemedy));
    }
    std::vector<PairDocument> documents;
    std::unordered_set<std::string> seen;
    for (const fs::path& page : here) {
        PairDocument document{page.generic_string(), {}};
        for (Pair& pair : page_pairs(english / page, french / page))
            if (pair.source != pair.target && seen.insert(pair.source).second)
                document.pairs.push_back(std::move(pair));
        if (!document.pairs.empty()) documents.push_back(std::move(document));
    }
    return documents;
}

}  // namespace gradus::data
