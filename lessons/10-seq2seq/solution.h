// Lesson 10: sequence to sequence. The eight tasks, written out. README.md says what they are for.
// B batch · S source length · T target length · E embedding width · H hidden width · V vocabulary
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace gradus::exercise {

using Ids = std::vector<int32_t>;
constexpr int32_t kPadding = 0, kStart = 1, kEnd = 2;
constexpr int32_t kIgnored = -100;  // a target that is none

/// Sentences of a batch and their translations, without start and end.
struct Pair {
    Ids source, target;
};

/// The same side by side. S: the longest source and its end; T: the longest target and its end.
struct Batch {
    Tensor source;  // [B, S], i32: each source, kEnd, then kPadding
    Ids lengths;    // [B]: of the sources, their ends counted
    Tensor x;       // [B, T], i32: what the decoder reads: kStart, the target, then kPadding
    Tensor y;       // [B, T], i32: what it is to say: the target, kEnd, then kIgnored
};

/// Task 1. Pairs as a batch. At each place the decoder is to say what it reads one step later.
inline Batch make_batch(const std::vector<Pair>& pairs) {
    size_t longest_source = 0, longest_target = 0;
    for (const Pair& pair : pairs) {
        longest_source = std::max(longest_source, pair.source.size() + 1);
        longest_target = std::max(longest_target, pair.target.size() + 1);
    }
    const auto B = static_cast<int64_t>(pairs.size()), S = static_cast<int64_t>(longest_source),
               T = static_cast<int64_t>(longest_target);
    Batch batch{Tensor::full({B, S}, kPadding, Dtype::i32),
                {},
                Tensor::full({B, T}, kPadding, Dtype::i32),
                Tensor::full({B, T}, kIgnored, Dtype::i32)};
    for (int64_t b = 0; b < B; ++b) {
        const auto& [source, target] = pairs[static_cast<size_t>(b)];
        const auto n = static_cast<int64_t>(source.size()), m = static_cast<int64_t>(target.size());
        batch.lengths.push_back(static_cast<int32_t>(n + 1));
        for (int64_t i = 0; i < n; ++i) batch.source.set(b * S + i, source[static_cast<size_t>(i)]);
        batch.source.set(b * S + n, kEnd);
        batch.x.set(b * T, kStart);
        for (int64_t i = 0; i < m; ++i) {
            batch.x.set(b * T + i + 1, target[static_cast<size_t>(i)]);
            batch.y.set(b * T + i, target[static_cast<size_t>(i)]);
        }
        batch.y.set(b * T + m, kEnd);
    }
    return batch;
}

/// A step of a recurrent network, whichever: x [B, E] and the state h [B, H] give the next state.
using Cell = std::function<Tensor(const Tensor& x, const Tensor& h)>;

/// Task 2. The encoder reads each source from its first token to its own last one, from the state
/// h0 [B, H] on: the states in which it ends, [B, H]. `table` [V, E] has the tokens' embeddings. What
/// stands in a row after its length must not change its state. Recorded where a tape is open.
inline Tensor encode(const Cell& cell, const Tensor& table, const Tensor& h0, const Tensor& source,
                     const Ids& lengths) {
    const int64_t B = source.size(0), E = table.size(1);
    const Tensor embedded = embedding(table, source);  // [B, S, E]
    Tensor h = h0;
    for (int64_t t = 0; t < source.size(1); ++t) {
        Tensor inside = Tensor::empty({B, 1}, h.dtype());
        for (int64_t b = 0; b < B; ++b) inside.set(b, t < lengths[static_cast<size_t>(b)]);
        h = where(inside, cell(reshape(slice(embedded, 1, t, t + 1), {B, E}), h), h);
    }
    return h;
}

/// A decoder: from the state h the logits of the next token are head(h), [B, V].
struct Decoder {
    Tensor table;  // [V, E]
    Cell cell;
    std::function<Tensor(const Tensor& h)> head;
};

/// Task 3. The loss under teacher forcing. From the state h0 [B, H] the decoder reads x [B, T], a
/// column a step, and after each is to say that of y: the mean of -ln p over all places where y is not
/// kIgnored, a scalar. Recorded where a tape is open.
inline Tensor decoder_loss(const Decoder& decoder, const Tensor& h0, const Tensor& x,
                           const Tensor& y) {
    const int64_t B = x.size(0), T = x.size(1), E = decoder.table.size(1);
    const Tensor embedded = embedding(decoder.table, x);  // [B, T, E]
    Tensor h = h0;
    std::vector<Tensor> losses;
    for (int64_t t = 0; t < T; ++t) {
        h = decoder.cell(reshape(slice(embedded, 1, t, t + 1), {B, E}), h);
        const Tensor log_p = log_softmax(decoder.head(h));  // [B, V]
        for (int64_t b = 0; b < B; ++b) {
            const auto target = static_cast<int64_t>(y.at(b * T + t));
            if (target == kIgnored) continue;
            losses.push_back(sum(slice(slice(log_p, 0, b, b + 1), 1, target, target + 1)));
        }
    }
    return -mean(stack(losses, 0));
}

/// Task 4. Scheduled sampling: what the decoder reads next, [B] (i32). Row by row, with probability
/// `own_share`, it is the token that the logits [B, V] of the step before make most probable, else the
/// true one. One number of the generator a row.
inline Tensor next_input(const Tensor& truth, const Tensor& logits, double own_share, Rng& rng) {
    const Tensor own = argmax(logits);  // [B]
    Tensor next = Tensor::empty(truth.shape(), Dtype::i32);
    for (int64_t b = 0; b < truth.size(); ++b)
        next.set(b, rng.uniform() < own_share ? own.at(b) : truth.at(b));
    return next;
}

/// What a model says of the next token, given those before it (kStart left out): ln p of each token of
/// the vocabulary.
using Next = std::function<std::vector<double>(const Ids& before)>;

/// Task 5. Greedy decoding: the most probable token after the most probable token, of equal ones the
/// first, until kEnd or until there are max_length of them. The result has no kEnd.
inline Ids greedy(const Next& next, int64_t max_length) {
    Ids said;
    while (static_cast<int64_t>(said.size()) < max_length) {
        const std::vector<double> log_p = next(said);
        const auto best = std::max_element(log_p.begin(), log_p.end()) - log_p.begin();
        if (best == kEnd) break;
        said.push_back(static_cast<int32_t>(best));
    }
    return said;
}

struct Hypothesis {
    Ids tokens;        // without kEnd
    double log_p = 0;  // of all of them, and of kEnd where it has ended
};
struct Beam {
    std::vector<Hypothesis> open{{}};  // at first: nothing said
    std::vector<Hypothesis> ended;
};

/// Task 6. One step of beam search. Every open hypothesis is continued with every token; of all these
/// the `width` most probable are kept. One that was continued with kEnd has ended, the others are the
/// open ones now, most probable first. What had ended before stays.
inline Beam beam_step(const Next& next, const Beam& beam, int64_t width) {
    std::vector<Hypothesis> all;
    for (const Hypothesis& open : beam.open) {
        const std::vector<double> log_p = next(open.tokens);
        for (size_t token = 0; token < log_p.size(); ++token) {
            all.push_back({open.tokens, open.log_p + log_p[token]});
            all.back().tokens.push_back(static_cast<int32_t>(token));
        }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.log_p > b.log_p; });
    all.resize(std::min(all.size(), static_cast<size_t>(width)));
    Beam after{{}, beam.ended};
    for (Hypothesis& hypothesis : all) {
        if (hypothesis.tokens.back() != kEnd) {
            after.open.push_back(hypothesis);
            continue;
        }
        hypothesis.tokens.pop_back();
        after.ended.push_back(hypothesis);
    }
    return after;
}

/// The other half of task 6. The best of those that have ended, which is the one with the highest
/// log_p / ((5 + n) / 6)^alpha, n its tokens and its end (Wu et al. 2016, equation 14); of equal ones
/// the first.
inline Hypothesis best_of(const std::vector<Hypothesis>& ended, double alpha) {
    const auto score = [&](const Hypothesis& h) {
        return h.log_p / std::pow((6 + static_cast<double>(h.tokens.size())) / 6, alpha);
    };
    return *std::max_element(
        ended.begin(), ended.end(),
        [&](const Hypothesis& a, const Hypothesis& b) { return score(a) < score(b); });
}

/// Task 7. The error rate of what was said, in tokens: over all of it, how many tokens have to be put
/// in, taken out or replaced, at the least, for each token that there should be.
inline double error_rate(const std::vector<Ids>& said, const std::vector<Ids>& right) {
    int64_t errors = 0, tokens = 0;
    for (size_t s = 0; s < said.size(); ++s) {
        const Ids &a = said[s], &b = right[s];
        std::vector<std::vector<int64_t>> d(a.size() + 1, std::vector<int64_t>(b.size() + 1));
        for (size_t i = 0; i <= a.size(); ++i) {
            for (size_t j = 0; j <= b.size(); ++j) {
                if (i == 0 || j == 0) {
                    d[i][j] = static_cast<int64_t>(i + j);
                    continue;
                }
                d[i][j] = std::min(
                    {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            }
        }
        errors += d[a.size()][b.size()];
        tokens += static_cast<int64_t>(b.size());
    }
    return static_cast<double>(errors) / static_cast<double>(tokens);
}

/// Task 8. BLEU of a corpus, 0 ... 100 (Papineni et al. 2002): 100 BP exp(¼ Σ_n ln p_n) for n = 1 ... 4.
/// p_n: n-grams of what was said that are also in the sentence's right translation, each counted as
/// often as there at most, over all n-grams of what was said; sums over the corpus, then the quotient.
/// BP = min(1, e^(1 - r/c)), c tokens said, r tokens that are right. 0 where some p_n is 0 or has no
/// n-grams.
inline double bleu(const std::vector<Ids>& said, const std::vector<Ids>& right) {
    double score = 0, c = 0, r = 0;
    for (size_t s = 0; s < said.size(); ++s) {
        c += static_cast<double>(said[s].size());
        r += static_cast<double>(right[s].size());
    }
    const auto count = [](const Ids& ids, size_t n) {
        std::map<Ids, int64_t> counts;
        for (size_t i = 0; i + n <= ids.size(); ++i) {
            const auto first = ids.begin() + static_cast<std::ptrdiff_t>(i);
            ++counts[Ids(first, first + static_cast<std::ptrdiff_t>(n))];
        }
        return counts;
    };
    for (size_t n = 1; n <= 4; ++n) {
        int64_t matches = 0, total = 0;
        for (size_t s = 0; s < said.size(); ++s) {
            auto there = count(right[s], n);
            for (const auto& [ngram, times] : count(said[s], n)) {
                matches += std::min(times, there[ngram]);
                total += times;
            }
        }
        if (matches == 0) return 0;
        score += std::log(static_cast<double>(matches) / static_cast<double>(total)) / 4;
    }
    return 100 * std::min(1.0, std::exp(1 - r / c)) * std::exp(score);
}

}  // namespace gradus::exercise
