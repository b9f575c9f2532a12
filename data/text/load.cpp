#include <algorithm>
#include <map>

#include "autograd/error.h"
#include "data/split.h"
#include "data/text/austen.h"
#include "data/text/brown.h"
#include "data/text/names.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

constexpr const char *kAusten = "Rdata.rdb", *kBrown = "cats.txt", *kNames = "names.txt";
constexpr size_t kTenth = 10;

TextData load_austen(const fs::path& rdb) {
    TextData data{"austen", {}, {}};
    for (Document& novel : read_austen(rdb))
        (novel.name == "Persuasion" ? data.test : data.train).push_back(std::move(novel));
    return data;
}

TextData load_brown(const fs::path& folder) {
    TextData data{"brown", {}, {}};
    const std::vector<BrownText> texts = read_brown(folder);
    std::map<std::string_view, size_t> seen, of_genre;
    for (const BrownText& text : texts) ++of_genre[text.genre];
    for (const BrownText& text : texts) {
        const bool test = is_tenth(seen[text.genre]++, of_genre[text.genre]);
        (test ? data.test : data.train).push_back({text.name, text.plain()});
    }
    return data;
}

TextData load_names(const fs::path& folder) {
    TextData data{"names", {}, {}};
    for (const std::string& name : read_names(folder))
        (is_tenth(name) ? data.test : data.train).push_back({name, name});
    return data;
}

// Where the paragraphs begin, which empty lines separate.
std::vector<size_t> paragraphs(std::string_view text) {
    std::vector<size_t> begins;
    bool in_paragraph = false;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        const bool empty = words(text.substr(begin, end - begin)).empty();
        if (!empty && !in_paragraph) begins.push_back(begin);
        in_paragraph = !empty;
        begin = end + 1;
    }
    return begins;
}

TextData load_file(const fs::path& file) {
    if (file.filename() == kAusten) return load_austen(file);
    const std::string name = file.filename().string(), text = read_text(file);
    const std::vector<size_t> begins = paragraphs(text);
    check(begins.size() >= 2, file.string(),
          "is one paragraph; at least 2, with an empty line between them, expected, so that the "
          "last can be the test set; or give a folder of .txt files");
    const size_t cut = begins[begins.size() - std::max<size_t>(1, begins.size() / kTenth)];
    return {
        name, {{name + ", beginning", text.substr(0, cut)}}, {{name + ", end", text.substr(cut)}}};
}

TextData load_text_files(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().extension() == ".txt")
            files.push_back(entry.path());
    check(!files.empty(), folder.string(),
          "has no text; .txt files, or what ./run data austen, brown or names fetches, expected");
    if (files.size() == 1) return load_file(files[0]);
    std::sort(files.begin(), files.end());
    TextData data{folder.filename().string(), {}, {}};
    for (size_t i = 0; i < files.size(); ++i)
        (is_tenth(i, files.size()) ? data.test : data.train)
            .push_back({files[i].filename().string(), read_text(files[i])});
    return data;
}

bool has_names(const fs::path& folder) {
    const fs::directory_iterator entries(folder);
    return std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
        return fs::exists(entry.path() / kNames);
    });
}

}  // namespace

TextData load_text(const fs::path& path) {
    std::error_code error;
    check(fs::exists(path, error), path.string(), "there is no such file or folder");
    if (!fs::is_directory(path, error)) return load_file(path);
    if (fs::exists(path / kAusten)) return load_austen(path / kAusten);
    if (fs::exists(path / kBrown)) return load_brown(path);
    if (has_names(path)) return load_names(path);
    return load_text_files(path);
}

}  // namespace gradus::data
