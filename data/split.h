// Which documents are the test set: the same ones every time.
#pragma once

#include <cstddef>
#include <string_view>

namespace gradus::data {

/// Is the i-th of n documents in the test set? Every tenth is; of fewer than ten, the last one.
bool is_tenth(size_t i, size_t n);

/// Is the document of this name? About a tenth of all names are, by a hash of the name alone, so that
/// other names beside it move none.
bool is_tenth(std::string_view name);

}  // namespace gradus::data
