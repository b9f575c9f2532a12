// Checkpoints: everything that a training needs to go on as if it had never stopped.
#pragma once

#include <filesystem>

#include "nn/module.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

namespace gradus::nn {

/// A training under way. The schedule is a function of `step`, as are data::Batches, so that they
/// need nothing of their own.
///
///     nn::Training training{model, optimizer};
///     if (resumed) nn::load_checkpoint(file, training);
///     for (; training.step < steps; ++training.step) { ... }
///     nn::save_checkpoint(file, training);
struct Training {
    Module& model;
    Optimizer& optimizer;
    int64_t step = 0;                          // steps done
    std::map<std::string, Rng*> generators{};  // those that are not the model's own or nn's
    Metadata notes{};                          // strings of yours: the epoch, the command line
    std::map<std::string, Tensor*> tensors{};  // what else a step hands to the next: an RNN's state
};

/// Writes parameters under their own names, moments as "optimizer/...", the tensors given as
/// "carried/..." (each defined, and in its shape, whenever it is saved or loaded), and in the
/// metadata step, notes, the states of nn::generator(), of the model's generators and of those
/// given. Whole or not at all, as save_safetensors.
void save_checkpoint(const std::filesystem::path& path, const Training& training);

/// Puts all of it back, bit by bit. Throws Error where the file is no checkpoint or is one of
/// another model, optimizer or set of generators: with all differences, and then nothing was
/// changed. Notes are replaced by those of the file.
void load_checkpoint(const std::filesystem::path& path, Training& training);

}  // namespace gradus::nn
