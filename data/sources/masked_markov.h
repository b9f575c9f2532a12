// A Markov source's tokens, some of them hidden: what a masked language model can know of them.
#pragma once

#include "data/sources/hidden_markov.h"
#include "data/sources/markov.h"

namespace gradus::data {

/// The exact loss of guessing hidden tokens from all that are seen, on either side. A token that is
/// hidden is a missing observation: forward-backward sums over it, so that any set of tokens may be
/// hidden, neighbours as well. The states are the chain's contexts, each of which shows its last
/// token.
///
///     const auto chain = data::Markov::symmetric(8, 0.7);
///     const data::MaskedMarkov masked(chain);
///     const Tensor ids = chain.sample(64, rng);
///     masked.nats(ids, hidden);         // [64]: -ln p of the hidden ones; elsewhere 0
///     masked.one_hidden_nats();         // 0.7287: one hidden, its neighbours seen
class MaskedMarkov {
public:
    /// Throws Error for a source without a memory (order 0), which has nothing to tell of a token.
    explicit MaskedMarkov(const Markov& chain);

    /// -ln p(token | all tokens that are not hidden) where `hidden` is not 0, 0 elsewhere: f64, of
    /// the shape of `ids`. Both are i32, [n] or [B, n], where each row is a text of its own, cut from
    /// an endless one. Throws Error where shapes differ or an id is out of range.
    Tensor nats(const Tensor& ids, const Tensor& hidden) const;

    /// What nats() is on average at a token that alone is hidden in an endless text, of order 1:
    ///     -Σ_abc π_a P_ab P_bc ln(P_ab P_bc / (P²)_ac).
    /// Throws Error for another order.
    double one_hidden_nats() const;

private:
    Markov chain_;
    HiddenMarkov states_;
};

}  // namespace gradus::data
