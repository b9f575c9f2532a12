// Lesson 11: attention. Yours to write: each function below takes at most 25 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 11 whether it does.
// B batch · S source length · T target length · K width of the encoder's states · N of the decoder's ·
// A of the comparison · I of an input · H of one direction · M of a maxout layer
#pragma once

#include <functional>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. How well each state of the encoder, h [B, S, K], suits a state of the decoder, q [B, N]: scores
/// e [B, S]. Luong's two: the dot product, for which N = K, and the general one, with W [K, N]:
///   e_j = h_jᵀ q,   e_j = h_jᵀ W q.
inline Tensor dot_score(const Tensor& q, const Tensor& h) { throw NotYetWritten("task 1"); }
inline Tensor general_score(const Tensor& w, const Tensor& q, const Tensor& h) {
    throw NotYetWritten("task 1");
}

/// Task 1. Bahdanau's: e_j = vᵀ tanh(W q + U h_j + b).
struct Additive {
    Tensor w;  // [A, N]
    Tensor u;  // [A, K]
    Tensor b;  // [A]
    Tensor v;  // [A]
};
inline Tensor additive_score(const Additive& a, const Tensor& q, const Tensor& h) {
    throw NotYetWritten("task 1");
}

/// Task 2. The softmax of each row of scores [B, S] over its first lengths[b] places (lengths: i32 [B],
/// 0 ... S). The places after them get 0, whatever their scores are, NaN too; a row of length 0 is all
/// zeros. Recorded where a tape is open, as all but task 7 are.
inline Tensor masked_softmax(const Tensor& scores, const Tensor& lengths) {
    throw NotYetWritten("task 2");
}

/// Task 3. What is looked at: c = Σ_j α_j h_j of weights α [B, S] and states h [B, S, K] -> [B, K].
inline Tensor context(const Tensor& weights, const Tensor& h) { throw NotYetWritten("task 3"); }

/// What a step of the decoder makes: s_i [B, N], c_i [B, K], α_i [B, S].
struct Step {
    Tensor s, context, weights;
};
using CellStep = std::function<Tensor(const Tensor& x, const Tensor& s)>;  // the next state

/// Task 3. A step of Bahdanau's decoder. The state before it, s_{i-1} [B, N], is compared with the
/// encoder's states h [B, S, K] of these lengths; the cell reads the embedding of the word before,
/// y [B, E], and beside it the context:
///   α_i = softmax(score(s_{i-1}, h)),   c_i = Σ_j α_ij h_j,   s_i = cell([y ; c_i], s_{i-1}).
inline Step decoder_step(const Additive& attention, const CellStep& cell, const Tensor& y,
                         const Tensor& s, const Tensor& h, const Tensor& lengths) {
    throw NotYetWritten("task 3");
}

/// A recurrent layer that runs from the first step to the last and knows of no lengths:
/// [B, S, I] -> [B, S, H].
using Layer = std::function<Tensor(const Tensor& x)>;

/// Task 4. An encoder that reads both ways: sequences x [B, S, I], filled up after lengths[b] steps
/// (1 ... S), give states [B, S, 2 H]. The first H numbers are those of `forwards`. The others are those
/// of `backwards`, which reads each sequence from its own last step to its first: state j belongs to
/// step j. After its end a row is 0.
inline Tensor encode(const Layer& forwards, const Layer& backwards, const Tensor& x,
                     const Tensor& lengths) {
    throw NotYetWritten("task 4");
}

/// Task 5. The decoder's first state, from the encoder's states [B, S, 2 H]: each direction as it is when
/// it has read all of a sentence. With W [N, 2 H] and b [N]: s_0 = tanh(W [h→ ; h←] + b).
inline Tensor first_state(const Tensor& w, const Tensor& b, const Tensor& states,
                          const Tensor& lengths) {
    throw NotYetWritten("task 5");
}

/// Task 6. Maxout: of u = W x + b, with x [B, I], W [2 M, I] and b [2 M], the larger of each two
/// neighbours: t_m = max(u_{2m}, u_{2m+1}), counted from 0 -> [B, M].
inline Tensor maxout(const Tensor& x, const Tensor& w, const Tensor& b) {
    throw NotYetWritten("task 6");
}

/// What goes back through additive attention.
struct AdditiveGradients {
    Additive weights;
    Tensor q, h;
};

/// Task 7. The way back of c = Σ_j α_j h_j with α = softmax(additive scores) over the first lengths[b]
/// places, by hand: without a tape, in the dtype of its inputs. dc [B, K] is the gradient of c. With
/// t_j = tanh(W q + U h_j + b):
///   dα_j = dcᵀ h_j,   de_j = α_j (dα_j - Σ_k α_k dα_k),   dv = Σ_j de_j t_j,
///   du_j = de_j v (1 - t_j²), which is the gradient of tanh's argument,
/// and h_j is heard twice: in the sum, and in its score.
inline AdditiveGradients attention_backward(const Additive& a, const Tensor& q, const Tensor& h,
                                            const Tensor& lengths, const Tensor& dc) {
    throw NotYetWritten("task 7");
}

/// Task 8. The share of target words that look most at the word they come from. weights[i] is [T, S]:
/// row t holds the weights with which target token t was written, the last row those of the end of the
/// sentence. truth[i][t] is the place that word t comes from; it has no entry for the end, which does
/// not count. Every word of all sentences counts the same; of equally strong weights the first is taken.
inline double alignment_accuracy(const std::vector<Tensor>& weights,
                                 const std::vector<std::vector<int64_t>>& truth) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
