// From a distribution over tokens to a token.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/random.h"

namespace gradus::nn {

struct SamplingOptions {
    double temperature = 1;  // logits are divided by it; 0 takes the most probable token
    int64_t top_k = 0;       // only the k most probable tokens; 0: all
    double top_p = 1;  // only the most probable tokens that together reach p (Holtzman et al. 2020)
};

/// A token for each row of logits [B, V] -> i32 [B]. The order is temperature, top-k, top-p, then
/// one number of the generator a row. Throws Error for a temperature below 0, a negative k, a p
/// outside 0 < p <= 1, or logits that are not finite.
Tensor sample(const Tensor& logits, const SamplingOptions& options, Rng& rng);

/// The distribution [B, V] that sample() draws from.
Tensor sampling_distribution(const Tensor& logits, const SamplingOptions& options);

}  // namespace gradus::nn
