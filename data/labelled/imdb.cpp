#include "data/labelled/imdb.h"

#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "data/files.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRemedy = "fetch it anew: ./run data imdb";

Json parsed(const std::string& file, const std::string& bytes) {
    try {
        return Json::parse(bytes);
    } catch (const Json::parse_error& error) {
        fail(file, fmt::format("is no JSON in UTF-8: byte {} is wrong; {}", error.byte, kRemedy));
    }
}

// The marks for the end of a line, of which two make a paragraph, become spaces.
std::string without_breaks(std::string text) {
    constexpr std::string_view kBreak = "<br />";
    for (size_t at = 0; (at = text.find(kBreak, at)) != text.npos;)
        text.replace(at, kBreak.size(), " ");
    return one_line(text);
}

}  // namespace

std::vector<LabelledText> read_imdb(const std::filesystem::path& json) {
    const std::string file = json.string();
    const Json reviews = parsed(file, read_file(json));
    check(reviews.is_array(), file, "holds no list of reviews; {}", kRemedy);
    std::vector<LabelledText> texts;
    texts.reserve(reviews.size());
    for (const Json& review : reviews) {
        const size_t number = texts.size();
        check(review.is_object() && review.contains("t") && review["t"].is_string() &&
                  review.contains("s") && (review["s"] == 0 || review["s"] == 1),
              file, R"(review {} is {:.60}; {{"t": text, "s": 0 or 1}} expected; {})", number,
              review.dump(), kRemedy);
        texts.push_back(
            {without_breaks(review["t"].get<std::string>()), review["s"].get<int32_t>()});
        check(!texts.back().text.empty(), file, "review {} has no text; {}", number, kRemedy);
    }
    return texts;
}

}  // namespace gradus::data
