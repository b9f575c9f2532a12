// Repeated blocks: what followed a symbol before follows it again.
#pragma once

#include <cmath>

#include "data/batches.h"

namespace gradus::data {

/// A block of symbols at random, said twice, each time after the start symbol (the test of induction
/// heads: Olsson et al. 2022, "In-context learning and induction heads"). Blocks differ in length
/// from row to row, so that no fixed distance tells where the symbol stood before. The second start
/// is no target: the length of a block is not to be guessed. The batch of a step depends on the seed
/// and the step alone.
///
///     x    0 b₁ b₂ ... bₙ 0    b₁ ... bₙ₋₁   0 ...
///     y    b₁ b₂ ... bₙ -100 b₁ b₂ ... bₙ   -100 ...      (-100: cross_entropy's ignore_index)
struct RepeatedBlocks {
    int64_t symbols = 64;                // 1 ... symbols; 0 is the start
    int64_t shortest = 8, longest = 16;  // of a block
    int64_t batch = 32;
    uint64_t seed = 0;

    int64_t vocab() const { return symbols + 1; }
    int64_t time() const { return 2 * longest + 1; }

    /// The least loss in nats per target: ln(symbols) in the first block, 0 in the second, whose
    /// symbols are all known; so half of ln(symbols) on average, in every row.
    double optimum() const { return 0.5 * std::log(static_cast<double>(symbols)); }
    /// That of a model that cannot look back for what followed: ln(symbols) everywhere.
    double baseline() const { return std::log(static_cast<double>(symbols)); }

    Batch at(int64_t step) const;  // both [B, T], i32
};

}  // namespace gradus::data
