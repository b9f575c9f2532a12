#include "models/ibm_model1.h"

#include <cmath>

#include "autograd/error.h"

namespace gradus::models {

IbmModel1::IbmModel1(int64_t source_vocab, int64_t target_vocab) : target_vocab_(target_vocab) {
    check(source_vocab > 0 && target_vocab > 0, "IBM model 1",
          "vocabularies of {} and {}; at least 1 of each expected", source_vocab, target_vocab);
    t_.resize(static_cast<size_t>(source_vocab) + 1);
}

void IbmModel1::add(std::span<const int32_t> source, std::span<const int32_t> target) {
    check(!target.empty(), "IBM model 1", "a pair has an empty target; leave it out");
    for (const int32_t e : source)
        check(0 <= e && row(e) < t_.size(), "IBM model 1", "source id {}; 0 ... {} expected", e,
              t_.size() - 2);
    for (const int32_t f : target)
        check(0 <= f && f < target_vocab_, "IBM model 1", "target id {}; 0 ... {} expected", f,
              target_vocab_ - 1);
    auto& pair = pairs_.emplace_back();
    pair.first.push_back(kNone);
    pair.first.insert(pair.first.end(), source.begin(), source.end());
    pair.second.assign(target.begin(), target.end());
    // Equal values to begin with: the first pass divides by their sum anyway.
    for (const int32_t e : pair.first)
        for (const int32_t f : target) t_[row(e)].try_emplace(f, 1. / double(target_vocab_));
}

double IbmModel1::pass() {
    check(!pairs_.empty(), "IBM model 1", "there are no pairs to learn from");
    std::vector<Row> counts(t_.size());
    double nats = 0;
    int64_t words = 0;
    for (const auto& [source, target] : pairs_)
        for (const int32_t f : target) {
            double sum = 0;
            for (const int32_t e : source) sum += t_[row(e)].at(f);
            for (const int32_t e : source) counts[row(e)][f] += t_[row(e)].at(f) / sum;
            nats -= std::log(sum / static_cast<double>(source.size()));
            ++words;
        }
    for (size_t e = 0; e < t_.size(); ++e) {
        double total = 0;
        for (const auto& [f, count] : counts[e]) total += count;
        for (auto& [f, t] : t_[e]) t = counts[e].at(f) / total;
    }
    return nats / static_cast<double>(words);
}

double IbmModel1::probability(int32_t target, int32_t source) const {
    const Row& t = t_.at(row(source));
    const auto found = t.find(target);
    return found == t.end() ? 0 : found->second;
}

std::vector<int32_t> IbmModel1::align(std::span<const int32_t> source,
                                      std::span<const int32_t> target) const {
    std::vector<int32_t> places;
    for (const int32_t f : target) {
        int32_t best = -1;
        double most = probability(f, kNone);
        for (size_t i = 0; i < source.size(); ++i)
            if (const double t = probability(f, source[i]); t > most)
                most = t, best = static_cast<int32_t>(i);
        places.push_back(best);
    }
    return places;
}

int32_t IbmModel1::best(int32_t source) const {
    int32_t best = -1;
    double most = 0;
    for (const auto& [f, t] : t_.at(row(source)))
        if (t > most || (t == most && f < best)) most = t, best = f;
    return best;
}

}  // namespace gradus::models
