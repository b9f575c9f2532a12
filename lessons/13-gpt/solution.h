// Lesson 13: GPT, written out. The tasks are described in exercise.h.
// T time · d width of a head · V vocabulary · C positions · D model width · L layers · K symbols
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

using Ids = std::vector<int32_t>;

/// A word as tokens, and how often it occurs.
struct Word {
    Ids tokens;
    int64_t count = 1;
};

/// Two neighbours that become one token.
struct Pair {
    int32_t left = 0, right = 0;
    auto operator<=>(const Pair&) const = default;
};

/// Task 1. The pair of neighbours within words that occurs most often; of equals the lowest.
inline Pair most_frequent(const std::vector<Word>& words) {
    std::map<Pair, int64_t> counts;
    for (const Word& word : words)
        for (size_t i = 0; i + 1 < word.tokens.size(); ++i)
            counts[{word.tokens[i], word.tokens[i + 1]}] += word.count;
    const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
    return std::max_element(counts.begin(), counts.end(), less)->first;
}

/// Task 1. Puts `id` where the pair stands, from left to right.
inline Ids join(const Ids& tokens, Pair pair, int32_t id) {
    Ids joined;
    for (size_t i = 0; i < tokens.size(); ++i) {
        const bool here =
            i + 1 < tokens.size() && tokens[i] == pair.left && tokens[i + 1] == pair.right;
        joined.push_back(here ? id : tokens[i]);
        i += here;
    }
    return joined;
}

/// Task 2. A new word in the tokens of merges that were learned: merge i makes first_id + i.
inline Ids encode(Ids word, const std::vector<Pair>& merges, int32_t first_id) {
    while (true) {
        size_t first = merges.size();
        for (size_t i = 0; i + 1 < word.size(); ++i) {
            const auto found = std::find(merges.begin(), merges.end(), Pair{word[i], word[i + 1]});
            first = std::min(first, static_cast<size_t>(found - merges.begin()));
        }
        if (first == merges.size()) return word;
        word = join(word, merges[first], first_id + static_cast<int32_t>(first));
    }
}

/// Task 3. Who looks at whom: q, k [T, d] -> softmax(q kᵀ / √d) over keys 0 ... t, [T, T].
inline Tensor causal_weights(const Tensor& q, const Tensor& k) {
    const int64_t T = q.size(0);
    Tensor hidden = Tensor::zeros({T, T}, q.dtype());
    for (int64_t t = 0; t < T; ++t)
        for (int64_t s = t + 1; s < T; ++s) hidden.set(t * T + s, -1e30);
    return softmax(matmul(q, k, Trans::b) / std::sqrt(static_cast<double>(q.size(1))) + hidden);
}

/// Keys and values of the tokens so far, [t, d]; undefined before the first.
struct Cache {
    Tensor k, v;
};

/// Task 4. One token more: q, k, v [1, d] -> what its query reads, [1, d].
inline Tensor step(Cache& cache, const Tensor& q, const Tensor& k, const Tensor& v) {
    cache.k = cache.k.defined() ? concat({cache.k, k}) : k;
    cache.v = cache.v.defined() ? concat({cache.v, v}) : v;
    const double d = static_cast<double>(q.size(1));
    return matmul(softmax(matmul(q, cache.k, Trans::b) / std::sqrt(d)), cache.v);
}

/// Task 5. Makes tokens that were seen less probable, by θ >= 1, each once.
inline void penalise(std::vector<double>& logits, const Ids& seen, double theta) {
    Ids once = seen;
    std::sort(once.begin(), once.end());
    once.erase(std::unique(once.begin(), once.end()), once.end());
    for (const int32_t id : once) {
        double& logit = logits[static_cast<size_t>(id)];
        logit = logit > 0 ? logit / theta : logit * theta;
    }
}

/// Task 6. How many bytes of a text can be shown already, if it is to end before a stop string.
inline size_t safe(const std::string& text, const std::vector<std::string>& stops) {
    size_t held = 0;
    for (const std::string& stop : stops)
        for (size_t n = 1; n < stop.size() && n <= text.size(); ++n)
            if (text.ends_with(stop.substr(0, n))) held = std::max(held, n);
    return text.size() - held;
}

/// Task 7. p(next = j), j = 0 ... K - 1, after what was seen: (n_ij + α) / (n_i + K α).
inline std::vector<double> predictive(const Ids& seen, int64_t K, double alpha) {
    std::vector<double> p(static_cast<size_t>(K), alpha);
    double total = static_cast<double>(K) * alpha;
    for (size_t t = 0; t + 1 < seen.size(); ++t) {
        if (seen[t] != seen.back()) continue;
        ++p[static_cast<size_t>(seen[t + 1])];
        ++total;
    }
    for (double& share : p) share /= total;
    return p;
}

/// Task 8. Nats a token -> bits a byte.
inline double bits_per_byte(double nats, int64_t tokens, int64_t bytes) {
    return nats / std::log(2) * static_cast<double>(tokens) / static_cast<double>(bytes);
}

/// Task 9. Parameters of a GPT.
inline int64_t gpt_parameters(int64_t V, int64_t C, int64_t D, int64_t L) {
    const int64_t attention = 3 * D * D + 3 * D + D * D + D;
    const int64_t mlp = 4 * D * D + 4 * D + 4 * D * D + D;
    return V * D + C * D + L * (attention + mlp + 4 * D) + 2 * D;
}

}  // namespace gradus::exercise
