// Safetensors (Hugging Face): eight bytes with the length of a JSON header, the header, the
// numbers.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "nn/state_dict.h"

namespace gradus::nn {

using Metadata = std::map<std::string, std::string>;

struct TensorFile {
    StateDict tensors;
    Metadata metadata;
};

/// Writes the file whole or not at all: beside the target first, then, once it is on the disk, in
/// its place. Throws Error where that fails, with the reason; a file that was there is then still
/// there.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const Metadata& metadata = {});

/// Reads F32, F64 and I32 tensors. Believes nothing before it is checked: a file that is cut short,
/// foreign, or contradicts itself is an Error that names it, what was found and what was expected.
TensorFile load_safetensors(const std::filesystem::path& path);

}  // namespace gradus::nn
