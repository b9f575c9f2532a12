// Lesson 07: recurrent networks. Yours to write: each function below takes at most 20 lines. README.md
// says what they are for, the comment above each what it must do, and ./run check 07 whether it does.
// B batch · T time · I input width · H hidden width · V vocabulary · S hidden states of a source
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// A recurrent network: h' = tanh(W_ih x + W_hh h + b).
struct Rnn {
    Tensor w_ih;  // [H, I]
    Tensor w_hh;  // [H, H]
    Tensor b;     // [H]
};

/// Task 1. One step: x [B, I] and the state h [B, H] give the next state [B, H].
inline Tensor rnn_cell(const Rnn& rnn, const Tensor& x, const Tensor& h) {
    throw NotYetWritten("task 1");
}

/// Task 2. All steps: the sequences x [B, T, I] from the state h0 [B, H] give the states
/// h_1 ... h_T, a list of T tensors [B, H]. Recorded where a tape is open.
inline std::vector<Tensor> unroll(const Rnn& rnn, const Tensor& x, const Tensor& h0) {
    throw NotYetWritten("task 2");
}

/// What goes back through time: the gradients of the weights and of the first state.
struct RnnGradients {
    Tensor w_ih, w_hh, b, h0;
};

/// Task 3. Backpropagation through time, by hand: without a tape. states is what unroll(rnn, x, h0)
/// gave; dy[t] [B, H] is the gradient that h_{t+1} gets from its own step's loss. With u the tanh's
/// argument, from the last step to the first:
///   dh_t = dy_t + W_hhᵀ du_{t+1},   du_t = dh_t (1 - h_t²),
///   dW_ih = Σ_t du_tᵀ x_t,   dW_hh = Σ_t du_tᵀ h_{t-1},   db = Σ_t du_t summed over the batch.
inline RnnGradients backward_through_time(const Rnn& rnn, const Tensor& x, const Tensor& h0,
                                          const std::vector<Tensor>& states,
                                          const std::vector<Tensor>& dy) {
    throw NotYetWritten("task 3");
}

/// Task 4. How much of a loss at the end arrives how far back: element k is the length of
/// dL / dh_{T-k}, over the whole batch, for k = 0 ... T - 1, where L = loss(h_T) is a scalar.
inline std::vector<double> gradient_over_distance(
    const Rnn& rnn, const Tensor& x, const Tensor& h0,
    const std::function<Tensor(const Tensor& h)>& loss) {
    throw NotYetWritten("task 4");
}

/// Task 5. Truncated backpropagation through time: reads x [B, T, I] in windows of `window` steps,
/// the last one shorter where T is no multiple. Each window goes on from the state that the one
/// before ended in, but its gradient stops at its own beginning. loss(states, first) is the loss of
/// the states of one window, whose first is step `first` of x; its gradient is added to those of
/// rnn's weights. Returns the state after the last step.
using WindowLoss = std::function<Tensor(const std::vector<Tensor>& states, int64_t first)>;
inline Tensor truncated_backward(const Rnn& rnn, const Tensor& x, const Tensor& h0, int64_t window,
                                 const WindowLoss& loss) {
    throw NotYetWritten("task 5");
}

/// Task 6. Clipping for a training that must survive an explosion: scales all gradients by one
/// factor, in place, so that together they are no longer than max_norm; shorter ones stay as they
/// are. Where their length is infinite or NaN, all become 0: this step is skipped. Returns the
/// length before.
inline double clip_or_skip(const std::vector<Tensor>& gradients, double max_norm) {
    throw NotYetWritten("task 6");
}

/// Task 7. The perplexity of a text that was read in portions: exp of the mean of -ln p over all
/// tokens. logits[i] is [N_i, V], targets[i] (i32) is [N_i]; a target of -100 is padding and does
/// not count.
inline double perplexity(const std::vector<Tensor>& logits, const std::vector<Tensor>& targets) {
    throw NotYetWritten("task 7");
}

/// A hidden Markov model: a state that is not seen moves, and each state emits a symbol.
struct HiddenMarkov {
    Tensor start;       // [S]: p(first state)
    Tensor transition;  // [S, S]: p(next state, a column | state, a row)
    Tensor emission;    // [S, V]: p(symbol | state)
};

/// Task 8. The forward algorithm: -ln p(symbols), summed over all ways in which the states may have
/// moved. With α_t(s) = p(state s at time t | symbols before t), at first `start`:
///   p_t = Σ_s α_t(s) p(symbol_t | s),   α_{t+1}(s') = Σ_s α_t(s) p(symbol_t | s) p(s' | s) / p_t,
/// and the result is -Σ_t ln p_t. Dividing by p_t keeps 100,000 symbols from becoming 0.
inline double forward_nats(const HiddenMarkov& source, const std::vector<int32_t>& symbols) {
    throw NotYetWritten("task 8");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
