// Lesson 14: BERT. One way to write each function of exercise.h; nothing includes this file by default.
// T time · V vocabulary · K symbols
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

/// A masked text: x is what the model reads, y the id that was there where it is to be guessed, else -100.
struct Masked {
    std::vector<int32_t> x, y;
};

/// Task 1. BERT's masking: each id that is not special is to be guessed with probability `chosen`. Of those
/// to be guessed 80 % become `mask`, 10 % any of the ids 0 ... vocab - 1 that is not special, and 10 % stay as
/// they are. `special[id]` says which ids are special; `mask` is one of them.
inline Masked hide(const std::vector<int32_t>& ids, const std::vector<bool>& special, int32_t mask,
                   double chosen, Rng& rng) {
    Masked masked{ids, std::vector<int32_t>(ids.size(), -100)};
    const auto vocab = static_cast<int64_t>(special.size());
    for (size_t t = 0; t < ids.size(); ++t) {
        if (special[static_cast<size_t>(ids[t])] || rng.uniform() >= chosen) continue;
        masked.y[t] = ids[t];
        const double u = rng.uniform();
        if (u < 0.8)
            masked.x[t] = mask;
        else if (u < 0.9)
            do masked.x[t] = static_cast<int32_t>(rng.below(vocab));
            while (special[static_cast<size_t>(masked.x[t])]);
    }
    return masked;
}

/// Task 2. The loss of the hidden words alone, in nats: logits [T, V], targets i32 [T], of which -100 is not
/// to be guessed -> the mean of -ln softmax(logits)[target] over the others, a scalar. Nothing to be guessed:
/// 0, with gradients of 0.
inline Tensor masked_loss(const Tensor& logits, const Tensor& targets) {
    Tensor weights = Tensor::zeros(logits.shape(), logits.dtype());
    double count = 0;
    for (int64_t t = 0; t < targets.size(); ++t) {
        const auto target = static_cast<int64_t>(targets.at(t));
        if (target == -100) continue;
        weights.set(t * logits.size(1) + target, 1);
        ++count;
    }
    return -sum(weights * log_softmax(logits)) / std::max(count, 1.0);
}

/// Task 3. WordPiece: cuts a word (ASCII) from left to right into the longest pieces that `vocab` has. A
/// piece that does not begin the word stands there with "##" before it. Where no piece fits, all of the word
/// is {"[UNK]"}.
inline std::vector<std::string> pieces(const std::string& word,
                                       const std::set<std::string>& vocab) {
    std::vector<std::string> result;
    for (size_t begin = 0; begin < word.size();) {
        size_t size = word.size() - begin;
        const std::string before = begin > 0 ? "##" : "";
        while (size > 0 && !vocab.contains(before + word.substr(begin, size))) --size;
        if (size == 0) return {"[UNK]"};
        result.push_back(before + word.substr(begin, size));
        begin += size;
    }
    return result;
}

/// A pair as a model reads it.
struct Framed {
    std::vector<int32_t> ids, segments;
};

/// Task 4. Frames a pair, and fills it up to `time` ids:
///   ids       [CLS] first ... [SEP] second ... [SEP] [PAD] ...
///   segments    0     0         0      1         1     0
/// While it is too long, the longer sentence (the second where both are as long) loses its last id.
inline Framed frame(std::vector<int32_t> first, std::vector<int32_t> second, size_t time,
                    int32_t cls, int32_t sep, int32_t pad) {
    while (first.size() + second.size() + 3 > time)
        (first.size() > second.size() ? first : second).pop_back();
    Framed framed{{cls}, {}};
    framed.ids.insert(framed.ids.end(), first.begin(), first.end());
    framed.ids.push_back(sep);
    framed.segments.resize(framed.ids.size(), 0);
    framed.ids.insert(framed.ids.end(), second.begin(), second.end());
    framed.ids.push_back(sep);
    framed.segments.resize(framed.ids.size(), 1);
    framed.ids.resize(time, pad);
    framed.segments.resize(time, 0);
    return framed;
}

/// Task 5. What can be known of a hidden symbol of a chain, given the symbols a and c beside it:
///   p(b | a, c) = P_ab P_bc / Σ_b' P_ab' P_b'c,
/// for the chain's table P [K, K] in float64, whose row a is p(. | a) -> [K].
inline Tensor between(const Tensor& P, int64_t a, int64_t c) {
    const int64_t K = P.size(0);
    Tensor p = Tensor::zeros({K}, Dtype::f64);
    double all = 0;
    for (int64_t b = 0; b < K; ++b) {
        p.set(b, P.at(a * K + b) * P.at(b * K + c));
        all += p.at(b);
    }
    return p / all;
}

/// Task 6. How much a head looks `offset` tokens on: the mean of weights[t, t + offset] over all t for which
/// there is such a token; weights [T, T], whose rows sum to 1. Offset -1 is the token before.
inline double looks_at(const Tensor& weights, int64_t offset) {
    const int64_t T = weights.size(0);
    double all = 0, count = 0;
    for (int64_t t = std::max<int64_t>(0, -offset); t < T && t + offset < T; ++t) {
        all += weights.at(t * T + t + offset);
        ++count;
    }
    return all / count;
}

}  // namespace gradus::exercise
