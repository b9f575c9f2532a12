// From distributions over tokens to tokens: sampling, greedy choice and beam search.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "autograd/random.h"

namespace gradus::nn {

struct SamplingOptions {
    double temperature = 1;  // logits are divided by it; 0 takes the most probable token
    int64_t top_k = 0;       // only the k most probable tokens; 0: all
    double top_p = 1;  // only the most probable tokens that together reach p (Holtzman et al. 2020)
    double repetition_penalty = 1;  // makes tokens that were seen before less probable; 1: not
};

/// A token for each row of logits [B, V] -> i32 [B]. The order is repetition penalty, temperature,
/// top-k, top-p, then one number of the generator a row. The penalty θ divides the logits of the
/// tokens `seen` before, i32 [B, n] (Keskar et al. 2019, section 4.1); those below 0, which would
/// rise by that, it multiplies. Throws Error for a temperature below 0, a negative k, a p outside
/// 0 < p <= 1, a penalty below 1 or one without `seen`, or logits that are not finite.
Tensor sample(const Tensor& logits, const SamplingOptions& options, Rng& rng,
              const Tensor& seen = {});

/// The distribution [B, V] that sample() draws from.
Tensor sampling_distribution(const Tensor& logits, const SamplingOptions& options,
                             const Tensor& seen = {});

/// A model that continues R rows of tokens, a step at a time. What it remembers of them, hidden
/// states or a cache, stays with it. Before the first step it has one row for each sentence.
///
///     Tensor step(const Tensor& tokens) override { return model.step(tokens, state); }
///     void reorder(const Tensor& rows) override { state = index_select(state, 0, rows); }
class StepModel {
public:
    virtual ~StepModel() = default;

    /// The tokens that come next, i32 [R] -> logits [R, V] of the ones after them. Minus infinity
    /// stands for never.
    virtual Tensor step(const Tensor& tokens) = 0;

    /// Several tokens of each row, i32 [R, T] -> logits [R, V] of the ones after the last: step()
    /// for one after the other, where a model knows no faster way.
    virtual Tensor read(const Tensor& ids);

    /// From here on row i continues what row rows[i] was; rows: i32 [R']. R' may be smaller or
    /// larger than R.
    virtual void reorder(const Tensor& rows) = 0;
};

/// Hears of each step's tokens, i32 [B], as soon as they are drawn; false ends the text there.
using TokenListener = std::function<bool(const Tensor& tokens)>;

/// `count` tokens after each row of prompts [B, P] (i32, at least one token each) -> [B, count], or
/// fewer where the listener has heard enough. Throws Error as sample() does.
Tensor generate(StepModel& model, const Tensor& prompts, int64_t count,
                const SamplingOptions& options, Rng& rng, const TokenListener& listener = {});

struct GreedyOptions {
    int32_t start = 0, end = 0;  // the token before the first, and the one after the last
    int64_t max_length = 0;      // of a result, in tokens; neither start nor end counts
};

/// The most probable token after the most probable token, of equal ones the first, for each of
/// `batch` sentences up to the end token. The results have neither start nor end. The model takes
/// up to max_length steps. Throws Error for options or logits that cannot be.
std::vector<std::vector<int32_t>> greedy(StepModel& model, int64_t batch,
                                         const GreedyOptions& options);

struct BeamOptions {
    int64_t width = 5;            // how many open hypotheses a sentence has
    double length_penalty = 0.6;  // alpha below; 0: none
    int64_t n_best = 1;           // how many of the finished ones are wanted, at most `width`
    int32_t start = 0, end = 0;   // as in GreedyOptions
    int64_t max_length = 0;       // as in GreedyOptions; whatever gets there is ended
};

struct Hypothesis {
    std::vector<int32_t> tokens;  // without start and end
    double log_probability = 0;   // of all tokens and the end, in nats
    double score = 0;             // log_probability / ((5 + n) / 6)^alpha, n counts tokens and end
};

/// The n best hypotheses of each of `batch` sentences, best first, of equal ones that which ended
/// first; fewer where there are no more. The score is that of Wu et al. 2016, eq. 14. A sentence is
/// done, and its rows leave the batch, when `width` hypotheses have ended or when no open one can
/// still come among the n best. Width 1 is greedy(). The model takes up to max_length + 1 steps.
/// Throws Error for options or logits that cannot be, and for a sentence of which every
/// continuation has probability 0.
std::vector<std::vector<Hypothesis>> beam_search(StepModel& model, int64_t batch,
                                                 const BeamOptions& options);

}  // namespace gradus::nn
