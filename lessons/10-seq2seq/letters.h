// Spelling to sound by counting: what each letter stands for, decided by the widest context seen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "lessons/translation.h"

namespace gradus::lesson10 {

using lesson::Ids;

// A letter gives no phoneme, one or two: a *chunk*. Which letter gave which is learned by expectation-
// maximisation over all monotone alignments of a word, from p(chunk | letter) alone; then each letter's
// chunk is counted in its context of up to three letters to either side (Black, Lenzo and Pagel 1998
// align so, and learn a tree where we back off).
// n letters · m phonemes of a word · i, j how many of them are done · k phonemes of a chunk
class LetterRules {
public:
    explicit LetterRules(const lesson::Pairs& pairs, int passes = 6)
        : phonemes_(pairs.vocab.target().size()) {
        check(pairs.vocab.source().size() < 256, "letter rules",
              "{} letters; fewer than 256 expected", pairs.vocab.source().size());
        begin(pairs.vocab.source().size());
        for (int pass = 0; pass < passes; ++pass) learn_chunks(pairs.train);
        count_contexts(pairs.train);
    }

    // What the letters, without the end, sound like.
    Ids say(std::span<const int32_t> letters) const {
        Ids said;
        for (size_t i = 0; i < letters.size(); ++i) {
            const int32_t chunk = decide(letters, i);
            if (chunk >= phonemes_) said.push_back(static_cast<int32_t>(chunk / phonemes_));
            if (chunk > 0) said.push_back(static_cast<int32_t>(chunk % phonemes_));
        }
        return said;
    }

private:
    struct Rule {
        uint64_t context;
        int32_t chunk;
    };
    using Span = std::span<const int32_t>;
    using Grid = std::vector<std::vector<double>>;  // [n + 1][m + 1]
    // Letters before and after, widest first. What follows tells more than what went before.
    static constexpr std::pair<int, int> kContexts[] = {{3, 3}, {2, 3}, {2, 2}, {1, 2},
                                                        {1, 1}, {0, 1}, {0, 0}};

    // A chunk as one number: 0, p, or p V + q; ids of phonemes are above 0.
    int32_t chunk_of(Span phonemes) const {
        int64_t chunk = 0;
        for (const int32_t phoneme : phonemes) chunk = chunk * phonemes_ + phoneme;
        return static_cast<int32_t>(chunk);
    }
    size_t place(int32_t letter, int32_t chunk) const {  // in t_
        return static_cast<size_t>(letter * phonemes_ * phonemes_ + chunk);
    }

    // A letter begins with a liking for one phoneme.
    void begin(int64_t letters) {
        t_.assign(static_cast<size_t>(letters * phonemes_ * phonemes_), 0.01);
        for (int32_t letter = 0; letter < letters; ++letter)
            for (int32_t chunk = 0; chunk < phonemes_; ++chunk)
                t_[place(letter, chunk)] = chunk == 0 ? 0.1 : 1;
    }

    // f(i, j, k, chunk) for each step of each alignment: letter i gives the k phonemes from j on.
    template <class F>
    void each_step(Span letters, Span phonemes, F&& f) const {
        for (size_t i = 0; i < letters.size(); ++i)
            for (size_t j = 0; j <= phonemes.size(); ++j)
                for (size_t k = 0; k <= std::min<size_t>(2, phonemes.size() - j); ++k)
                    f(i, j, k, chunk_of(phonemes.subspan(j, k)));
    }

    static Span letters_of(const data::PairIds& pair) {
        return Span(pair.source).first(pair.source.size() - 1);
    }
    static Span phonemes_of(const data::PairIds& pair) {
        return Span(pair.target).subspan(1, pair.target.size() - 2);
    }
    static Grid grid(Span letters, Span phonemes) {
        return Grid(letters.size() + 1, std::vector<double>(phonemes.size() + 1));
    }

    // One pass of expectation-maximisation, forwards and backwards over the grid of (i, j).
    void learn_chunks(const std::vector<data::PairIds>& pairs) {
        std::vector<double> counts(t_.size(), 1e-9);
        for (const data::PairIds& pair : pairs) {
            const Span letters = letters_of(pair), phonemes = phonemes_of(pair);
            const size_t n = letters.size(), m = phonemes.size();
            Grid before = grid(letters, phonemes), after = before;  // sums over the ways there
            before[0][0] = after[n][m] = 1;
            each_step(letters, phonemes, [&](size_t i, size_t j, size_t k, int32_t chunk) {
                before[i + 1][j + k] += before[i][j] * t_[place(letters[i], chunk)];
            });
            if (before[n][m] == 0) continue;  // more than two phonemes a letter: "w"
            for (size_t i = n; i-- > 0;)
                for (size_t j = 0; j <= m; ++j)
                    for (size_t k = 0; k <= std::min<size_t>(2, m - j); ++k)
                        after[i][j] += after[i + 1][j + k] *
                                       t_[place(letters[i], chunk_of(phonemes.subspan(j, k)))];
            each_step(letters, phonemes, [&](size_t i, size_t j, size_t k, int32_t chunk) {
                counts[place(letters[i], chunk)] += before[i][j] * t_[place(letters[i], chunk)] *
                                                    after[i + 1][j + k] / before[n][m];
            });
        }
        const auto row = static_cast<std::ptrdiff_t>(phonemes_ * phonemes_);
        for (auto at = counts.begin(); at != counts.end(); at += row) {
            double total = 0;
            for (auto c = at; c != at + row; ++c) total += *c;
            for (auto c = at; c != at + row; ++c) *c /= total;
        }
        t_ = std::move(counts);
    }

    // The chunk of each letter in the most probable alignment; none where there is no alignment. "tt" may
    // give its T first or last with the same probability: first, whatever rounding says.
    Ids align(Span letters, Span phonemes) const {
        const size_t n = letters.size(), m = phonemes.size();
        Grid best = grid(letters, phonemes);
        std::vector<std::vector<size_t>> sizes(n + 1, std::vector<size_t>(m + 1));  // the last k
        best[0][0] = 1;
        each_step(letters, phonemes, [&](size_t i, size_t j, size_t k, int32_t chunk) {
            const double p = best[i][j] * t_[place(letters[i], chunk)];
            if (p == 0 || p < best[i + 1][j + k] * (1 - 1e-9)) return;
            best[i + 1][j + k] = p;
            sizes[i + 1][j + k] = k;
        });
        Ids chunks;
        if (best[n][m] == 0) return chunks;
        for (size_t i = n, j = m; i > 0; --i) {
            const size_t k = sizes[i][j];
            chunks.insert(chunks.begin(), chunk_of(phonemes.subspan(j - k, k)));
            j -= k;
        }
        return chunks;
    }

    // The letters from `left` before place i to `right` after it, a byte each; 0 is outside.
    static uint64_t context(Span letters, size_t i, std::pair<int, int> reach) {
        uint64_t key = 0;
        for (int at = -reach.first; at <= reach.second; ++at) {
            const int64_t there = static_cast<int64_t>(i) + at;
            const bool inside = there >= 0 && there < static_cast<int64_t>(letters.size());
            key =
                key << 8 | static_cast<uint64_t>(inside ? letters[static_cast<size_t>(there)] : 0);
        }
        return key;
    }

    // For each kind of context the most frequent chunk, of equal ones the smallest.
    void count_contexts(const std::vector<data::PairIds>& pairs) {
        std::vector<Ids> aligned;
        for (const data::PairIds& pair : pairs)
            aligned.push_back(align(letters_of(pair), phonemes_of(pair)));
        for (const auto& reach : kContexts) {
            std::vector<std::pair<uint64_t, int32_t>> seen;
            for (size_t w = 0; w < pairs.size(); ++w)
                for (size_t i = 0; i < aligned[w].size(); ++i)
                    seen.emplace_back(context(letters_of(pairs[w]), i, reach), aligned[w][i]);
            std::ranges::sort(seen);
            auto& rules = rules_.emplace_back();
            size_t most = 0;
            for (size_t first = 0, last = 0; first < seen.size(); first = last) {
                while (last < seen.size() && seen[last] == seen[first]) ++last;
                const auto [key, chunk] = seen[first];
                const bool anew = rules.empty() || rules.back().context != key;
                if (anew) rules.push_back({key, chunk});
                if (!anew && last - first <= most) continue;
                rules.back().chunk = chunk;
                most = last - first;
            }
        }
    }

    int32_t decide(Span letters, size_t i) const {
        for (size_t c = 0; c < rules_.size(); ++c) {
            const uint64_t key = context(letters, i, kContexts[c]);
            const auto found = std::ranges::lower_bound(rules_[c], key, {}, &Rule::context);
            if (found != rules_[c].end() && found->context == key) return found->chunk;
        }
        return 0;  // a letter that was never seen
    }

    int64_t phonemes_;                      // V, of the target vocabulary
    std::vector<double> t_;                 // p(chunk | letter), [letters, V²]
    std::vector<std::vector<Rule>> rules_;  // of each kind of context, in the order of contexts
};

// The same for many words.
inline std::vector<Ids> say_by_rules(const LetterRules& rules,
                                     const std::vector<data::PairIds>& asked) {
    std::vector<Ids> said;
    for (const data::PairIds& pair : asked)
        said.push_back(rules.say(std::span(pair.source).first(pair.source.size() - 1)));
    return said;
}

}  // namespace gradus::lesson10
