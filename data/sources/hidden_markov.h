// A hidden Markov source: text that says something about a state, which itself is never seen.
#pragma once

#include "autograd/random.h"

namespace gradus::data {

/// States that follow each other as a Markov chain; each emits a token (Rabiner 1989). What can be
/// known of the states, and of tokens not seen, is exact: it is what a model learns at best.
/// S states · V tokens · n the text's length. All probabilities are f64.
///
///     Rng rng(seed);
///     const auto source = data::HiddenMarkov::random(6, 12, 0.3, rng);
///     const auto [states, ids] = source.sample(10000, rng);
///     const double bayes = source.nats(ids) / 10000;      // no language model does better
class HiddenMarkov {
public:
    /// transition [S, S], emission [S, V]: rows sum to 1. start [S]; if not given, the stationary
    /// distribution. Throws Error where sizes do not fit or a row is no distribution.
    HiddenMarkov(const Tensor& transition, const Tensor& emission, const Tensor& start = {});

    /// Rows of both tables from a symmetric Dirichlet distribution.
    static HiddenMarkov random(int64_t states, int64_t tokens, double concentration, Rng& rng);

    int64_t states() const { return transition_.size(0); }
    int64_t tokens() const { return emission_.size(1); }
    const Tensor& transition() const { return transition_; }
    const Tensor& emission() const { return emission_; }
    const Tensor& start() const { return start_; }

    struct Sample {
        Tensor states, ids;  // both i32 [n]
    };
    Sample sample(int64_t n, Rng& rng) const;

    // What follows takes ids, i32 [n], of which some may be kHole: tokens that were not seen.
    static constexpr int32_t kHole = -1;

    /// What the forward algorithm knows at each position from the tokens up to it.
    struct Forward {
        Tensor nats;      // [n]: -ln p(token | those before it); 0 at a hole
        Tensor states;    // [n, S]: p(state | tokens before this one and this one)
        Tensor expected;  // [n, S]: p(state | tokens before this one)
    };
    /// Each position's sums are scaled to 1, so that texts may be long. Throws Error at a token that
    /// cannot stand where it does.
    Forward forward(const Tensor& ids) const;

    /// -ln p(ids), the sum of forward's.
    double nats(const Tensor& ids) const;

    /// p(. | tokens before this one), [n, V]: the best language model.
    Tensor next(const Tensor& ids) const;

    /// p(state | the whole text), [n, S], by forward-backward: the best tagger.
    Tensor posterior(const Tensor& ids) const;

    /// p(. | all other tokens), [n, V]: the best guess at a token that is hidden. The token that
    /// stands there does not count; a hole hides others as well: the best masked language model.
    Tensor cloze(const Tensor& ids) const;

private:
    Tensor backward(const Tensor& ids) const;

    Tensor transition_, emission_, start_;
};

}  // namespace gradus::data
