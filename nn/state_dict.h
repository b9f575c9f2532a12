// A state dict: tensors by name, as PyTorch calls it. What models and optimizers are saved as.
#pragma once

#include <map>
#include <string>

#include "autograd/tensor.h"

namespace gradus::nn {

/// The tensors share their numbers with whoever gave the dict: it is a view, not a copy.
using StateDict = std::map<std::string, Tensor>;

/// Which differences count: with `names_and_shapes` each name must be on both sides.
enum class Strict { shapes, names_and_shapes };

/// What keeps `found` from being loaded into `expected`, a line for each name; empty if nothing does.
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

/// The entries whose name begins with `prefix`, which is taken off; and all with it put before.
StateDict with_prefix_removed(const StateDict& dict, std::string_view prefix);
StateDict with_prefix_added(const StateDict& dict, std::string_view prefix);

}  // namespace gradus::nn
