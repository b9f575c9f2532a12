// Greedy choice and beam search, which know no model, only its steps.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/ops.h"
#include "autograd/parallel.h"
#include "nn/decode.h"

namespace gradus::nn {
namespace {

// What greedy() and beam_search() both ask for.
void check_search(const char* what, int64_t batch, int32_t end, int64_t max_length) {
    check(batch >= 1, what, "the batch is {}; one sentence or more expected", batch);
    check(end >= 0, what, "the end token is {}; an id of the vocabulary expected", end);
    check(max_length >= 1, what, "max_length is {}; one token or more expected", max_length);
}

void check_logits(const char* what, const Tensor& logits, int64_t rows, int32_t end) {
    check(logits.rank() == 2 && logits.size(0) == rows, what,
          "the model's step gave {} for {} tokens; [rows, vocabulary] expected", logits.shape(),
          rows);
    check(end < logits.size(1), what, "the end token is {}, but the model knows {} tokens", end,
          logits.size(1));
}

[[noreturn]] void fail_row(const char* what, int64_t row) {
    fail(what, fmt::format("row {} of the logits has NaN or infinity, or nothing but minus "
                           "infinity. Did the training diverge?",
                           row));
}

Tensor ids(const std::vector<int32_t>& values) { return Tensor::from<int32_t>(values); }

// Tells the model which of its rows stay, unless all stay as they are.
void keep_rows(StepModel& model, const std::vector<int32_t>& rows, int64_t before) {
    bool same = static_cast<int64_t>(rows.size()) == before;
    for (size_t i = 0; i < rows.size(); ++i) same = same && rows[i] == static_cast<int32_t>(i);
    if (!same && !rows.empty()) model.reorder(ids(rows));
}

}  // namespace

std::vector<std::vector<int32_t>> greedy(StepModel& model, int64_t batch,
                                         const GreedyOptions& options) {
    check_search("greedy", batch, options.end, options.max_length);
    std::vector<std::vector<int32_t>> results(static_cast<size_t>(batch));
    std::vector<size_t> sentences(results.size());  // of the rows that still go on
    std::iota(sentences.begin(), sentences.end(), size_t{0});
    std::vector<int32_t> tokens(results.size(), options.start), rows;
    for (int64_t length = 0; length < options.max_length && !sentences.empty(); ++length) {
        const Tensor logits = model.step(ids(tokens));  // [R, V]
        check_logits("greedy", logits, static_cast<int64_t>(tokens.size()), options.end);
        const int64_t n = logits.size(1);
        rows.clear();
        dispatch("greedy", logits.dtype(), [&](auto zero) {
            using T = decltype(zero);
            for (size_t r = 0; r < sentences.size(); ++r) {
                const T* x = logits.data<T>() + static_cast<int64_t>(r) * n;
                int64_t top = 0;
                bool number = true;
                for (int64_t i = 0; i < n; ++i) {
                    number = number && !std::isnan(x[i]);
                    if (x[i] > x[top]) top = i;
                }
                if (!number || std::isinf(x[top])) fail_row("greedy", static_cast<int64_t>(r));
                if (top == options.end) continue;
                // Rows that go on move up: no entry is overwritten before it was read.
                const size_t to = rows.size();
                sentences[to] = sentences[r];
                tokens[to] = static_cast<int32_t>(top);
                results[sentences[r]].push_back(tokens[to]);
                rows.push_back(static_cast<int32_t>(r));
            }
        });
        const auto before = static_cast<int64_t>(tokens.size());
        tokens.resize(rows.size());
        sentences.resize(rows.size());
        if (length + 1 < options.max_length) keep_rows(model, rows, before);
    }
    return results;
}

namespace {

// A token that may come next, by its logit.
struct Choice {
    double logit;
    int32_t token;
};

// The k most probable tokens of a row, best first; of equal ones the first.
template <class T>
void best_of_row(const T* x, int64_t n, Choice* top, int64_t k) {
    // Puts token i at its place among `kept` better and worse ones; the worst may fall out.
    const auto insert = [&](int64_t i, int64_t kept) {
        int64_t place = kept;
        const auto logit = static_cast<double>(x[i]);
        for (; place > 0 && top[place - 1].logit < logit; --place)
            if (place < k) top[place] = top[place - 1];
        top[place] = {logit, static_cast<int32_t>(i)};
    };
    for (int64_t i = 0; i < k; ++i) insert(i, i);
    T worst = static_cast<T>(top[k - 1].logit);
    // Most tokens are worse than the k best so far; blocks of them are passed by with one comparison.
    constexpr int64_t kBlock = 64;
    for (int64_t begin = k; begin < n; begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, n);
        T best = x[begin];
#pragma omp simd reduction(max : best)
        for (int64_t i = begin; i < end; ++i) best = x[i] > best ? x[i] : best;
        if (!(best > worst)) continue;
        for (int64_t i = begin; i < end; ++i) {
            if (!(x[i] > worst)) continue;
            insert(i, k);
            worst = static_cast<T>(top[k - 1].logit);
        }
    }
}

class BeamSearch {
public:
    BeamSearch(StepModel& model, int64_t batch, const BeamOptions& options)
        : model_(model), options_(options), results_(static_cast<size_t>(batch)) {
        for (size_t s = 0; s < results_.size(); ++s) {
            sentences_.push_back({s, 1});
            open_.push_back({0, -1});
        }
        tokens_.assign(results_.size(), options.start);
    }

    std::vector<std::vector<Hypothesis>> run() {
        for (int64_t length = 1; !sentences_.empty(); ++length) {
            rank(model_.step(ids(tokens_)));
            advance(length);
        }
        return std::move(results_);
    }

private:
    // An open hypothesis is a row of the batch; its tokens are a path to the root of a tree.
    struct Open {
        double log_probability;
        int32_t node;
    };
    struct Node {
        int32_t parent, token;
    };
    struct Sentence {
        size_t index;  // in the batch that was asked for
        int64_t rows;  // its open hypotheses, which lie side by side
    };
    struct Candidate {
        double log_probability;
        int32_t row, token;
    };

    // For each row: log Σ exp(logits), and the most probable tokens. Twice the width is enough: of a
    // sentence's best 2 width candidates at most `width` are ends, one a row.
    void rank(const Tensor& logits) {  // [R, V]
        const auto rows = static_cast<int64_t>(open_.size());
        check_logits("beam_search", logits, rows, options_.end);
        const int64_t n = logits.size(1);
        kept_ = std::min(2 * options_.width, n);
        choices_.resize(static_cast<size_t>(rows * kept_));
        ends_.resize(static_cast<size_t>(rows));
        normalisers_ = logsumexp(logits, 1);  // [R]
        for (int64_t r = 0; r < rows; ++r)
            if (!std::isfinite(normalisers_.at(r))) fail_row("beam_search", r);
        dispatch("beam_search", logits.dtype(), [&](auto zero) {
            using T = decltype(zero);
            const T* x = logits.data<T>();
            parallel_rows(rows, n, [&](int64_t begin, int64_t end) {
                for (int64_t r = begin; r < end; ++r) {
                    best_of_row(x + r * n, n, &choices_[static_cast<size_t>(r * kept_)], kept_);
                    ends_[static_cast<size_t>(r)] = static_cast<double>(x[r * n + options_.end]);
                }
            });
        });
    }

    // Every sentence chooses among its candidates; the model's rows follow.
    void advance(int64_t length) {
        next_.clear();
        next_tokens_.clear();
        rows_.clear();
        size_t first = 0, staying = 0;
        for (const Sentence sentence : sentences_) {
            const auto rows = static_cast<size_t>(sentence.rows);
            const size_t opened = next_.size();
            gather(first, first + rows, length > options_.max_length);
            choose(results_[sentence.index], length);
            first += rows;
            if (is_done(results_[sentence.index], opened)) {
                next_.resize(opened);
                next_tokens_.resize(opened);
                rows_.resize(opened);
                finish(sentence.index);
            } else {
                sentences_[staying++] = {sentence.index,
                                         static_cast<int64_t>(next_.size() - opened)};
            }
        }
        sentences_.resize(staying);
        keep_rows(model_, rows_, static_cast<int64_t>(open_.size()));
        std::swap(open_, next_);
        std::swap(tokens_, next_tokens_);
    }

    // Fills candidates_ with the best continuations of rows begin ... end-1, best first; of equal
    // ones that of the first row, then the first token. At the last step all end.
    void gather(size_t begin, size_t end, bool last) {
        candidates_.clear();
        for (size_t r = begin; r < end; ++r) {
            const double before =
                open_[r].log_probability - normalisers_.at(static_cast<int64_t>(r));
            const auto add = [&](double logit, int32_t token) {
                if (logit > -std::numeric_limits<double>::infinity())
                    candidates_.push_back({before + logit, static_cast<int32_t>(r), token});
            };
            if (last) {
                add(ends_[r], options_.end);
                continue;
            }
            const Choice* choices = &choices_[r * static_cast<size_t>(kept_)];
            for (int64_t i = 0; i < kept_; ++i) add(choices[i].logit, choices[i].token);
        }
        const size_t most = std::min(candidates_.size(), static_cast<size_t>(2 * options_.width));
        const auto better = [](const Candidate& a, const Candidate& b) {
            if (a.log_probability != b.log_probability)
                return a.log_probability > b.log_probability;
            return a.row != b.row ? a.row < b.row : a.token < b.token;
        };
        std::partial_sort(candidates_.begin(),
                          candidates_.begin() + static_cast<std::ptrdiff_t>(most),
                          candidates_.end(), better);
        candidates_.resize(most);
    }

    // The best candidates become hypotheses that have ended, or open rows.
    void choose(std::vector<Hypothesis>& ended, int64_t length) {
        const auto width = static_cast<size_t>(options_.width);
        size_t opened = 0;
        for (size_t i = 0; i < candidates_.size() && opened < width; ++i) {
            const Candidate& c = candidates_[i];
            const int32_t parent = open_[static_cast<size_t>(c.row)].node;
            if (c.token == options_.end) {
                if (i < width)
                    ended.push_back(
                        {path(parent), c.log_probability, c.log_probability / penalty(length)});
                continue;
            }
            ++opened;
            next_.push_back({c.log_probability, static_cast<int32_t>(nodes_.size())});
            next_tokens_.push_back(c.token);
            rows_.push_back(c.row);
            nodes_.push_back({parent, c.token});
        }
    }

    // A probability only falls, and the longest hypothesis is divided by the largest penalty: that
    // bounds what the best open one, which stands first, can still reach.
    bool is_done(std::vector<Hypothesis>& ended, size_t first_open) {
        std::stable_sort(ended.begin(), ended.end(), [](const Hypothesis& a, const Hypothesis& b) {
            return a.score > b.score;
        });
        if (first_open == next_.size() || ended.size() >= static_cast<size_t>(options_.width))
            return true;
        const auto wanted = static_cast<size_t>(options_.n_best);
        return ended.size() >= wanted &&
               ended[wanted - 1].score >=
                   next_[first_open].log_probability / penalty(options_.max_length + 1);
    }

    void finish(size_t sentence) {
        std::vector<Hypothesis>& ended = results_[sentence];
        check(
            !ended.empty(), "beam_search",
            "sentence {}: every continuation within {} tokens has probability 0. Is the end token "
            "masked?",
            sentence, options_.max_length);
        if (ended.size() > static_cast<size_t>(options_.n_best))
            ended.resize(static_cast<size_t>(options_.n_best));
    }

    std::vector<int32_t> path(int32_t node) const {
        std::vector<int32_t> tokens;
        for (; node >= 0; node = nodes_[static_cast<size_t>(node)].parent)
            tokens.push_back(nodes_[static_cast<size_t>(node)].token);
        std::reverse(tokens.begin(), tokens.end());
        return tokens;
    }

    double penalty(int64_t length) const {
        return std::pow((5 + static_cast<double>(length)) / 6, options_.length_penalty);
    }

    StepModel& model_;
    const BeamOptions& options_;
    std::vector<std::vector<Hypothesis>> results_;
    std::vector<Sentence> sentences_;                   // those not done
    std::vector<Open> open_, next_;                     // [R]
    std::vector<int32_t> tokens_, next_tokens_, rows_;  // [R]
    std::vector<Node> nodes_;
    std::vector<Choice> choices_;        // [R, kept]
    std::vector<double> ends_;           // [R] the end token's logits
    std::vector<Candidate> candidates_;  // of one sentence
    Tensor normalisers_;                 // [R]
    int64_t kept_ = 0;
};

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(StepModel& model, int64_t batch,
                                                 const BeamOptions& options) {
    check_search("beam_search", batch, options.end, options.max_length);
    check(options.width >= 1, "beam_search", "width is {}; one hypothesis or more expected",
          options.width);
    check(options.n_best >= 1 && options.n_best <= options.width, "beam_search",
          "n_best is {}; 1 up to the width, {}, expected", options.n_best, options.width);
    check(options.length_penalty >= 0 && std::isfinite(options.length_penalty), "beam_search",
          "length_penalty is {}; 0 (none) or more expected", options.length_penalty);
    return BeamSearch(model, batch, options).run();
}

}  // namespace gradus::nn
