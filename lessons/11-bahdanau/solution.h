// Lesson 11: attention. The eight tasks, written out. README.md says what they are for.
// B batch · S source length · T target length · K width of the encoder's states · N of the decoder's ·
// A of the comparison · I of an input · H of one direction · M of a maxout layer
#pragma once

#include <functional>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

/// Task 1. How well each state of the encoder, h [B, S, K], suits a state of the decoder, q [B, N]: scores
/// e [B, S]. Luong's two: the dot product, for which N = K, and the general one, with W [K, N]:
///   e_j = h_jᵀ q,   e_j = h_jᵀ W q.
inline Tensor dot_score(const Tensor& q, const Tensor& h) {
    const int64_t B = h.size(0), S = h.size(1), K = h.size(2);
    return reshape(matmul(h, reshape(q, {B, K, 1})), {B, S});
}
inline Tensor general_score(const Tensor& w, const Tensor& q, const Tensor& h) {
    return dot_score(matmul(q, w, Trans::b), h);
}

/// Task 1. Bahdanau's: e_j = vᵀ tanh(W q + U h_j + b).
struct Additive {
    Tensor w;  // [A, N]
    Tensor u;  // [A, K]
    Tensor b;  // [A]
    Tensor v;  // [A]
};
inline Tensor additive_score(const Additive& a, const Tensor& q, const Tensor& h) {
    const int64_t B = h.size(0), S = h.size(1), A = a.v.size();
    const Tensor query = reshape(matmul(q, a.w, Trans::b), {B, 1, A});
    const Tensor t = tanh(query + matmul(h, a.u, Trans::b) + a.b);  // [B, S, A]
    return reshape(matmul(t, reshape(a.v, {A, 1})), {B, S});
}

/// Task 2. The softmax of each row of scores [B, S] over its first lengths[b] places (lengths: i32 [B],
/// 0 ... S). The places after them get 0, whatever their scores are, NaN too; a row of length 0 is all
/// zeros. Recorded where a tape is open, as all but task 7 are.
inline Tensor masked_softmax(const Tensor& scores, const Tensor& lengths) {
    const int64_t B = scores.size(0), S = scores.size(1);
    Tensor allowed = Tensor::zeros({B, S}, scores.dtype());
    for (int64_t b = 0; b < B; ++b)
        for (int64_t s = 0; s < S; ++s)
            allowed.set(b * S + s, static_cast<double>(s) < lengths.at(b));
    // Finite: a row of minus infinities would have no softmax.
    const Tensor lowest = Tensor::full({1}, -1e30, scores.dtype());
    return softmax(where(allowed, scores, lowest)) * allowed;
}

/// Task 3. What is looked at: c = Σ_j α_j h_j of weights α [B, S] and states h [B, S, K] -> [B, K].
inline Tensor context(const Tensor& weights, const Tensor& h) {
    const int64_t B = h.size(0), S = h.size(1), K = h.size(2);
    return reshape(matmul(reshape(weights, {B, 1, S}), h), {B, K});
}

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
    const Tensor weights = masked_softmax(additive_score(attention, s, h), lengths);
    const Tensor c = context(weights, h);
    return {cell(concat({y, c}, 1), s), c, weights};
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
    const int64_t B = x.size(0), S = x.size(1);
    const auto turned = [&](const Tensor& y) {  // each row within its length
        const int64_t width = y.size(2);
        Tensor from = Tensor::empty(y.shape(), Dtype::i32);
        for (int64_t b = 0; b < B; ++b)
            for (int64_t s = 0; s < S; ++s) {
                const auto length = static_cast<int64_t>(lengths.at(b));
                const int64_t source = s < length ? length - 1 - s : s;
                from.view({width}, (b * S + s) * width).fill(static_cast<double>(source));
            }
        return gather(y, 1, from);
    };
    Tensor inside = Tensor::zeros({B, S, 1}, x.dtype());
    for (int64_t b = 0; b < B; ++b)
        for (int64_t s = 0; s < S; ++s)
            inside.set(b * S + s, static_cast<double>(s) < lengths.at(b));
    return concat({forwards(x), turned(backwards(turned(x)))}, 2) * inside;
}

/// Task 5. The decoder's first state, from the encoder's states [B, S, 2 H]: each direction as it is when
/// it has read all of a sentence. With W [N, 2 H] and b [N]: s_0 = tanh(W [h→ ; h←] + b).
inline Tensor first_state(const Tensor& w, const Tensor& b, const Tensor& states,
                          const Tensor& lengths) {
    const int64_t B = states.size(0), H = states.size(2) / 2;
    Tensor last = Tensor::empty({B, 1, H}, Dtype::i32);
    for (int64_t i = 0; i < B; ++i) last.view({H}, i * H).fill(lengths.at(i) - 1);
    const Tensor forwards = gather(slice(states, 2, 0, H), 1, last);
    const Tensor backwards = slice(slice(states, 2, H, 2 * H), 1, 0, 1);
    return tanh(matmul(reshape(concat({forwards, backwards}, 2), {B, 2 * H}), w, Trans::b) + b);
}

/// Task 6. Maxout: of u = W x + b, with x [B, I], W [2 M, I] and b [2 M], the larger of each two
/// neighbours: t_m = max(u_{2m}, u_{2m+1}), counted from 0 -> [B, M].
inline Tensor maxout(const Tensor& x, const Tensor& w, const Tensor& b) {
    const Tensor u = matmul(x, w, Trans::b) + b;
    return max(reshape(u, {x.size(0), w.size(0) / 2, 2}), {2});
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
    const int64_t B = h.size(0), S = h.size(1), K = h.size(2), A = a.v.size();
    const Tensor alpha = masked_softmax(additive_score(a, q, h), lengths);
    const Tensor t =
        tanh(reshape(matmul(q, a.w, Trans::b), {B, 1, A}) + matmul(h, a.u, Trans::b) + a.b);
    const Tensor d_alpha = dot_score(dc, h);                                // [B, S]
    const Tensor de = alpha * (d_alpha - sum(alpha * d_alpha, {1}, true));  // [B, S]
    const Tensor du = reshape(de, {B, S, 1}) * a.v * (1 - square(t));       // [B, S, A]
    const Tensor du_q = sum(du, {1}), rows = reshape(du, {B * S, A});
    AdditiveGradients d;
    d.weights.w = matmul(du_q, q, Trans::a);
    d.weights.u = matmul(rows, reshape(h, {B * S, K}), Trans::a);
    d.weights.b = sum(rows, {0});
    d.weights.v = sum(reshape(de, {B, S, 1}) * t, {0, 1});
    d.q = matmul(du_q, a.w);
    d.h = reshape(alpha, {B, S, 1}) * reshape(dc, {B, 1, K}) + matmul(du, a.u);
    return d;
}

/// Task 8. The share of target words that look most at the word they come from. weights[i] is [T, S]:
/// row t holds the weights with which target token t was written, the last row those of the end of the
/// sentence. truth[i][t] is the place that word t comes from; it has no entry for the end, which does
/// not count. Every word of all sentences counts the same; of equally strong weights the first is taken.
inline double alignment_accuracy(const std::vector<Tensor>& weights,
                                 const std::vector<std::vector<int64_t>>& truth) {
    int64_t right = 0, words = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
        const Tensor strongest = argmax(weights[i]);  // [T]
        for (size_t t = 0; t < truth[i].size(); ++t) {
            right += static_cast<int64_t>(strongest.at(static_cast<int64_t>(t))) == truth[i][t];
            ++words;
        }
    }
    return static_cast<double>(right) / static_cast<double>(words);
}

}  // namespace gradus::exercise
