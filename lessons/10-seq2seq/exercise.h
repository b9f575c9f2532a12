// Lesson 10: sequence to sequence. Yours to write: each function below takes at most 30 lines. README.md
// says what they are for, the comment above each what it must do, and ./run check 10 whether it does.
// B batch · S source length · T target length · E embedding width · H hidden width · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;
using Ids = std::vector<int32_t>;
constexpr int32_t kPadding = 0, kStart = 1, kEnd = 2;
constexpr int32_t kIgnored = -100;  // a target that is none

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Sentences of a batch and their translations, without start and end.
struct Pair {
    Ids source, target;
};

/// The same side by side. S: the longest source and its end; T: the longest target and its end.
struct Batch {
    Tensor source;  // [B, S], i32: each source, kEnd, then kPadding
    Ids lengths;    // [B]: of the sources, their ends counted
    Tensor x;       // [B, T], i32: what the decoder reads: kStart, the target, then kPadding
    Tensor y;       // [B, T], i32: what it is to say: the target, kEnd, then kIgnored
};

/// Task 1. Pairs as a batch. At each place the decoder is to say what it reads one step later.
inline Batch make_batch(const std::vector<Pair>& pairs) { throw NotYetWritten("task 1"); }

/// A step of a recurrent network, whichever: x [B, E] and the state h [B, H] give the next state.
using Cell = std::function<Tensor(const Tensor& x, const Tensor& h)>;

/// Task 2. The encoder reads each source from its first token to its own last one, from the state
/// h0 [B, H] on: the states in which it ends, [B, H]. `table` [V, E] has the tokens' embeddings. What
/// stands in a row after its length must not change its state. Recorded where a tape is open.
inline Tensor encode(const Cell& cell, const Tensor& table, const Tensor& h0, const Tensor& source,
                     const Ids& lengths) {
    throw NotYetWritten("task 2");
}

/// A decoder: from the state h the logits of the next token are head(h), [B, V].
struct Decoder {
    Tensor table;  // [V, E]
    Cell cell;
    std::function<Tensor(const Tensor& h)> head;
};

/// Task 3. The loss under teacher forcing. From the state h0 [B, H] the decoder reads x [B, T], a
/// column a step, and after each is to say that of y: the mean of -ln p over all places where y is not
/// kIgnored, a scalar. Recorded where a tape is open.
inline Tensor decoder_loss(const Decoder& decoder, const Tensor& h0, const Tensor& x,
                           const Tensor& y) {
    throw NotYetWritten("task 3");
}

/// Task 4. Scheduled sampling: what the decoder reads next, [B] (i32). Row by row, with probability
/// `own_share`, it is the token that the logits [B, V] of the step before make most probable, else the
/// true one. One number of the generator a row.
inline Tensor next_input(const Tensor& truth, const Tensor& logits, double own_share, Rng& rng) {
    throw NotYetWritten("task 4");
}

/// What a model says of the next token, given those before it (kStart left out): ln p of each token of
/// the vocabulary.
using Next = std::function<std::vector<double>(const Ids& before)>;

/// Task 5. Greedy decoding: the most probable token after the most probable token, of equal ones the
/// first, until kEnd or until there are max_length of them. The result has no kEnd.
inline Ids greedy(const Next& next, int64_t max_length) { throw NotYetWritten("task 5"); }

struct Hypothesis {
    Ids tokens;        // without kEnd
    double log_p = 0;  // of all of them, and of kEnd where it has ended
};
struct Beam {
    std::vector<Hypothesis> open{{}};  // at first: nothing said
    std::vector<Hypothesis> ended;
};

/// Task 6. One step of beam search. Every open hypothesis is continued with every token; of all these
/// the `width` most probable are kept. One that was continued with kEnd has ended, the others are the
/// open ones now, most probable first. What had ended before stays.
inline Beam beam_step(const Next& next, const Beam& beam, int64_t width) {
    throw NotYetWritten("task 6");
}

/// The other half of task 6. The best of those that have ended, which is the one with the highest
/// log_p / ((5 + n) / 6)^alpha, n its tokens and its end (Wu et al. 2016, equation 14); of equal ones
/// the first.
inline Hypothesis best_of(const std::vector<Hypothesis>& ended, double alpha) {
    throw NotYetWritten("task 6");
}

/// Task 7. The error rate of what was said, in tokens: over all of it, how many tokens have to be put
/// in, taken out or replaced, at the least, for each token that there should be.
inline double error_rate(const std::vector<Ids>& said, const std::vector<Ids>& right) {
    throw NotYetWritten("task 7");
}

/// Task 8. BLEU of a corpus, 0 ... 100 (Papineni et al. 2002): 100 BP exp(¼ Σ_n ln p_n) for n = 1 ... 4.
/// p_n: n-grams of what was said that are also in the sentence's right translation, each counted as
/// often as there at most, over all n-grams of what was said; sums over the corpus, then the quotient.
/// BP = min(1, e^(1 - r/c)), c tokens said, r tokens that are right. 0 where some p_n is 0 or has no
/// n-grams.
inline double bleu(const std::vector<Ids>& said, const std::vector<Ids>& right) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
