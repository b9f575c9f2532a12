#include "data/images.h"

#include <algorithm>
#include <vector>

#include "data/digits.h"
#include "data/idx.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPictures = "-images-idx3-ubyte", kLabels = "-labels-idx1-ubyte";
constexpr std::string_view kDigits = "digits.csv";

// The path, or the path with .gz; empty where there is neither.
fs::path plain_or_gzip(const fs::path& path) {
    for (const char* ending : {"", ".gz"})
        if (fs::path found = path.string() + ending; fs::exists(found)) return found;
    return {};
}

// "train" of ".../train-images-idx3-ubyte.gz"; empty where the file is none of pictures.
std::string stem(const fs::path& pictures) {
    std::string name = pictures.filename().string();
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    return name.ends_with(kPictures) ? name.substr(0, name.size() - kPictures.size()) : "";
}

Images read_pair(const fs::path& pictures) {
    const fs::path wanted = pictures.parent_path() / stem(pictures).append(kLabels);
    const fs::path labels = plain_or_gzip(wanted);
    check(!labels.empty(), wanted.string(), "there is no such file, plain or .gz, beside {}",
          pictures.filename().string());
    return read_idx_images(pictures, labels);
}

ImageData split_last(const Images& all, int64_t share) {
    const int64_t train = all.size() - all.size() / share;
    check(train < all.size(), "images", "{} pictures are too few to set some aside for the test",
          all.size());
    return {slice(all, 0, train), slice(all, train, all.size())};
}

ImageData load_file(const fs::path& file) {
    if (file.filename().string().starts_with(kDigits)) return split_last(read_digits(file), 5);
    check(!stem(file).empty(), file.string(),
          "is of no known kind by its name; NAME{}, plain or .gz, or {}[.gz] expected", kPictures,
          kDigits);
    return split_last(read_pair(file), 6);
}

ImageData load_folder(const fs::path& folder) {
    if (const fs::path digits = plain_or_gzip(folder / kDigits); !digits.empty())
        return load_file(digits);

    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
        if (!stem(entry.path()).empty()) found.push_back(entry.path());
    if (found.size() == 1) return load_file(found[0]);

    const auto named = [&](std::initializer_list<std::string_view> stems) {
        return std::find_if(found.begin(), found.end(), [&](const fs::path& path) {
            return std::find(stems.begin(), stems.end(), stem(path)) != stems.end();
        });
    };
    const auto train = named({"train"}), test = named({"t10k", "test"});
    check(train != found.end() && test != found.end(), folder.string(),
          "has no pictures that could be read; train{0} and t10k{0} with their labels, or one "
          "NAME{0}, or {1}, expected, plain or .gz",
          kPictures, kDigits);
    ImageData data{read_pair(*train), read_pair(*test)};
    check(data.train.height == data.test.height && data.train.width == data.test.width,
          folder.string(), "pictures are {}x{} in train and {}x{} in test; one size expected",
          data.train.height, data.train.width, data.test.height, data.test.width);
    return data;
}

}  // namespace

Images slice(const Images& images, int64_t first, int64_t last) {
    check(0 <= first && first <= last && last <= images.size(), "slice",
          "pictures {} ... {} asked of {}", first, last, images.size());
    Images part = images;
    const int64_t width = images.pixels.size(1);
    part.pixels = images.pixels.view({last - first, width}, first * width);
    part.labels = images.labels.view({last - first}, first);
    return part;
}

ImageData load_images(const fs::path& path) {
    std::error_code error;
    check(fs::exists(path, error), path.string(), "there is no such file or folder");
    return fs::is_directory(path, error) ? load_folder(path) : load_file(path);
}

}  // namespace gradus::data
