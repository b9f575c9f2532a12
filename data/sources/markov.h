// A Markov source: text whose next token depends on the last few, by a table that is known.
#pragma once

#include "autograd/random.h"

namespace gradus::data {

/// A chain of order n over the ids 0 ... K - 1. Its entropy rate is the loss in nats per token that
/// no model of it beats on average; on a given text the bound is nats() of that very text.
///
///     Rng rng(seed);
///     const auto source = data::Markov::random(8, 2, 0.5, rng);   // K = 8, order 2
///     const Tensor ids = source.sample(10000, rng);               // i32 [10000]
///     const double bayes = source.nats(ids) / (10000 - 2);        // near source.entropy_rate()
class Markov {
public:
    /// From p(. | context), [K^n, K], f64: row c belongs to the context whose ids, the oldest first,
    /// are the digits of c in base K. One row alone is a source without a memory. Throws Error where
    /// a row is no distribution, K is below 2 or the number of rows is no power of K.
    explicit Markov(const Tensor& table);

    /// Order 1: stays where it is with probability `stay`, else goes anywhere else, all equally
    /// likely. Its entropy rate is -a ln a - (1 - a) ln((1 - a) / (K - 1)).
    static Markov symmetric(int64_t symbols, double stay);

    /// Rows drawn from a symmetric Dirichlet distribution: a small concentration makes the text
    /// predictable.
    static Markov random(int64_t symbols, int order, double concentration, Rng& rng);

    int64_t symbols() const { return table_.size(1); }
    int order() const { return order_; }
    const Tensor& table() const { return table_; }
    /// How often each context occurs in the long run, [K^n].
    const Tensor& stationary() const { return stationary_; }
    /// In nats per token: the entropy of the next token, averaged over the contexts.
    double entropy_rate() const;

    /// n tokens, i32 [n], as from the midst of an endless text: the first ones are drawn from the
    /// stationary distribution.
    Tensor sample(int64_t n, Rng& rng) const;

    /// -ln p of ids given the first `order` of them: the sum, and for each token, f64 [N - order].
    /// Infinite where a token is impossible. Throws Error where ids are fewer than the order or out
    /// of range.
    double nats(const Tensor& ids) const;
    Tensor token_nats(const Tensor& ids) const;

private:
    int64_t after(int64_t context, int32_t id) const;

    Tensor table_, stationary_;
    int order_ = 0;
};

}  // namespace gradus::data
