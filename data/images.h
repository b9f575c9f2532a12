// Labelled pictures, from whatever file they come in.
#pragma once

#include <filesystem>

#include "autograd/tensor.h"

namespace gradus::data {

/// Pictures in grey with their labels.
struct Images {
    Tensor pixels;  // [N, height * width], f32, 0 (paper) ... 1 (ink)
    Tensor labels;  // [N], i32, 0 ... classes - 1
    int height = 0, width = 0;
    int classes = 10;

    int64_t size() const { return labels.size(); }
};

/// Rows first ... last - 1.
Images slice(const Images& images, int64_t first, int64_t last);

struct ImageData {
    Images train, test;
};

/// Pictures from a path, in one of these forms:
///   a folder with the four IDX files of MNIST or Fashion-MNIST, plain or .gz;
///   a folder or file digits.csv[.gz]: 8x8 digits, the last fifth of which (other writers') is the
///   test set;
///   a user's own IDX pair: one file NAME-images-idx3-ubyte[.gz] or a folder with just that, labels
///   beside it; the last sixth is the test set.
/// Throws Error where nothing of the kind is found or a file is not what it should be: the message
/// names the file, what was found and what was expected.
ImageData load_images(const std::filesystem::path& path);

}  // namespace gradus::data
