// The training steps that are measured, built from the library's own models; sizes and contents as bench/compare.py has them
// in PyTorch.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/decode.h"

namespace gradus::bench {

using Sizes = std::map<std::string, int64_t>;
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

struct Workload {
    NamedTensors parameters;
    NamedTensors data;              ///< inputs and targets, the same at every step
    std::function<Tensor()> loss;   ///< the forward pass, up to a scalar
    int64_t tokens = 0;             ///< what tokens_per_s counts
    bool clips = true;              ///< whether the step clips gradients to norm 1
    std::shared_ptr<void> model{};  ///< keeps alive what the functions use
    /// Of a language model: one that goes on with a text.
    std::function<std::unique_ptr<nn::StepModel>()> writer{};
};

struct Kind {
    std::string about;
    Sizes sizes;  ///< with their defaults; --set changes them
    std::function<Workload(const Sizes&)> build;
};

/// All workloads by name.
const std::map<std::string, Kind>& workloads();

}  // namespace gradus::bench
