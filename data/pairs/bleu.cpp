#include "data/pairs/bleu.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/error.h"

namespace gradus::data {
namespace {

using Sentence = std::vector<std::string>;
constexpr size_t kOrders = 4;

std::map<Sentence, long> count_ngrams(const Sentence& sentence, size_t n) {
    std::map<Sentence, long> counts;
    for (auto begin = sentence.begin(); sentence.end() - begin >= static_cast<long>(n); ++begin)
        ++counts[Sentence(begin, begin + static_cast<long>(n))];
    return counts;
}

// How many n-grams of the hypothesis are in the reference, each as often as there at most.
long count_matches(const Sentence& hypothesis, const Sentence& reference, size_t n) {
    const auto expected = count_ngrams(reference, n);
    long matches = 0;
    for (const auto& [ngram, count] : count_ngrams(hypothesis, n))
        if (const auto found = expected.find(ngram); found != expected.end())
            matches += std::min(count, found->second);
    return matches;
}

// c is the hypotheses' length, r the references'.
double penalty(double c, double r) {
    if (c >= r) return 1;
    return c == 0 ? 0 : std::exp(1 - r / c);
}

}  // namespace

Bleu bleu(const std::vector<Sentence>& hypotheses, const std::vector<Sentence>& references) {
    check(hypotheses.size() == references.size() && !references.empty(), "bleu",
          "{} hypotheses and {} references; as many, and at least one, expected", hypotheses.size(),
          references.size());
    Bleu result{};
    long matches[kOrders] = {}, totals[kOrders] = {};
    for (size_t i = 0; i < references.size(); ++i) {
        const auto length = static_cast<long>(hypotheses[i].size());
        result.hypothesis_length += length;
        result.reference_length += static_cast<long>(references[i].size());
        for (size_t n = 1; n <= kOrders; ++n) {
            matches[n - 1] += count_matches(hypotheses[i], references[i], n);
            totals[n - 1] += std::max(0L, length - static_cast<long>(n) + 1);
        }
    }
    result.brevity_penalty = penalty(static_cast<double>(result.hypothesis_length),
                                     static_cast<double>(result.reference_length));
    if (matches[0] == 0) return result;

    double smoothed = 1, log_sum = 0;  // of the last order without a match, 1/2, 1/4 ... of one
    for (size_t n = 0; n < kOrders && totals[n] > 0; ++n) {
        const double found = matches[n] ? static_cast<double>(matches[n]) : smoothed /= 2;
        result.precisions[n] = found / static_cast<double>(totals[n]);
        log_sum += std::log(result.precisions[n]);
    }
    if (totals[kOrders - 1] > 0)
        result.score = 100 * result.brevity_penalty * std::exp(log_sum / kOrders);
    return result;
}

}  // namespace gradus::data
