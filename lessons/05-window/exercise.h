// Lesson 05: window. Yours to write: each function below takes at most 20 lines. README.md says what
// they are for, the comment above each what it must do, and ./run check 05 whether it does.
// B batch · n window · m embedding width · H hidden width · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "autograd/ops.h"
#include "data/batches.h"
#include "lessons/not_yet_written.h"
#include "nn/module.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. Every token of a document with the n tokens before it: row t of x [N, n] holds them, the
/// oldest first, with `padding` for what would lie before the document; y [N] is token t. Both i32.
inline data::Batch windows(const std::vector<int32_t>& document, int64_t n, int32_t padding) {
    throw NotYetWritten("task 1");
}

/// Task 2. The embeddings of each window side by side, in its order: table [V, m], ids [B, n] (i32)
/// -> x [B, n m]. A gradient that arrives at x goes on to the table.
inline Tensor look_up(const Tensor& table, const Tensor& ids) { throw NotYetWritten("task 2"); }

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
inline Tensor logits(const Weights& w, const Tensor& ids) { throw NotYetWritten("task 3"); }

/// Task 4. The mean over the rows of -ln p(target), in nats: logits [B, V], targets [B] (i32) -> a
/// scalar, with gradients, from log_softmax.
inline Tensor loss(const Tensor& logits, const Tensor& targets) { throw NotYetWritten("task 4"); }

/// Task 4. exp of that mean over all rows of x [N, n] and y [N], which are read at most `at_once` at a
/// time: the last portion may be shorter.
inline double perplexity(nn::Layer& model, const data::Batch& rows, int64_t at_once) {
    throw NotYetWritten("task 4");
}

/// Task 5. What a gradient dx [B, n m] at look_up's result is at the table: [V, m], in dx's dtype, with
/// plain loops. A token that stands in several places gets the sum.
inline Tensor table_gradient(const Tensor& dx, const Tensor& ids, int64_t vocab) {
    throw NotYetWritten("task 5");
}

/// Task 6. A new document: begins with a window full of `end`, draws each token from the softmax of the
/// model's logits [1, V] for the window [1, n], moves the window on, and stops when `end` is drawn,
/// which is not part of the result, or after `longest` tokens. One number of the generator a token.
inline std::vector<int32_t> make_up(nn::Layer& model, int64_t n, int32_t end, int64_t longest,
                                    Rng& rng) {
    throw NotYetWritten("task 6");
}

/// Task 7. The direction in which the rows of x [N, D] differ most: [D], of unit length, in f64. By
/// power iteration: start anywhere, multiply by the covariance of the rows, divide by the length,
/// `steps` times.
inline Tensor principal_axis(const Tensor& x, int64_t steps = 500) {
    throw NotYetWritten("task 7");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
