#include "data/text/names.h"

#include <algorithm>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {

namespace fs = std::filesystem;

std::vector<std::string> read_names(const fs::path& folder) {
    std::error_code error;
    check(fs::is_directory(folder, error), folder.string(),
          "is no folder; that of the lists of names expected; ./run data names fetches them");
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const fs::path path = entry.path() / "names.txt";
        if (!fs::exists(path)) continue;
        const std::string text = read_text(path);
        int64_t line = 1, in_line = 0;
        for (std::string_view word : words(text)) {
            if (word == "\n") {
                ++line;
                in_line = 0;
                continue;
            }
            check(++in_line == 1, path.string(),
                  "line {} goes on with \"{}\" after its name; a name a line expected; fetch it "
                  "anew: ./run data names",
                  line, word);
            names.emplace_back(word);
        }
    }
    check(!names.empty(), folder.string(),
          "has no list of names; names.txt in a sub-folder expected; ./run data names fetches two");
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

}  // namespace gradus::data
