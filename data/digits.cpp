#include "data/digits.h"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "data/files.h"

namespace gradus::data {
namespace {

constexpr int kSide = 8, kPixels = kSide * kSide;
constexpr float kInk = 16;

// Takes the text up to `separator`, or all of it, from the front.
std::string_view take(std::string_view& text, char separator) {
    const std::string_view part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

}  // namespace

Images read_digits(const std::filesystem::path& path) {
    const std::string file = path.string(), bytes = read_file(path);
    std::vector<float> pixels;
    std::vector<int32_t> labels;
    std::string_view rest = bytes;
    for (int number = 1; !rest.empty(); ++number) {
        std::string_view line = take(rest, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        float fields[kPixels + 1];
        int count = 0;
        for (bool more = true; more; ++count) {
            more = line.find(',') != line.npos;
            const std::string_view field = take(line, ',');
            if (count > kPixels) continue;
            const auto [end, error] =
                std::from_chars(field.data(), field.data() + field.size(), fields[count]);
            const float limit = count < kPixels ? kInk : 9;
            check(error == std::errc{} && end == field.data() + field.size() &&
                      fields[count] >= 0 && fields[count] <= limit,  // false for NaN
                  file, "line {}, field {} is \"{}\"; a number 0 ... {} expected", number,
                  count + 1, field.substr(0, 20), limit);
        }
        check(count == kPixels + 1, file, "line {} has {} fields; {} pixels and a label expected",
              number, count, kPixels);
        check(fields[kPixels] == static_cast<float>(static_cast<int>(fields[kPixels])), file,
              "line {} has the label {}; a whole number expected", number, fields[kPixels]);
        for (int i = 0; i < kPixels; ++i) pixels.push_back(fields[i] / kInk);
        labels.push_back(static_cast<int32_t>(fields[kPixels]));
    }
    check(!labels.empty(), file, "is empty; lines of {} pixels and a label expected", kPixels);
    return {Tensor::from(pixels, {static_cast<int64_t>(labels.size()), kPixels}),
            Tensor::from(labels), kSide, kSide, 10};
}

}  // namespace gradus::data
