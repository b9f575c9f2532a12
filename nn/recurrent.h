// Recurrent layers with PyTorch's parameter names, shapes, gate order and numbers.
// B batch · T time · I input width · H hidden width · L layers · D directions (1, or 2)
#pragma once

#include <deque>

#include "autograd/ops.h"
#include "nn/layers.h"

namespace gradus::nn {

struct RecurrentOptions {
    int64_t layers = 1;
    bool bias = true;
    double dropout = 0;  // on the outputs of every layer but the last, while training
    bool bidirectional = false;
};

/// The state between two steps: h, and for an LSTM c, both [L * D, B, H]. Undefined: zeros.
struct RecurrentState {
    Tensor h, c;
    /// The same numbers without a past: what truncated backpropagation through time goes on with.
    RecurrentState detach() const;
};

/// What a sequence gives: y [B, T, D * H], the last layer's hidden states, and the final state.
struct RecurrentOutput {
    Tensor y;
    RecurrentState state;
};

/// Layers of one recurrent cell over whole sequences. The batch comes first, as everywhere here
/// (PyTorch: batch_first=True). `lengths` [B] (i32, 1 ... T): row b ends after lengths[b] steps; its
/// outputs after that are 0, its final state is the one at its own end, and the backward direction
/// begins there, as with PyTorch's packed sequences.
///
///     nn::LSTM lstm(64, 256, {.layers = 2});
///     auto [y, state] = lstm(x);              // x [B, T, 64] -> y [B, T, 256]
///     auto next = lstm(x2, state.detach());
///
/// Parameters: weight_ih_l0 [G H, I], weight_hh_l0 [G H, H], bias_ih_l0 [G H], bias_hh_l0 [G H], then
/// those of "_l0_reverse", "_l1" ...; all begin uniform in ± 1/√H.
/// Throws Error where shapes or lengths do not fit.
class Recurrent : public Module {
public:
    RecurrentOutput operator()(const Tensor& x, const RecurrentState& state = {},
                               const Tensor& lengths = {});

    Cell cell() const { return cell_; }
    int64_t input_size() const { return input_; }
    int64_t hidden_size() const { return hidden_; }
    int64_t directions() const { return options_.bidirectional ? 2 : 1; }
    const RecurrentOptions& options() const { return options_; }

    /// The weights of one layer and direction, in PyTorch's order.
    RecurrentWeights& weights(int64_t layer, bool reverse = false);

protected:
    Recurrent(Cell cell, int64_t input, int64_t hidden, const RecurrentOptions& options);

private:
    Cell cell_;
    int64_t input_, hidden_;
    RecurrentOptions options_;
    std::deque<RecurrentWeights> weights_;
    Dropout dropout_;
};

enum class Nonlinearity { tanh, relu };

/// h' = φ(W_ih x + b_ih + W_hh h + b_hh)  (Elman 1990).
struct RNN : Recurrent {
    RNN(int64_t input, int64_t hidden, const RecurrentOptions& options = {},
        Nonlinearity nonlinearity = Nonlinearity::tanh);
};

/// Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. Gate order i f g o.
struct LSTM : Recurrent {
    LSTM(int64_t input, int64_t hidden, const RecurrentOptions& options = {});
};

/// Cho et al. 2014; the reset gate works after the product, as in PyTorch and cuDNN. Gate order r z n.
struct GRU : Recurrent {
    GRU(int64_t input, int64_t hidden, const RecurrentOptions& options = {});
};

/// One step of a cell at a time, for decoders whose next input depends on the last state; PyTorch's RNNCell, LSTMCell and
/// GRUCell: weight_ih [G H, I], weight_hh [G H, H], bias_ih [G H], bias_hh [G H].
class RecurrentCell : public Module {
public:
    RecurrentCell(Cell cell, int64_t input, int64_t hidden);

    /// x [B, I] and the state before, h and c [B, H] (undefined: zeros) -> the state after.
    RecurrentState operator()(const Tensor& x, const RecurrentState& before = {});

    Cell cell() const { return cell_; }
    int64_t hidden_size() const { return weights_.hh.size(1); }
    RecurrentWeights& weights() { return weights_; }

private:
    Cell cell_;
    RecurrentWeights weights_;
};

}  // namespace gradus::nn
