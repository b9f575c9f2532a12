// Sentences of a Markov source: does one go on where the other ended?
#pragma once

#include <vector>

#include "data/sentence_pairs.h"
#include "data/sources/markov.h"

namespace gradus::data {

/// Pairs of sentences of a chain of order 1. With probability ½ the second goes on where the first
/// ended, else it is drawn afresh. All there is to know is whether the chain would go from the first
/// one's last token a to the second one's first token b more often than b comes up by itself: the
/// best answer is "next" where P_ab > π_b. The pairs of a step depend on the seed and the step alone.
///
///     const data::ChainPairs source{data::Markov::symmetric(3, 0.8)};
///     source.best_accuracy();                        // 0.7333 = ½ 0.8 + ½ 2/3
///     const auto batch = framed(source.at(step), source.time(), frame);
struct ChainPairs {
    Markov chain;
    int64_t length = 6;  // of each sentence
    int64_t batch = 32;
    uint64_t seed = 0;

    /// Of a framed pair.
    int64_t time() const { return 2 * length + 3; }

    /// Throws Error where the chain is of another order, or a size is below 1.
    std::vector<SentencePair> at(int64_t step) const;

    /// p(the second is the next | both), P_ab / (P_ab + π_b), of tokens of this chain.
    double next_probability(const SentencePair& pair) const;
    /// How often the best answer is right: ½ Σ_ab π_a max(P_ab, π_b).
    double best_accuracy() const;
    /// The least loss in nats, on average: the mean entropy of next_probability.
    double least_nats() const;
};

}  // namespace gradus::data
