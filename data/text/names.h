// First names in English, a list for women and one for men (stdlib's data sets).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gradus::data {

/// The distinct names of all names.txt in the sub-folders of `folder`, in the order of their bytes,
/// spelled as they are there: "Aaren", "Anne-Marie". Throws Error where there is no such file or a
/// line holds anything but one name.
std::vector<std::string> read_names(const std::filesystem::path& folder);

}  // namespace gradus::data
