// Reading whole files, compressed or not.
#pragma once

#include <filesystem>
#include <string>

namespace gradus::data {

/// The bytes of a file; of a gzip file what is in it. Throws Error where it is missing, no regular
/// file, or where its compressed data ends early or is damaged.
std::string read_file(const std::filesystem::path& path);

}  // namespace gradus::data
