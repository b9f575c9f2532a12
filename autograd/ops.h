// The ops, in the order in which a reader meets them. Shapes in brackets; B, M, N, K, C are any sizes. All work on f32 and
// f64 alike; inputs of different dtypes are an error, as are shapes that do not fit (gradus::Error names op and shapes).
#pragma once

#include <optional>
#include <vector>

#include "autograd/random.h"
#include "autograd/tape.h"

namespace gradus {

// Elementwise, with NumPy's broadcasting ------------------------------------------------------------------------------

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& x);
Tensor operator+(const Tensor& x, double number);
Tensor operator-(const Tensor& x, double number);
Tensor operator*(const Tensor& x, double number);
Tensor operator/(const Tensor& x, double number);
Tensor operator+(double number, const Tensor& x);
Tensor operator-(double number, const Tensor& x);
Tensor operator*(double number, const Tensor& x);
Tensor operator/(double number, const Tensor& x);

/// x to a fixed power, and a to the power b. The gradient to b is 0 where a is 0.
Tensor pow(const Tensor& x, double exponent);
Tensor pow(const Tensor& a, const Tensor& b);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor abs(const Tensor& x);  ///< gradient 0 at 0
Tensor erf(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor relu(const Tensor& x);      ///< gradient 0 at 0
Tensor silu(const Tensor& x);      ///< x sigmoid(x)
Tensor softplus(const Tensor& x);  ///< ln(1 + e^x)

/// GELU (Hendrycks and Gimpel 2016): x Φ(x), exact or by its tanh approximation, as GPT-2 has it.
enum class Gelu { exact, tanh };
Tensor gelu(const Tensor& x, Gelu form = Gelu::exact);

Tensor clamp(const Tensor& x, double low, double high);  ///< gradient 1 inside and on the borders
Tensor maximum(const Tensor& a,
               const Tensor& b);  ///< where they are equal each gets half of the gradient
Tensor minimum(const Tensor& a, const Tensor& b);

/// 1 where the comparison holds, else 0, in the dtype of the inputs. No gradient passes.
Tensor operator>(const Tensor& a, const Tensor& b);
Tensor operator<(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, const Tensor& b);
/// a where the condition is not 0, b elsewhere; all three broadcast.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// Reductions over all axes, or over those given -----------------------------------------------------------------------

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, const Axes& axes, bool keepdim = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const Axes& axes, bool keepdim = false);
/// The largest element; its gradient goes to the first one that is largest. NaN counts as largest.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, const Axes& axes, bool keepdim = false);
/// Σ (x - mean)² / (n - correction); correction 1 is the unbiased estimate, as PyTorch's default.
Tensor var(const Tensor& x, const Axes& axes, double correction = 1, bool keepdim = false);
/// The position of the largest element along an axis, i32; the first where several are.
Tensor argmax(const Tensor& x, int axis = -1);

// Matrix products -----------------------------------------------------------------------------------------------------

/// Which operands are read transposed (their last two axes swapped), without a copy.
enum class Trans { none, a, b, both };
/// [..., M, K] x [..., K, N] -> [..., M, N]; leading axes broadcast.
Tensor matmul(const Tensor& a, const Tensor& b, Trans trans = Trans::none);

enum class Activation { none, relu, tanh, sigmoid, gelu, gelu_tanh, silu };
/// activation(x Wᵀ + b): x [..., K], weight [N, K], bias [N] or undefined -> [..., N].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Activation activation = Activation::none);

// Shape ---------------------------------------------------------------------------------------------------------------

Tensor reshape(const Tensor& x,
               const Shape& shape);  ///< one size may be -1: what is left; shares the numbers
Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
Tensor permute(const Tensor& x, const Axes& order);
Tensor broadcast_to(const Tensor& x, const Shape& shape);
Tensor sum_to(const Tensor& x, const Shape& shape);  ///< the way back of broadcast_to
Tensor concat(const std::vector<Tensor>& parts, int axis = 0);
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
std::vector<Tensor> split(const Tensor& x, int64_t size,
                          int axis = 0);  ///< the last part may be shorter
Tensor slice(const Tensor& x, int axis, int64_t begin,
             int64_t end);  ///< end may be negative: from the back
Tensor pad(const Tensor& x, int axis, int64_t before, int64_t after, double value = 0);

/// Elements of x at ids (i32) along an axis: y[i, j] = x[ids[i, j], j] for axis 0 and likewise. ids has x's rank, and its
/// sizes on the other axes.
Tensor gather(const Tensor& x, int axis, const Tensor& ids);
/// Whole slices of x at ids (i32, one axis) along an axis.
Tensor index_select(const Tensor& x, int axis, const Tensor& ids);
/// Rows of weight [V, D] at ids (i32, any shape) -> ids' shape + [D].
Tensor embedding(const Tensor& weight, const Tensor& ids);

// Softmax and losses --------------------------------------------------------------------------------------------------

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
Tensor logsumexp(const Tensor& x, int axis = -1, bool keepdim = false);

struct CrossEntropy {
    int32_t ignore_index = -100;  ///< targets that do not count
    double label_smoothing = 0;   ///< this much of the target's weight is spread over all C classes
};
/// Mean over the targets that count of -log softmax(logits)[target], in nats: logits [..., C], targets i32 [...].
/// NaN where none counts, as the mean of nothing.
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& targets,
                             const CrossEntropy& options = {});
/// The same for targets that are distributions over the classes, in the shape and dtype of the logits; they are data: no
/// gradient passes to them.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& distributions);

/// Means over all elements: (a - b)²; the logistic loss of labels in 0 ... 1 given as logits.
Tensor mse(const Tensor& prediction, const Tensor& target);
Tensor bce_with_logits(const Tensor& logits, const Tensor& labels);
/// Σ q (ln q - log_p) over the last axis, mean over the rest: the divergence of q from p, given ln p as PyTorch wants it.
Tensor kl_div(const Tensor& log_p, const Tensor& q);

// Normalisation and noise ---------------------------------------------------------------------------------------------

/// (x - mean) / sqrt(variance + eps) over the last axis, then times weight [D] plus bias [D] (Ba, Kiros, Hinton 2016).
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
/// Zeroes each element with probability p and scales the others by 1 / (1 - p); the generator moves on.
Tensor dropout(const Tensor& x, double p, Rng& rng);

// Recurrent layers -----------------------------------------------------------------------------------------------------

enum class Cell { rnn_tanh, rnn_relu, lstm, gru };

/// The weights of one layer in one direction; G gates (RNN 1, LSTM 4: i f g o, GRU 3: r z n) of H rows each.
struct RecurrentWeights {
    Tensor ih;       // [G H, I]
    Tensor hh;       // [G H, H]
    Tensor bias_ih;  // [G H], or undefined, as is then bias_hh
    Tensor bias_hh;  // [G H]
};

/// What a layer makes of a sequence: all hidden states, and the state after the last step.
struct Recurrence {
    Tensor y;  // [B, T, H]
    Tensor h;  // [B, H]
    Tensor c;  // [B, H], of an LSTM
};

/// Runs a cell over whole sequences x [B, T, I], from the last step to the first where `reverse`. The state h0 (and c0 of an
/// LSTM) [B, H] is zero where it is undefined. `lengths` [B] (i32, 1 ... T): steps from there on are not taken, and y is 0 there.
Recurrence recurrent(Cell cell, const Tensor& x, const RecurrentWeights& weights,
                     const Tensor& h0 = {}, const Tensor& c0 = {}, const Tensor& lengths = {},
                     bool reverse = false);

// Attention -----------------------------------------------------------------------------------------------------------

/// Which keys a query may attend to; without either, all.
struct AttentionMask {
    bool causal =
        false;  // query t of T: keys 0 ... t + S - T, so that the last query sees them all
    Tensor key_lengths{};  // [B], i32, 0 ... S: keys from there on are padding
};

struct Attention {
    Tensor y;        // [B, T, D]
    Tensor weights;  // [B, H, T, S], for looking at: no gradient goes through it
};

/// softmax(Q Kᵀ / √d + M) V for each of H heads of width d = D / H, which lie side by side in q [B, T, D], k and v [B, S, D]
/// (Vaswani et al. 2017, equation 1). M is 0 where attending is allowed and -∞ elsewhere; a query that may attend to nothing
/// gets zeros.
Attention scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                       int64_t heads, const AttentionMask& mask = {});
/// The same where one product has made all three, qkv [B, T, 3 D], or keys and values, kv [B, S, 2 D]; nothing is copied.
Attention self_attention(const Tensor& qkv, int64_t heads, const AttentionMask& mask = {});
Attention cross_attention(const Tensor& q, const Tensor& kv, int64_t heads,
                          const AttentionMask& mask = {});

/// e_ts = vᵀ tanh(q_t + k_s),  p = softmax_s(e),  y_t = Σ_s p_ts h_s (Bahdanau, Cho, Bengio 2015, section 3.1): q [B, T, A],
/// k [B, S, A], v [A], h [B, S, D] -> y [B, T, D], weights [B, T, S]. `key_lengths` [B] as in AttentionMask.
Attention additive_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& h,
                             const Tensor& key_lengths = {});

// The same in plain ops: what the lessons teach, and what the fused kernels above are tested against -------------------

namespace composed {
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              Activation activation = Activation::none);
Tensor gelu(const Tensor& x, Gelu form = Gelu::exact);
Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
Tensor logsumexp(const Tensor& x, int axis = -1, bool keepdim = false);
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& targets,
                             const CrossEntropy& options = {});
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& distributions);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps = 1e-5);
Recurrence recurrent(Cell cell, const Tensor& x, const RecurrentWeights& weights,
                     const Tensor& h0 = {}, const Tensor& c0 = {}, const Tensor& lengths = {},
                     bool reverse = false);
Attention scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                       int64_t heads, const AttentionMask& mask = {});
Attention additive_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& h,
                             const Tensor& key_lengths = {});
}  // namespace composed

// For ops of your own: elementwise ones start from autograd/ops/elementwise.h, others from record() in autograd/tape.h.

}  // namespace gradus
