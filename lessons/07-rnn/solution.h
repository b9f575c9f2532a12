// Lesson 07: recurrent networks. The eight tasks, written out. README.md says what they are for.
// B batch · T time · I input width · H hidden width · V vocabulary · S hidden states of a source
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

/// A recurrent network: h' = tanh(W_ih x + W_hh h + b).
struct Rnn {
    Tensor w_ih;  // [H, I]
    Tensor w_hh;  // [H, H]
    Tensor b;     // [H]
};

/// Task 1. One step: x [B, I] and the state h [B, H] give the next state [B, H].
inline Tensor rnn_cell(const Rnn& rnn, const Tensor& x, const Tensor& h) {
    return tanh(matmul(x, rnn.w_ih, Trans::b) + matmul(h, rnn.w_hh, Trans::b) + rnn.b);
}

/// Task 2. All steps: the sequences x [B, T, I] from the state h0 [B, H] give the states
/// h_1 ... h_T, a list of T tensors [B, H]. Recorded where a tape is open.
inline std::vector<Tensor> unroll(const Rnn& rnn, const Tensor& x, const Tensor& h0) {
    std::vector<Tensor> states;
    Tensor h = h0;
    for (int64_t t = 0; t < x.size(1); ++t) {
        h = rnn_cell(rnn, reshape(slice(x, 1, t, t + 1), {x.size(0), x.size(2)}), h);
        states.push_back(h);
    }
    return states;
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
    RnnGradients d{Tensor::zeros(rnn.w_ih.shape(), x.dtype()),
                   Tensor::zeros(rnn.w_hh.shape(), x.dtype()),
                   Tensor::zeros(rnn.b.shape(), x.dtype()), Tensor::zeros(h0.shape(), x.dtype())};
    for (size_t t = states.size(); t-- > 0;) {
        const auto step = static_cast<int64_t>(t);
        const Tensor x_t = reshape(slice(x, 1, step, step + 1), {x.size(0), x.size(2)});
        const Tensor& before = t == 0 ? h0 : states[t - 1];
        const Tensor du = (dy[t] + d.h0) * (1 - square(states[t]));  // [B, H]
        d.w_ih = d.w_ih + matmul(du, x_t, Trans::a);
        d.w_hh = d.w_hh + matmul(du, before, Trans::a);
        d.b = d.b + sum(du, {0});
        d.h0 = matmul(du, rnn.w_hh);
    }
    return d;
}

/// Task 4. How much of a loss at the end arrives how far back: element k is the length of
/// dL / dh_{T-k}, over the whole batch, for k = 0 ... T - 1, where L = loss(h_T) is a scalar.
inline std::vector<double> gradient_over_distance(
    const Rnn& rnn, const Tensor& x, const Tensor& h0,
    const std::function<Tensor(const Tensor& h)>& loss) {
    Tensor start = h0.clone();
    start.requires_grad();  // so that the states are recorded, whatever the weights want
    Tape tape;
    const std::vector<Tensor> states = unroll(rnn, x, start);
    const std::vector<Tensor> d = tape.gradients(loss(states.back()), states);
    std::vector<double> norms;
    for (size_t k = 0; k < d.size(); ++k) {
        norms.push_back(std::sqrt(sum(square(d[d.size() - 1 - k])).item()));
    }
    return norms;
}

/// Task 5. Truncated backpropagation through time: reads x [B, T, I] in windows of `window` steps,
/// the last one shorter where T is no multiple. Each window goes on from the state that the one
/// before ended in, but its gradient stops at its own beginning. loss(states, first) is the loss of
/// the states of one window, whose first is step `first` of x; its gradient is added to those of
/// rnn's weights. Returns the state after the last step.
using WindowLoss = std::function<Tensor(const std::vector<Tensor>& states, int64_t first)>;
inline Tensor truncated_backward(const Rnn& rnn, const Tensor& x, const Tensor& h0, int64_t window,
                                 const WindowLoss& loss) {
    Tensor h = h0;
    for (int64_t first = 0; first < x.size(1); first += window) {
        const int64_t end = std::min(first + window, x.size(1));
        Tape tape;  // h comes from another tape, now closed: a constant
        const std::vector<Tensor> states = unroll(rnn, slice(x, 1, first, end), h);
        tape.backward(loss(states, first));
        h = states.back();
    }
    return h;
}

/// Task 6. Clipping for a training that must survive an explosion: scales all gradients by one
/// factor, in place, so that together they are no longer than max_norm; shorter ones stay as they
/// are. Where their length is infinite or NaN, all become 0: this step is skipped. Returns the
/// length before.
inline double clip_or_skip(const std::vector<Tensor>& gradients, double max_norm) {
    double squares = 0;
    for (const Tensor& g : gradients) squares += sum(square(g)).item();
    const double norm = std::sqrt(squares);
    for (Tensor g : gradients) {
        if (!std::isfinite(norm)) {
            g.fill(0);  // 0 · ∞ would be NaN
        } else if (norm > max_norm) {
            g.copy_from(g * (max_norm / norm));
        }
    }
    return norm;
}

/// Task 7. The perplexity of a text that was read in portions: exp of the mean of -ln p over all
/// tokens. logits[i] is [N_i, V], targets[i] (i32) is [N_i]; a target of -100 is padding and does
/// not count.
inline double perplexity(const std::vector<Tensor>& logits, const std::vector<Tensor>& targets) {
    double nats = 0;
    int64_t tokens = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
        const Tensor log_p = log_softmax(logits[i]);
        for (int64_t n = 0; n < targets[i].size(); ++n) {
            const auto target = static_cast<int64_t>(targets[i].at(n));
            if (target == -100) continue;
            nats -= log_p.at(n * log_p.size(1) + target);
            ++tokens;
        }
    }
    return std::exp(nats / static_cast<double>(tokens));
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
    const int64_t states = source.emission.size(0), vocab = source.emission.size(1);
    Tensor belief = reshape(source.start, {1, states});
    double nats = 0;
    for (const int32_t symbol : symbols) {
        Tensor seen = Tensor::empty({1, states}, belief.dtype());  // α_t(s) p(symbol | s)
        for (int64_t s = 0; s < states; ++s)
            seen.set(s, belief.at(s) * source.emission.at(s * vocab + symbol));
        const double p = sum(seen).item();
        nats -= std::log(p);
        belief = matmul(seen, source.transition) / p;
    }
    return nats;
}

}  // namespace gradus::exercise
