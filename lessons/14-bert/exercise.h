// Lesson 14: BERT. Yours to write: each function below takes at most 20 lines. README.md says what they
// are for, the comment above each what it must do, and ./run check 14 whether it does.
// T time · V vocabulary · K symbols
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// A masked text: x is what the model reads, y the id that was there where it is to be guessed, else -100.
struct Masked {
    std::vector<int32_t> x, y;
};

/// Task 1. BERT's masking: each id that is not special is to be guessed with probability `chosen`. Of those
/// to be guessed 80 % become `mask`, 10 % any of the ids 0 ... vocab - 1 that is not special, and 10 % stay as
/// they are. `special[id]` says which ids are special; `mask` is one of them.
inline Masked hide(const std::vector<int32_t>& ids, const std::vector<bool>& special, int32_t mask,
                   double chosen, Rng& rng) {
    throw NotYetWritten("task 1");
}

/// Task 2. The loss of the hidden words alone, in nats: logits [T, V], targets i32 [T], of which -100 is not
/// to be guessed -> the mean of -ln softmax(logits)[target] over the others, a scalar. Nothing to be guessed:
/// 0, with gradients of 0.
inline Tensor masked_loss(const Tensor& logits, const Tensor& targets) {
    throw NotYetWritten("task 2");
}

/// Task 3. WordPiece: cuts a word (ASCII) from left to right into the longest pieces that `vocab` has. A
/// piece that does not begin the word stands there with "##" before it. Where no piece fits, all of the word
/// is {"[UNK]"}.
inline std::vector<std::string> pieces(const std::string& word,
                                       const std::set<std::string>& vocab) {
    throw NotYetWritten("task 3");
}

/// A pair as a model reads it.
struct Framed {
    std::vector<int32_t> ids, segments;
};

/// Task 4. Frames a pair, and fills it up to `time` ids:
///   ids       [CLS] first ... [SEP] second ... [SEP] [PAD] ...
///   segments    0     0         0      1         1     0
/// While it is too long, the longer sentence (the second where both are as long) loses its last id.
inline Framed frame(std::vector<int32_t> first, std::vector<int32_t> second, size_t time,
                    int32_t cls, int32_t sep, int32_t pad) {
    throw NotYetWritten("task 4");
}

/// Task 5. What can be known of a hidden symbol of a chain, given the symbols a and c beside it:
///   p(b | a, c) = P_ab P_bc / Σ_b' P_ab' P_b'c,
/// for the chain's table P [K, K] in float64, whose row a is p(. | a) -> [K].
inline Tensor between(const Tensor& P, int64_t a, int64_t c) { throw NotYetWritten("task 5"); }

/// Task 6. How much a head looks `offset` tokens on: the mean of weights[t, t + offset] over all t for which
/// there is such a token; weights [T, T], whose rows sum to 1. Offset -1 is the token before.
inline double looks_at(const Tensor& weights, int64_t offset) { throw NotYetWritten("task 6"); }

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
