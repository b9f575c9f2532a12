// Lesson 13: GPT. Yours to write: each function below takes at most 20 lines. README.md says what they are
// for, the comment above each what it must do, and ./run check 13 whether it does.
// T time · d width of a head · V vocabulary · C positions · D model width · L layers · K symbols
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;
using Ids = std::vector<int32_t>;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// A word as tokens, and how often it occurs.
struct Word {
    Ids tokens;
    int64_t count = 1;
};

/// Two neighbours that become one token. Pairs have an order, that of `left`, then that of `right`.
struct Pair {
    int32_t left = 0, right = 0;
    auto operator<=>(const Pair&) const = default;
};

/// Task 1. The pair of neighbours within words that occurs most often, each word counted as often as it
/// occurs; of pairs that occur equally often the lowest. There is at least one pair.
inline Pair most_frequent(const std::vector<Word>& words) { throw NotYetWritten("task 1"); }

/// Task 1. The tokens with `id` wherever the pair stood, from left to right: of a a a, joined by (a, a),
/// comes id a.
inline Ids join(const Ids& tokens, Pair pair, int32_t id) { throw NotYetWritten("task 1"); }

/// Task 2. A word in the tokens of merges that were learned before: merge i makes first_id + i. Of all
/// neighbours that can be joined those come first whose merge was learned first, again and again.
inline Ids encode(Ids word, const std::vector<Pair>& merges, int32_t first_id) {
    throw NotYetWritten("task 2");
}

/// Task 3. Who looks at whom, in one head: queries and keys q, k [T, d] -> [T, T]. Row t is
/// softmax(q_t · k_s / √d) over the keys s = 0 ... t, and 0 for all later ones.
inline Tensor causal_weights(const Tensor& q, const Tensor& k) { throw NotYetWritten("task 3"); }

/// Keys and values of the tokens so far, [t, d]; undefined before the first.
struct Cache {
    Tensor k, v;
};

/// Task 4. One token more, of which q, k and v are [1, d]: puts its key and value into the cache and gives
/// what its query reads there, softmax(q Kᵀ / √d) V, [1, d]. A token sees itself.
inline Tensor step(Cache& cache, const Tensor& q, const Tensor& k, const Tensor& v) {
    throw NotYetWritten("task 4");
}

/// Task 5. Makes the tokens `seen` before less probable: θ >= 1 divides logits above 0 and multiplies
/// those below, which would rise by division. A token that was seen twice is treated once.
inline void penalise(std::vector<double>& logits, const Ids& seen, double theta) {
    throw NotYetWritten("task 5");
}

/// Task 6. A text that is being written shall end before the first of some stop strings. It contains none
/// of them yet. How many of its bytes can be shown already: all but the longest end that may turn out to
/// be the beginning of a stop string.
inline size_t safe(const std::string& text, const std::vector<std::string>& stops) {
    throw NotYetWritten("task 6");
}

/// Task 7. What comes next in a Markov chain of which only this sequence is known, and whose rows were
/// drawn from a symmetric Dirichlet distribution of concentration α. With i the last symbol seen,
/// p(next = j) = (n_ij + α) / (n_i + K α): j has followed i n_ij times so far, any symbol n_i times.
/// At least one symbol has been seen.
inline std::vector<double> predictive(const Ids& seen, int64_t K, double alpha) {
    throw NotYetWritten("task 7");
}

/// Task 8. The loss of a text in bits a byte, from that in nats a token: so texts can be compared that
/// were cut in different ways.
inline double bits_per_byte(double nats, int64_t tokens, int64_t bytes) {
    throw NotYetWritten("task 8");
}

/// Task 9. Parameters of a GPT: embeddings of V tokens and C positions, the head is the tokens' again; L
/// blocks, each with two LayerNorms (a weight and a bias), attention (D to 3 D, then D to D) and an MLP (D to
/// 4 D and back), all with biases; a LayerNorm at the end.
inline int64_t gpt_parameters(int64_t V, int64_t C, int64_t D, int64_t L) {
    throw NotYetWritten("task 9");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
