// The adding problem: remember two numbers out of many.
#pragma once

#include "data/batches.h"

namespace gradus::data {

/// A sequence of numbers, evenly from 0 to 1, two of which are marked: one in each half. The target
/// is their sum (Hochreiter and Schmidhuber 1997, section 5.4; with numbers from 0 to 1 as in Le,
/// Jaitly and Hinton 2015). The batch of a step depends on the seed and the step alone.
///
///     data::Adding problem{.time = 100, .batch = 32, .seed = options.seed};
///     const auto [x, y] = problem.at(step);       // [B, T, 2]: number, mark; [B, 1]
struct Adding {
    int64_t time = 100;  // at least 2
    int64_t batch = 32;
    uint64_t seed = 0;

    /// The mean squared error of always saying 1, which is the best without looking: the variance
    /// of the sum, twice 1/12.
    static constexpr double kBaseline = 1.0 / 6;

    Batch at(int64_t step) const;
};

}  // namespace gradus::data
