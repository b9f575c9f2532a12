// Lesson 08: gates. Yours to write: each function below takes at most 30 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 08 whether it does.
// B batch · T time · I input width · H hidden width · V vocabulary · N characters of a text
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "autograd/ops.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// What an LSTM hands to its next step: the hidden state and the cell, both [B, H].
struct LstmState {
    Tensor h, c;
};

/// Task 1. One step of an LSTM: x [B, I] and the state before it give the state after it. The rows
/// of the weights are four gates of H rows each, in the order i f g o:
///   u = W_ih x + b_ih + W_hh h + b_hh,   i, f, o = σ(u_i), σ(u_f), σ(u_o),   g = tanh(u_g),
///   c' = f c + i g,   h' = o tanh(c').
inline LstmState lstm_cell(const RecurrentWeights& w, const Tensor& x, const LstmState& s) {
    throw NotYetWritten("task 1");
}

/// What goes back through one step: gradients of x [B, I], of the state before, of the weights.
struct LstmGradients {
    Tensor x, h, c;
    RecurrentWeights w;
};

/// Task 2. The way back of one step, by hand: without a tape. dh and dc [B, H] are the gradients of
/// the state after it. With c' and the gates as above:
///   do = dh tanh(c'),   dc' = dc + dh o (1 - tanh²(c')),
///   di = dc' g,   df = dc' c,   dg = dc' i,   and what the cell before gets is f dc';
///   du_i = di i (1 - i), likewise f and o;   du_g = dg (1 - g²);
/// and u is made of x, h, W_ih, W_hh and both biases as in any linear layer.
inline LstmGradients lstm_cell_backward(const RecurrentWeights& w, const Tensor& x,
                                        const LstmState& s, const Tensor& dh, const Tensor& dc) {
    throw NotYetWritten("task 2");
}

/// Task 3. One step of a GRU: x [B, I] and h [B, H] give the next h. Three gates of H rows each, in
/// the order r z n. The reset gate works on what comes from the product:
///   r, z = σ(W_ih x + b_ih + W_hh h + b_hh),   n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
///   h' = (1 - z) n + z h.
inline Tensor gru_cell(const RecurrentWeights& w, const Tensor& x, const Tensor& h) {
    throw NotYetWritten("task 3");
}

/// Task 4. Sets the biases of an LSTM's forget gates, in place, so that a cell with no input and no
/// hidden state keeps σ(bias) of itself. There are two biases; all other gates stay as they are.
inline void set_forget_bias(const RecurrentWeights& w, double bias) {
    throw NotYetWritten("task 4");
}

/// Task 4. The bias with which such a cell keeps a given share of itself, 0 < share < 1, over so
/// many steps.
inline double forget_bias_for(double share, int64_t steps) { throw NotYetWritten("task 4"); }

using Step = std::function<LstmState(const Tensor& x, const LstmState& before)>;

/// All outputs, and the state of each row at its own end.
struct Run {
    Tensor y;  // [B, T, H]
    LstmState last;
};

/// Task 5. Runs a cell over sequences x [B, T, I] of different lengths [B] (i32, 1 ... T): row b ends
/// after lengths[b] steps. From there on its state stays as it is and its outputs are 0.
inline Run run_with_lengths(const Step& step, const Tensor& x, const Tensor& lengths,
                            const LstmState& start) {
    throw NotYetWritten("task 5");
}

/// Task 6. The distribution [V] that a token is drawn from. First the logits [V] are divided by the
/// temperature, which is above 0. Then only the `top_k` most probable tokens stay (0: all of them).
/// Of those only the fewest that together have at least `top_p` of what they all have. What stays
/// sums to 1. Of equally probable tokens the first is taken.
inline std::vector<double> sampling_distribution(const std::vector<double>& logits,
                                                 double temperature, int64_t top_k = 0,
                                                 double top_p = 1) {
    throw NotYetWritten("task 6");
}

/// Task 6. The token that a number u, evenly from [0, 1), draws: the first one at which the sum of the
/// probabilities, from token 0 on, is above u.
inline int64_t draw(const std::vector<double>& p, double u) { throw NotYetWritten("task 6"); }

/// The unit that follows a property most closely, and how closely: -1 ... 1.
struct Probe {
    int64_t unit;
    double correlation;
};

/// Task 7. Of the units of hidden [N, H], whose row n was read off after character n of a text, the
/// one whose correlation (Pearson's) with a property [N] of these characters has the largest
/// absolute value. A unit that never changes has correlation 0.
inline Probe best_unit(const Tensor& hidden, const std::vector<double>& property) {
    throw NotYetWritten("task 7");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
