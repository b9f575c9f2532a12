// Language models that count.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/random.h"

namespace gradus::models {

enum class Smoothing { add_alpha, witten_bell, kneser_ney };

struct NgramOptions {
    int64_t vocab = 0;
    int order = 3;  // 1 ... 6: the next token depends on the order - 1 before it
    Smoothing smoothing = Smoothing::kneser_ney;
    double alpha = 1;  // for add_alpha
};

/// An n-gram model over ids 0 ... vocab - 1 (Chen and Goodman 1999). Every distribution sums to 1
/// over the vocabulary, whatever the context: an unseen one falls back to shorter ones, the last of
/// them to 1 / vocab.
class Ngram {
public:
    explicit Ngram(const NgramOptions& options);
    ~Ngram();

    /// Counts a document more. Contexts do not reach across its beginning: what stands before the
    /// first token is a mark of its own.
    void add(std::span<const int32_t> document);

    /// p(token | context), where only the last order - 1 ids of the context count.
    double probability(std::span<const int32_t> context, int32_t token) const;
    /// p(. | context), all of them.
    std::vector<double> distribution(std::span<const int32_t> context) const;

    /// The sum of -ln p over a document's tokens from position `first` on, each given those before it.
    double nats(std::span<const int32_t> document, size_t first = 0) const;

    /// Draws `count` tokens after a context.
    std::vector<int32_t> sample(std::span<const int32_t> context, int64_t count, Rng& rng) const;

    const NgramOptions& options() const { return options_; }

private:
    struct Counts;
    NgramOptions options_;
    std::unique_ptr<Counts> counts_;
};

}  // namespace gradus::models
