// Language models that count.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/random.h"

namespace gradus::models {

/// How counts become probabilities. h is a context, h' the same without its oldest token, c(hw) how
/// often w followed h, c(h) the sum of that over w, T(h) the number of different w, V the vocabulary.
///
/// add_alpha:    p(w|h) = (c(hw) + α) / (c(h) + αV): Lidstone's; it knows no shorter context, and an
///               unseen one gives 1 / V.
/// witten_bell:  p(w|h) = (c(hw) + T(h) p(w|h')) / (c(h) + T(h)), ending in 1 / V: Bell, Cleary and
///               Witten 1990, method C, interpolated.
/// kneser_ney:   p(w|h) = (c(hw) - D(c(hw)) + Σ_v D(c(hv)) p(w|h')) / c(h), ending in 1 / V: modified
///               and interpolated, Chen and Goodman 1999, section 3. Below the model's order c(hw) is
///               not a count of hw but of the different tokens that stood before it; grams that
///               begin a document, where nothing can, keep their own. Each order has discounts of
///               its own for counts of 1, 2, and 3 or more: with n_i grams counted i times,
///               Y = n_1 / (n_1 + 2 n_2) and D(i) = i - (i + 1) Y n_{i+1} / n_i. Where they are not
///               defined, or not in (0, i], they are 0.5, 1 and 1.5 (Heafield et al. 2013's). One
///               discount for all counts, n_1 / (n_1 + 2 n_2), was measured too: at orders 4 to 6 it
///               is 0.006-0.025 nats worse on the novels and on the names of lesson 04.
enum class Smoothing { add_alpha, witten_bell, kneser_ney };

struct NgramOptions {
    int64_t vocab = 0;
    int order = 3;  // 1 ... 6: the next token depends on the order - 1 before it
    Smoothing smoothing = Smoothing::kneser_ney;
    double alpha = 1;  // for add_alpha
};

/// An n-gram model over ids 0 ... vocab - 1. Every distribution sums to 1 over the vocabulary,
/// whatever the context. A context is what stands in a document from its beginning: one of fewer
/// than order - 1 ids follows the beginning, which is counted as a mark of its own.
///
///     Ngram model({.vocab = 27, .order = 5});
///     for (const auto& name : names) model.add(name);
///     double perplexity = std::exp(model.nats(test) / test.size());
///
/// Throws Error where an option is out of its range, and for an id that is not in the vocabulary.
class Ngram {
public:
    explicit Ngram(const NgramOptions& options);
    ~Ngram();
    Ngram(Ngram&& other) noexcept;
    Ngram& operator=(Ngram&& other) noexcept;

    /// Counts a document more. Contexts do not reach across its beginning.
    void add(std::span<const int32_t> document);

    /// p(token | context), where only the last order - 1 ids of the context count.
    double probability(std::span<const int32_t> context, int32_t token) const;
    /// p(. | context), all of them.
    std::vector<double> distribution(std::span<const int32_t> context) const;

    /// The sum of -ln p over a document's tokens from position `first` on, each given those before it.
    double nats(std::span<const int32_t> document, size_t first = 0) const;

    /// Draws `count` tokens after a context.
    std::vector<int32_t> sample(std::span<const int32_t> context, int64_t count, Rng& rng) const;

    /// Another α for the same counts.
    void set_alpha(double alpha);

    /// c(hw): how often the token followed the last order - 1 ids of the context.
    int64_t count(std::span<const int32_t> context, int32_t token) const;
    /// How many different n-grams have been counted, of all orders up to the model's.
    int64_t size() const;

    const NgramOptions& options() const { return options_; }

private:
    struct Counts;
    NgramOptions options_;
    std::unique_ptr<Counts> counts_;
};

}  // namespace gradus::models
