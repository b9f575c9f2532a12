// Lesson 08: gates. The seven tasks, written out. README.md says what they are for.
// B batch · T time · I input width · H hidden width · V vocabulary · N characters of a text
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

/// What an LSTM hands to its next step: the hidden state and the cell, both [B, H].
struct LstmState {
    Tensor h, c;
};

/// Task 1. One step of an LSTM: x [B, I] and the state before it give the state after it. The rows
/// of the weights are four gates of H rows each, in the order i f g o:
///   u = W_ih x + b_ih + W_hh h + b_hh,   i, f, o = σ(u_i), σ(u_f), σ(u_o),   g = tanh(u_g),
///   c' = f c + i g,   h' = o tanh(c').
inline LstmState lstm_cell(const RecurrentWeights& w, const Tensor& x, const LstmState& s) {
    const Tensor u = matmul(x, w.ih, Trans::b) + w.bias_ih + matmul(s.h, w.hh, Trans::b) +
                     w.bias_hh;  // [B, 4 H]
    const std::vector<Tensor> gates = split(u, s.h.size(1), 1);
    const Tensor i = sigmoid(gates[0]), f = sigmoid(gates[1]), g = tanh(gates[2]),
                 o = sigmoid(gates[3]);
    const Tensor c = f * s.c + i * g;
    return {o * tanh(c), c};
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
    const Tensor u =
        matmul(x, w.ih, Trans::b) + w.bias_ih + matmul(s.h, w.hh, Trans::b) + w.bias_hh;
    const std::vector<Tensor> gates = split(u, s.h.size(1), 1);
    const Tensor i = sigmoid(gates[0]), f = sigmoid(gates[1]), g = tanh(gates[2]),
                 o = sigmoid(gates[3]);
    const Tensor t = tanh(f * s.c + i * g);
    const Tensor d = dc + dh * o * (1 - square(t));  // of the cell after
    const Tensor du = concat(
        {d * g * i * (1 - i), d * s.c * f * (1 - f), d * i * (1 - square(g)), dh * t * o * (1 - o)},
        1);  // [B, 4 H]
    const Tensor db = sum(du, {0});
    return {matmul(du, w.ih),
            matmul(du, w.hh),
            f * d,
            {matmul(du, x, Trans::a), matmul(du, s.h, Trans::a), db, db}};
}

/// Task 3. One step of a GRU: x [B, I] and h [B, H] give the next h. Three gates of H rows each, in
/// the order r z n. The reset gate works on what comes from the product:
///   r, z = σ(W_ih x + b_ih + W_hh h + b_hh),   n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
///   h' = (1 - z) n + z h.
inline Tensor gru_cell(const RecurrentWeights& w, const Tensor& x, const Tensor& h) {
    const int64_t H = h.size(1);
    const std::vector<Tensor> a = split(matmul(x, w.ih, Trans::b) + w.bias_ih, H, 1);
    const std::vector<Tensor> b = split(matmul(h, w.hh, Trans::b) + w.bias_hh, H, 1);
    const Tensor r = sigmoid(a[0] + b[0]), z = sigmoid(a[1] + b[1]), n = tanh(a[2] + r * b[2]);
    return (1 - z) * n + z * h;
}

/// Task 4. Sets the biases of an LSTM's forget gates, in place, so that a cell with no input and no
/// hidden state keeps σ(bias) of itself. There are two biases; all other gates stay as they are.
inline void set_forget_bias(const RecurrentWeights& w, double bias) {
    const int64_t H = w.hh.size(1);
    w.bias_ih.view({H}, H).fill(bias);
    w.bias_hh.view({H}, H).fill(0);
}

/// Task 4. The bias with which such a cell keeps a given share of itself, 0 < share < 1, over so
/// many steps.
inline double forget_bias_for(double share, int64_t steps) {
    const double kept = std::pow(share, 1 / static_cast<double>(steps));  // each step
    return std::log(kept / (1 - kept));
}

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
    const int64_t B = x.size(0), T = x.size(1);
    LstmState state = start;
    std::vector<Tensor> outputs;
    for (int64_t t = 0; t < T; ++t) {
        Tensor runs = Tensor::zeros({B, 1}, x.dtype());  // 1 where step t is taken
        for (int64_t b = 0; b < B; ++b) runs.set(b, static_cast<double>(t) < lengths.at(b));
        const Tensor x_t = reshape(slice(x, 1, t, t + 1), {B, x.size(2)});
        const LstmState next = step(x_t, state);
        state = {where(runs, next.h, state.h), where(runs, next.c, state.c)};
        outputs.push_back(runs * next.h);
    }
    return {stack(outputs, 1), state};
}

/// Task 6. The distribution [V] that a token is drawn from. First the logits [V] are divided by the
/// temperature, which is above 0. Then only the `top_k` most probable tokens stay (0: all of them).
/// Of those only the fewest that together have at least `top_p` of what they all have. What stays
/// sums to 1. Of equally probable tokens the first is taken.
inline std::vector<double> sampling_distribution(const std::vector<double>& logits,
                                                 double temperature, int64_t top_k = 0,
                                                 double top_p = 1) {
    const double top = *std::max_element(logits.begin(), logits.end());
    std::vector<double> p;
    for (const double x : logits) p.push_back(std::exp((x - top) / temperature));

    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    size_t kept = top_k > 0 ? std::min(static_cast<size_t>(top_k), p.size()) : p.size();
    double sum = 0, reached = 0;
    for (size_t i = 0; i < kept; ++i) sum += p[order[i]];
    size_t enough = 0;
    while (enough < kept && reached < top_p * sum) reached += p[order[enough++]];

    for (size_t i = enough; i < order.size(); ++i) p[order[i]] = 0;
    for (double& x : p) x /= reached;
    return p;
}

/// Task 6. The token that a number u, evenly from [0, 1), draws: the first one at which the sum of the
/// probabilities, from token 0 on, is above u.
inline int64_t draw(const std::vector<double>& p, double u) {
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i)
        if ((sum += p[i]) > u) return static_cast<int64_t>(i);
    return static_cast<int64_t>(p.size()) - 1;  // where rounding left the sum below 1
}

/// The unit that follows a property most closely, and how closely: -1 ... 1.
struct Probe {
    int64_t unit;
    double correlation;
};

/// Task 7. Of the units of hidden [N, H], whose row n was read off after character n of a text, the
/// one whose correlation (Pearson's) with a property [N] of these characters has the largest
/// absolute value. A unit that never changes has correlation 0.
inline Probe best_unit(const Tensor& hidden, const std::vector<double>& property) {
    const int64_t N = hidden.size(0), H = hidden.size(1);
    const double n = static_cast<double>(N);
    const double mean = std::accumulate(property.begin(), property.end(), 0.0) / n;
    Probe best{0, 0};
    for (int64_t unit = 0; unit < H; ++unit) {
        double unit_mean = 0, both = 0, squares = 0, unit_squares = 0;
        for (int64_t i = 0; i < N; ++i) unit_mean += hidden.at(i * H + unit) / n;
        for (int64_t i = 0; i < N; ++i) {
            const double a = property[static_cast<size_t>(i)] - mean;
            const double b = hidden.at(i * H + unit) - unit_mean;
            both += a * b, squares += a * a, unit_squares += b * b;
        }
        const double scale = std::sqrt(squares * unit_squares);
        const double correlation = scale > 0 ? both / scale : 0;
        if (std::abs(correlation) > std::abs(best.correlation)) best = {unit, correlation};
    }
    return best;
}

}  // namespace gradus::exercise
