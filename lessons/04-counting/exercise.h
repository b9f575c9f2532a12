// Lesson 04: counting. Yours to write: each function below takes at most 12 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 04 whether it does. Tokens are
// ids from 0 to V - 1; a text is a vector of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "lessons/04-counting/grams.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using counting::Follower, counting::followers, counting::Grams, counting::Ids;
using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. How often each token followed each: [V, V], f64. Row a holds what came after a.
inline Tensor count_bigrams(const Ids& text, int64_t vocab) { throw NotYetWritten("task 1"); }

/// Task 2. Counts [V, V] to probabilities [V, V]: p(b|a) = (c(ab) + α) / (c(a) + α V), where c(a) is the
/// sum of row a. The counts stay as they are.
inline Tensor add_alpha(const Tensor& counts, double alpha) { throw NotYetWritten("task 2"); }

/// Task 3. The mean of -ln p(b|a) over all neighbours a, b in the text: nobody stands before its first
/// token, so that is not predicted. p is [V, V], the text has at least two tokens.
inline double nats_per_token(const Tensor& p, const Ids& text) { throw NotYetWritten("task 3"); }

/// Task 3. Among how many equally likely tokens one would have to guess for this loss.
inline double perplexity(double nats) { throw NotYetWritten("task 3"); }

/// Task 4. The loss of a one-layer network on the bigrams of a text. The logits after token a are row
/// a of w [V, V]; counts [V, V] says how often each pair stands in the text:
///   loss = -Σ_ab c(ab) ln softmax(w_a)_b / N,  N = Σ_ab c(ab).
/// In ops, so that a tape can find its gradient.
inline Tensor softmax_loss(const Tensor& w, const Tensor& counts) { throw NotYetWritten("task 4"); }

/// Task 4. That gradient, without a tape: what is it in row a? [V, V].
inline Tensor softmax_gradient(const Tensor& w, const Tensor& counts) {
    throw NotYetWritten("task 4");
}

/// Task 5. How often each run of 1, 2, ... order tokens stands in the text.
inline Grams count_grams(const Ids& text, int order) { throw NotYetWritten("task 5"); }

/// Task 5. Witten and Bell's p(token | context), from count_grams. With n the sum of the followers'
/// counts, T how many different ones there are, c how often the token is among them, and p' the
/// probability after the same context without its oldest token:
///   p = (c + T p') / (n + T).
/// Where nothing follows the context p = p'. What stands below the empty context is 1 / vocab.
inline double witten_bell(const Grams& grams, int64_t vocab, const Ids& context, int32_t token) {
    throw NotYetWritten("task 5");
}

/// Task 6. Kneser and Ney's counts: grams of `order` tokens keep theirs, and each shorter gram gets the
/// number of different tokens that stand before it. One that has none is left out.
inline Grams continuation_counts(const Grams& grams, int order) { throw NotYetWritten("task 6"); }

/// Task 6. Their p(token | context), from continuation_counts. Each follower of the context gives up
/// D, 0 < D ≤ 1, and p' shares out what was given up:
///   p = (max(c - D, 0) + D T p') / n,
/// with n, T, c and p' as in task 5, and the same where nothing follows or the context is empty.
inline double kneser_ney(const Grams& grams, int64_t vocab, const Ids& context, int32_t token,
                         double discount) {
    throw NotYetWritten("task 6");
}

/// Task 7. Chooses a token with its probability: p_0, p_1, ... laid end to end cover [0, 1), and u, a
/// random number from there, lies in one of them. A token of probability 0 is never chosen, not even
/// where rounding leaves the sum of p below u.
inline int32_t draw(const std::vector<double>& p, double u) { throw NotYetWritten("task 7"); }

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
