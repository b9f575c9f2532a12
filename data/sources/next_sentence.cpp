#include "data/sources/next_sentence.h"

#include <algorithm>
#include <cmath>

#include "data/sources/distribution.h"

namespace gradus::data {
namespace {

void check_order(const Markov& chain) {
    check(chain.order() == 1, "chain pairs", "the chain is of order {}; 1 expected", chain.order());
}

// Σ_ab π_a f(P_ab, π_b).
template <class F>
double sum_over_borders(const Markov& chain, F f) {
    check_order(chain);
    const int64_t k = chain.symbols();
    const Tensor& pi = chain.stationary();
    double total = 0;
    for (int64_t a = 0; a < k; ++a)
        for (int64_t b = 0; b < k; ++b)
            total += pi.at(a) * f(chain.table().at(a * k + b), pi.at(b));
    return total;
}

}  // namespace

std::vector<SentencePair> ChainPairs::at(int64_t step) const {
    check_order(chain);
    check(length >= 1 && batch >= 1 && step >= 0, "chain pairs",
          "sentences of {}, a batch of {}, step {}; at least 1, 1 and 0 expected", length, batch,
          step);
    Rng rng(seed, step);
    std::vector<SentencePair> pairs;
    for (int64_t i = 0; i < batch; ++i) {
        const bool is_next = rng.uniform() < 0.5;
        const Tensor text = chain.sample(is_next ? 2 * length : length, rng);
        const Tensor fresh = is_next ? Tensor() : chain.sample(length, rng);
        const int32_t* first = text.data<int32_t>();
        const int32_t* second = is_next ? first + length : fresh.data<int32_t>();
        pairs.push_back({{first, first + length}, {second, second + length}, is_next});
    }
    return pairs;
}

double ChainPairs::next_probability(const SentencePair& pair) const {
    check_order(chain);
    check(!pair.first.empty() && !pair.second.empty(), "chain pairs",
          "the sentences have {} and {} tokens; at least one each expected", pair.first.size(),
          pair.second.size());
    const int32_t a = pair.first.back(), b = pair.second.front();
    const auto k = static_cast<int32_t>(chain.symbols());
    check(0 <= a && a < k && 0 <= b && b < k, "chain pairs",
          "the tokens at the border are {} and {}; 0 ... {} expected", a, b, k - 1);
    const double goes_on = chain.table().at(int64_t{a} * k + b);
    return goes_on / (goes_on + chain.stationary().at(b));
}

double ChainPairs::best_accuracy() const {
    return sum_over_borders(chain, [](double p, double pi) { return std::max(p, pi) / 2; });
}

double ChainPairs::least_nats() const {
    return sum_over_borders(chain, [](double p, double pi) {
        const double next = p > 0 ? p * std::log((p + pi) / p) : 0;
        const double fresh = pi > 0 ? pi * std::log((p + pi) / pi) : 0;
        return (next + fresh) / 2;
    });
}

}  // namespace gradus::data
