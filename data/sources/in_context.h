// Chains that are never the same: a sequence has to be understood from itself.
#pragma once

#include "data/batches.h"

namespace gradus::data {

/// Each sequence comes from a Markov chain of its own, whose rows are drawn from a symmetric
/// Dirichlet distribution and forgotten; the first token is any, all equally likely. What a model can
/// learn is how to read the chain off the tokens so far (in-context learning). The best it can do is
/// the posterior predictive, which is counting:
///
///     p(next = j | it follows i) = (n_ij + α) / (n_i + K α),
///
/// where j has followed i n_ij times in this sequence, and n_i = Σ_j n_ij. K symbols, α the
/// concentration. The batch of a step depends on the seed and the step alone.
struct InContextChains {
    int64_t symbols = 4;
    int64_t time = 64;         // targets of a sequence
    double concentration = 1;  // small: chains that are nearly certain of what follows
    int64_t batch = 32;
    uint64_t seed = 0;

    /// x, and y, which follows: both [B, T], i32.
    Batch at(int64_t step) const;

    /// -ln p of each target by the posterior predictive, [B, T], f64: what no model beats on average.
    /// Takes ids of any [B, T]. Throws Error where one is out of range, or y is not what follows in x.
    Tensor nats(const Batch& batch) const;

    /// The same by counting symbols without what they follow, (n_j + 1) / (n + K): where a model
    /// stands that cannot look at what followed before.
    Tensor unigram_nats(const Batch& batch) const;
};

}  // namespace gradus::data
