// Lesson 05: window. The seven tasks, written out. README.md says what they are for.
// B batch · n window · m embedding width · H hidden width · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "autograd/ops.h"
#include "data/batches.h"
#include "nn/module.h"

namespace gradus::exercise {

/// Task 1. Every token of a document with the n tokens before it: row t of x [N, n] holds them, the
/// oldest first, with `padding` for what would lie before the document; y [N] is token t. Both i32.
inline data::Batch windows(const std::vector<int32_t>& document, int64_t n, int32_t padding) {
    const auto size = static_cast<int64_t>(document.size());
    data::Batch rows{Tensor::full({size, n}, padding, Dtype::i32), Tensor::from(document)};
    for (int64_t t = 0; t < size; ++t) {
        for (int64_t k = 0; k < n; ++k) {
            const int64_t from = t - n + k;
            if (from >= 0) rows.x.set(t * n + k, document[static_cast<size_t>(from)]);
        }
    }
    return rows;
}

/// Task 2. The embeddings of each window side by side, in its order: table [V, m], ids [B, n] (i32)
/// -> x [B, n m]. A gradient that arrives at x goes on to the table.
inline Tensor look_up(const Tensor& table, const Tensor& ids) {
    return reshape(embedding(table, ids), {ids.size(0), ids.size(1) * table.size(1)});
}

/// The weights of Bengio's network, with the paper's letters.
struct Weights {
    Tensor C;  // [V, m]
    Tensor H;  // [H, n m]
    Tensor d;  // [H]
    Tensor U;  // [V, H]
    Tensor b;  // [V]
    Tensor W;  // [V, n m], or undefined: no direct connections
};

/// Task 3. Equation (1): y = b + W x + U tanh(d + H x) for windows ids [B, n] -> logits [B, V].
inline Tensor logits(const Weights& w, const Tensor& ids) {
    const Tensor x = look_up(w.C, ids);                          // [B, n m]
    const Tensor hidden = tanh(w.d + matmul(x, w.H, Trans::b));  // [B, H]
    const Tensor y = w.b + matmul(hidden, w.U, Trans::b);        // [B, V]
    return w.W.defined() ? y + matmul(x, w.W, Trans::b) : y;
}

/// Task 4. The mean over the rows of -ln p(target), in nats: logits [B, V], targets [B] (i32) -> a
/// scalar, with gradients, from log_softmax.
inline Tensor loss(const Tensor& logits, const Tensor& targets) {
    const Tensor picked = gather(log_softmax(logits), 1, reshape(targets, {targets.size(), 1}));
    return -mean(picked);
}

/// Task 4. exp of that mean over all rows of x [N, n] and y [N], which are read at most `at_once` at a
/// time: the last portion may be shorter.
inline double perplexity(nn::Layer& model, const data::Batch& rows, int64_t at_once) {
    const int64_t size = rows.y.size(), n = rows.x.size(1);
    double nats = 0;
    for (int64_t begin = 0; begin < size; begin += at_once) {
        const int64_t count = std::min(at_once, size - begin);
        const Tensor y = model(rows.x.view({count, n}, begin * n));
        nats += loss(y, rows.y.view({count}, begin)).item() * static_cast<double>(count);
    }
    return std::exp(nats / static_cast<double>(size));
}

/// Task 5. What a gradient dx [B, n m] at look_up's result is at the table: [V, m], in dx's dtype, with
/// plain loops. A token that stands in several places gets the sum.
inline Tensor table_gradient(const Tensor& dx, const Tensor& ids, int64_t vocab) {
    const int64_t m = dx.size(1) / ids.size(1);
    Tensor gradient = Tensor::zeros({vocab, m}, dx.dtype());
    for (int64_t i = 0; i < ids.size(); ++i) {
        const int64_t row = ids.data<int32_t>()[i] * m;
        for (int64_t k = 0; k < m; ++k) {
            gradient.set(row + k, gradient.at(row + k) + dx.at(i * m + k));
        }
    }
    return gradient;
}

/// Task 6. A new document: begins with a window full of `end`, draws each token from the softmax of the
/// model's logits [1, V] for the window [1, n], moves the window on, and stops when `end` is drawn,
/// which is not part of the result, or after `longest` tokens. One number of the generator a token.
inline std::vector<int32_t> make_up(nn::Layer& model, int64_t n, int32_t end, int64_t longest,
                                    Rng& rng) {
    std::vector<int32_t> window(static_cast<size_t>(n), end), document;
    while (static_cast<int64_t>(document.size()) < longest) {
        const Tensor p = softmax(model(Tensor::from(window, {1, n})));
        double left = rng.uniform();
        int32_t id = 0;
        while (id + 1 < p.size() && (left -= p.at(id)) >= 0) ++id;
        if (id == end) break;
        document.push_back(id);
        window.erase(window.begin());
        window.push_back(id);
    }
    return document;
}

/// Task 7. The direction in which the rows of x [N, D] differ most: [D], of unit length, in f64. By
/// power iteration: start anywhere, multiply by the covariance of the rows, divide by the length,
/// `steps` times.
inline Tensor principal_axis(const Tensor& x, int64_t steps = 500) {
    Tensor rows = x.to(Dtype::f64);
    rows = rows - mean(rows, {0}, true);
    const Tensor covariance = matmul(rows, rows, Trans::a);  // [D, D]
    Tensor v = Rng(1).normal({1, x.size(1)}, 0, 1, Dtype::f64);
    for (int64_t step = 0; step < steps; ++step) {
        v = matmul(v, covariance);
        v = v / sqrt(sum(square(v)));
    }
    return reshape(v, {x.size(1)});
}

}  // namespace gradus::exercise
