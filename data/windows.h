// Every token with those before it: examples for a model that sees a window.
#pragma once

#include <vector>

#include "data/batches.h"

namespace gradus::data {

/// One row for each token of the sequences, in their order: x [N, window] holds the tokens before it,
/// the oldest first, with `padding` for what would lie before the sequence's beginning; y [N] is the
/// token. Both i32. No window reaches from one sequence into the next. Throws Error for a window
/// below 1 or where there is no token at all.
Batch windows(const std::vector<std::vector<int32_t>>& sequences, int64_t window, int32_t padding);

}  // namespace gradus::data
