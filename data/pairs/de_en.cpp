#include "data/pairs/de_en.h"

#include <unordered_set>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

constexpr std::string_view kRemedy = "fetch it anew: ./run data de-en";

std::vector<std::string_view> split(std::string_view text, std::string_view by) {
    std::vector<std::string_view> parts;
    for (size_t begin = 0; begin != text.npos;) {
        const size_t end = text.find(by, begin);
        parts.push_back(text.substr(begin, end == text.npos ? end : end - begin));
        begin = end == text.npos ? end : end + by.size();
    }
    return parts;
}

// The first of several that say the same, without its notes.
std::string without_notes(std::string_view part) {
    constexpr std::string_view kOpen = "{[(<", kClose = "}])>";
    std::string text;
    int depth = 0;
    bool abbreviation = false;  // between slashes: "... /AC/"
    for (size_t i = 0; i < part.size(); ++i) {
        const char c = part[i];
        const bool begins = text.empty() || text.back() == ' ';
        if (depth == 0 && c == '/' && (abbreviation || begins)) {
            abbreviation = !abbreviation;
        } else if (kOpen.find(c) != kOpen.npos) {
            ++depth;
        } else if (kClose.find(c) != kClose.npos) {
            depth -= depth > 0;
        } else if (depth == 0 && !abbreviation) {
            if (c == ';') break;
            text += c;
        }
    }
    text = one_line(text);
    for (size_t i = 0; (i = text.find(' ', i)) != text.npos; ++i)  // where a note stood: "home ."
        if (std::string_view(".,!?").find(text[i + 1]) != std::string_view::npos) text.erase(i, 1);
    return text;
}

bool is_sentence(std::string_view text) {
    return text.find(' ') != text.npos && text.find('/') == text.npos &&
           std::string_view(".!?").find(text.back()) != std::string_view::npos;
}

}  // namespace

std::vector<PairDocument> read_de_en(const std::filesystem::path& file) {
    const std::string name = file.string(), text = read_text(file);
    std::vector<PairDocument> documents;
    std::unordered_set<std::string> seen;
    int64_t line = 0;
    for (std::string_view entry : split(text, "\n")) {
        ++line;
        if (entry.empty() || entry.starts_with('#')) continue;
        const auto halves = split(entry, " :: ");
        check(halves.size() == 2, name,
              "line {} has {} parts around \" :: \"; German :: English expected; {}", line,
              halves.size(), kRemedy);
        const auto german = split(halves[0], " | "), english = split(halves[1], " | ");
        check(german.size() == english.size(), name,
              "line {} has {} parts in German and {} in English; as many expected; {}", line,
              german.size(), english.size(), kRemedy);
        PairDocument document{fmt::format("line {}", line), {}};
        for (size_t i = 0; i < german.size(); ++i) {
            Pair pair{without_notes(german[i]), without_notes(english[i])};
            if (is_sentence(pair.source) && is_sentence(pair.target) &&
                seen.insert(pair.source).second)
                document.pairs.push_back(std::move(pair));
        }
        if (!document.pairs.empty()) documents.push_back(std::move(document));
    }
    return documents;
}

}  // namespace gradus::data
