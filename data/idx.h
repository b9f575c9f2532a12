// IDX, the format of MNIST (LeCun, Cortes, Burges): 0 0 type rank, then sizes, then the elements,
// whole numbers big-endian.
#pragma once

#include <filesystem>
#include <string>

#include "data/images.h"

namespace gradus::data {

/// An IDX file of unsigned bytes, plain or gzip.
struct Idx {
    Shape shape;
    std::string bytes;
};
/// Throws Error where the file is no IDX file of bytes, or its length is not what its sizes say.
Idx read_idx(const std::filesystem::path& path);

/// Pictures [N, H, W] and their labels [N]. Throws Error also where the counts differ or a label is
/// not below `classes`.
Images read_idx_images(const std::filesystem::path& pixels, const std::filesystem::path& labels,
                       int classes = 10);

}  // namespace gradus::data
