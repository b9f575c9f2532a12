// A state dict: tensors by name, as PyTorch calls it. What models and optimizers are saved as.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "autograd/tensor.h"

namespace gradus::nn {

/// The tensors share their numbers with whoever gave the dict: it is a view, not a copy.
using StateDict = std::map<std::string, Tensor>;

/// Which differences count: with `names_and_shapes` each name must be on both sides.
enum class Strict { shapes, names_and_shapes };

/// What keeps `found` from being loaded into `expected`, a line for each name; empty if nothing
/// does.
///
///     missing:    blocks.3.ln.bias [128] f32
///     unexpected: blocks.4.ln.bias [128] f32
///     differs:    head.weight is [64, 128] f32, expected [65, 128] f32
std::string differences(const StateDict& expected, const StateDict& found,
                        Strict strict = Strict::names_and_shapes);

/// Copies the numbers of `from` into the tensors of `into` that have the same name. Throws Error
/// with all differences, and then nothing was changed.
void assign(std::string_view what, StateDict into, const StateDict& from,
            Strict strict = Strict::names_and_shapes);

/// The entries of a dict whose name begins with `prefix`, which is taken off; and all of them with
/// it put before.
template <class T>
std::map<std::string, T> with_prefix_removed(const std::map<std::string, T>& dict,
                                             std::string_view prefix) {
    std::map<std::string, T> result;
    for (const auto& [name, x] : dict)
        if (name.starts_with(prefix)) result.emplace(name.substr(prefix.size()), x);
    return result;
}
template <class T>
std::map<std::string, T> with_prefix_added(const std::map<std::string, T>& dict,
                                           std::string_view prefix) {
    std::map<std::string, T> result;
    for (const auto& [name, x] : dict) result.emplace(std::string(prefix) + name, x);
    return result;
}

}  // namespace gradus::nn
