// The 8x8 digits of scikit-learn (Alpaydin and Kaynak 1998): lines of 64 whole numbers 0 ... 16 and
// the label, separated by commas.
#pragma once

#include <filesystem>

#include "data/images.h"

namespace gradus::data {

/// Reads the table, plain or gzip. Throws Error, with the line's number, where a line has not 65
/// fields, a pixel is no number in 0 ... 16, or a label no digit.
Images read_digits(const std::filesystem::path& path);

}  // namespace gradus::data
