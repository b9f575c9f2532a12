// Lesson 04: counting. The seven tasks, written out. README.md says what they are for.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/ops.h"
#include "lessons/04-counting/grams.h"

namespace gradus::exercise {

using counting::Follower, counting::followers, counting::Grams, counting::Ids;

/// Task 1. How often each token followed each: [V, V], f64. Row a holds what came after a.
inline Tensor count_bigrams(const Ids& text, int64_t vocab) {
    Tensor counts = Tensor::zeros({vocab, vocab}, Dtype::f64);
    for (size_t i = 1; i < text.size(); ++i) {
        const int64_t place = text[i - 1] * vocab + text[i];
        counts.set(place, counts.at(place) + 1);
    }
    return counts;
}

/// Task 2. Counts [V, V] to probabilities [V, V]: p(b|a) = (c(ab) + α) / (c(a) + α V), where c(a) is the
/// sum of row a. The counts stay as they are.
inline Tensor add_alpha(const Tensor& counts, double alpha) {
    const double vocab = static_cast<double>(counts.size(1));
    return (counts + alpha) / (sum(counts, {1}, true) + alpha * vocab);
}

/// Task 3. The mean of -ln p(b|a) over all neighbours a, b in the text: nobody stands before its first
/// token, so that is not predicted. p is [V, V], the text has at least two tokens.
inline double nats_per_token(const Tensor& p, const Ids& text) {
    double nats = 0;
    for (size_t i = 1; i < text.size(); ++i)
        nats -= std::log(p.at(text[i - 1] * p.size(1) + text[i]));
    return nats / static_cast<double>(text.size() - 1);
}

/// Task 3. Among how many equally likely tokens one would have to guess for this loss.
inline double perplexity(double nats) { return std::exp(nats); }

/// Task 4. The loss of a one-layer network on the bigrams of a text. The logits after token a are row
/// a of w [V, V]; counts [V, V] says how often each pair stands in the text:
///   loss = -Σ_ab c(ab) ln softmax(w_a)_b / N,  N = Σ_ab c(ab).
/// In ops, so that a tape can find its gradient.
inline Tensor softmax_loss(const Tensor& w, const Tensor& counts) {
    return -sum(counts * log_softmax(w)) / sum(counts);
}

/// Task 4. That gradient, without a tape: what is it in row a? [V, V].
inline Tensor softmax_gradient(const Tensor& w, const Tensor& counts) {
    return (sum(counts, {1}, true) * softmax(w) - counts) / sum(counts);
}

/// Task 5. How often each run of 1, 2, ... order tokens stands in the text.
inline Grams count_grams(const Ids& text, int order) {
    Grams grams;
    for (size_t begin = 0; begin < text.size(); ++begin) {
        Ids gram;
        for (size_t i = begin; i < text.size() && i < begin + static_cast<size_t>(order); ++i) {
            gram.push_back(text[i]);
            ++grams[gram];
        }
    }
    return grams;
}

/// Task 5. Witten and Bell's p(token | context), from count_grams. With n the sum of the followers'
/// counts, T how many different ones there are, c how often the token is among them, and p' the
/// probability after the same context without its oldest token:
///   p = (c + T p') / (n + T).
/// Where nothing follows the context p = p'. What stands below the empty context is 1 / vocab.
inline double witten_bell(const Grams& grams, int64_t vocab, const Ids& context, int32_t token) {
    const double shorter =
        context.empty() ? 1 / static_cast<double>(vocab)
                        : witten_bell(grams, vocab, Ids(context.begin() + 1, context.end()), token);
    double n = 0, types = 0, c = 0;
    for (const Follower& follower : followers(grams, context)) {
        n += static_cast<double>(follower.count);
        types += 1;
        if (follower.token == token) c = static_cast<double>(follower.count);
    }
    return types == 0 ? shorter : (c + types * shorter) / (n + types);
}

/// Task 6. Kneser and Ney's counts: grams of `order` tokens keep theirs, and each shorter gram gets the
/// number of different tokens that stand before it. One that has none is left out.
inline Grams continuation_counts(const Grams& grams, int order) {
    Grams changed;
    for (const auto& [gram, count] : grams) {
        if (gram.size() == static_cast<size_t>(order)) changed[gram] = count;
        if (gram.size() > 1) ++changed[Ids(gram.begin() + 1, gram.end())];
    }
    return changed;
}

/// Task 6. Their p(token | context), from continuation_counts. Each follower of the context gives up
/// D, 0 < D ≤ 1, and p' shares out what was given up:
///   p = (max(c - D, 0) + D T p') / n,
/// with n, T, c and p' as in task 5, and the same where nothing follows or the context is empty.
inline double kneser_ney(const Grams& grams, int64_t vocab, const Ids& context, int32_t token,
                         double discount) {
    const double shorter =
        context.empty()
            ? 1 / static_cast<double>(vocab)
            : kneser_ney(grams, vocab, Ids(context.begin() + 1, context.end()), token, discount);
    double n = 0, types = 0, c = 0;
    for (const Follower& follower : followers(grams, context)) {
        n += static_cast<double>(follower.count);
        types += 1;
        if (follower.token == token) c = static_cast<double>(follower.count);
    }
    if (types == 0) return shorter;
    return (std::max(c - discount, 0.0) + discount * types * shorter) / n;
}

/// Task 7. Chooses a token with its probability: p_0, p_1, ... laid end to end cover [0, 1), and u, a
/// random number from there, lies in one of them. A token of probability 0 is never chosen, not even
/// where rounding leaves the sum of p below u.
inline int32_t draw(const std::vector<double>& p, double u) {
    int32_t chosen = 0;
    double end = 0;
    for (size_t token = 0; token < p.size(); ++token) {
        if (p[token] == 0) continue;
        chosen = static_cast<int32_t>(token);
        end += p[token];
        if (u < end) break;
    }
    return chosen;
}

}  // namespace gradus::exercise
