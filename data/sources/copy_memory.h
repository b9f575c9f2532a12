// Copy memory: say again, after a long silence, what was said.
#pragma once

#include <cmath>

#include "data/batches.h"

namespace gradus::data {

/// Ten symbols out of eight, silence, a delimiter, and ten blanks during which the symbols are to be
/// said again; before that the target is blank (Hochreiter and Schmidhuber 1997; in the form of
/// Arjovsky, Shah and Bengio 2016, section 5.1). The batch of a step depends on the seed and the step
/// alone.
///
///     input     10 symbols (0 ... 7), blanks - 1 times 8, the delimiter 9, 10 times 8
///     target    blanks + 10 times 8, the 10 symbols
struct CopyMemory {
    int64_t blanks = 100;  // from the last symbol to the first one said again; at least 1
    int64_t batch = 32;
    uint64_t seed = 0;

    static constexpr int32_t kSymbols = 8, kBlank = 8, kDelimiter = 9;
    static constexpr int64_t kVocab = 10, kLength = 10;

    int64_t time() const { return blanks + 2 * kLength; }

    /// The loss in nats per token of a model without a memory: certain of the blanks, even over the
    /// symbols: 10 ln 8 / (blanks + 20).
    double baseline() const {
        return static_cast<double>(kLength) * std::log(kSymbols) / static_cast<double>(time());
    }

    Batch at(int64_t step) const;  // both [B, T], i32
};

}  // namespace gradus::data
