#include "nn/decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "autograd/parallel.h"

namespace gradus::nn {
namespace {

void check_options(const SamplingOptions& options) {
    check(options.temperature >= 0 && std::isfinite(options.temperature), "sample",
          "temperature is {}; 0 (the most probable token) or more expected", options.temperature);
    check(options.top_k >= 0, "sample",
          "top_k is {}; a number of tokens expected, or 0 for all of them", options.top_k);
    check(options.top_p > 0 && options.top_p <= 1, "sample",
          "top_p is {}; a probability above 0 and up to 1 (all tokens) expected", options.top_p);
    check(options.repetition_penalty >= 1 && std::isfinite(options.repetition_penalty), "sample",
          "repetition_penalty is {}; 1 (none) or more expected", options.repetition_penalty);
}

// The tokens that each row has seen; none where it does not matter.
std::vector<std::span<const int32_t>> seen_by_row(const Tensor& logits,
                                                  const SamplingOptions& options,
                                                  const Tensor& seen) {
    std::vector<std::span<const int32_t>> rows(static_cast<size_t>(logits.size(0)));
    if (options.repetition_penalty == 1) return rows;
    check(seen.defined(), "sample",
          "a repetition penalty of {}, and no tokens that have been seen; give them as `seen`",
          options.repetition_penalty);
    check(seen.rank() == 2 && seen.size(0) == logits.size(0), "sample",
          "logits have shape {}, the tokens seen {}; a row for each row expected", logits.shape(),
          seen.shape());
    const auto tokens = seen.values<int32_t>();
    for (const int32_t token : tokens)
        check(token >= 0 && token < logits.size(1), "sample",
              "token {} is among those seen, but the logits are of {} tokens", token,
              logits.size(1));
    const auto count = static_cast<size_t>(seen.size(1));
    for (size_t r = 0; r < rows.size(); ++r) rows[r] = tokens.subspan(r * count, count);
    return rows;
}

// The logits of a row as they are weighed: those of tokens seen before are made smaller. False
// where one is not finite.
template <class T>
bool weigh(const T* x, std::span<const int32_t> seen, double penalty, std::vector<double>& z) {
    std::copy_n(x, z.size(), z.begin());
    for (const int32_t token : seen) {
        const auto logit = static_cast<double>(x[token]);
        z[static_cast<size_t>(token)] = logit > 0 ? logit / penalty : logit * penalty;
    }
    return std::all_of(x, x + z.size(), [](T value) { return std::isfinite(value); });
}

// Keeps the most probable tokens of a row (of equal ones the first) as the options say; the others
// get probability 0. p need not sum to 1 before, and does not after.
void cut(std::vector<double>& p, const SamplingOptions& options) {
    const auto better = [&](size_t a, size_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); };
    const auto worse = [&](size_t a, size_t b) { return better(b, a); };
    std::vector<size_t> kept(p.size());
    std::iota(kept.begin(), kept.end(), 0);
    if (options.top_k > 0 && options.top_k < static_cast<int64_t>(p.size())) {
        std::nth_element(kept.begin(), kept.begin() + options.top_k, kept.end(), better);
        kept.resize(static_cast<size_t>(options.top_k));
    }
    if (options.top_p < 1) {
        // A heap: of a whole vocabulary only the few best are put in order.
        double total = 0, reached = 0;
        for (const size_t i : kept) total += p[i];
        std::make_heap(kept.begin(), kept.end(), worse);
        auto rest = kept.end();
        while (rest != kept.begin() && reached < options.top_p * total) {
            std::pop_heap(kept.begin(), rest, worse);
            reached += p[*--rest];
        }
        kept.erase(kept.begin(), rest);
    }
    std::vector<double> result(p.size(), 0);
    for (const size_t i : kept) result[i] = p[i];
    p = std::move(result);
}

// One row of weighed logits: softmax(z / temperature), cut, to sum 1.
template <class T>
void distribution(std::vector<double>& z, const SamplingOptions& options, T* y) {
    const auto top = std::max_element(z.begin(), z.end());  // of equal ones the first
    if (options.temperature == 0) {
        std::fill_n(y, z.size(), T(0));
        y[top - z.begin()] = 1;
        return;
    }
    const double shift = *top;
    for (double& value : z) value = std::exp((value - shift) / options.temperature);
    if (options.top_k > 0 || options.top_p < 1) cut(z, options);
    const double sum = std::accumulate(z.begin(), z.end(), 0.0);
    std::transform(z.begin(), z.end(), y, [&](double p) { return static_cast<T>(p / sum); });
}

}  // namespace

Tensor sampling_distribution(const Tensor& logits, const SamplingOptions& options,
                             const Tensor& seen) {
    check_options(options);
    check(logits.rank() == 2 && logits.size(1) > 0, "sample",
          "logits have shape {}; [rows, vocabulary] expected", logits.shape());
    const int64_t rows = logits.size(0), n = logits.size(1);
    const auto seen_in_row = seen_by_row(logits, options, seen);
    Tensor y = Tensor::empty(logits.shape(), logits.dtype());
    std::vector<char> finite(static_cast<size_t>(rows));
    dispatch("sample", logits.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* x = logits.data<T>();
        T* p = y.data<T>();
        parallel_rows(rows, n, [&](int64_t begin, int64_t end) {
            std::vector<double> z(static_cast<size_t>(n));
            for (int64_t i = begin; i < end; ++i) {
                const auto row = static_cast<size_t>(i);
                finite[row] = weigh(x + i * n, seen_in_row[row], options.repetition_penalty, z);
                if (finite[row]) distribution(z, options, p + i * n);
            }
        });
    });
    const auto bad = std::find(finite.begin(), finite.end(), 0) - finite.begin();
    check(bad == rows, "sample",
          "row {} of the logits has a number that is not finite. Did the training diverge? A lower "
          "learning rate or clipping may help",
          bad);
    return y;
}

Tensor sample(const Tensor& logits, const SamplingOptions& options, Rng& rng, const Tensor& seen) {
    const Tensor p = sampling_distribution(logits, options, seen);  // [B, V]
    const int64_t rows = p.size(0), n = p.size(1);
    Tensor tokens = Tensor::empty({rows}, Dtype::i32);
    dispatch("sample", p.dtype(), [&](auto zero) {
        using T = decltype(zero);
        for (int64_t i = 0; i < rows; ++i) {
            const T* row = p.data<T>() + i * n;
            const double u = rng.uniform();
            double reached = 0;
            int64_t token = -1, last = 0;
            for (int64_t k = 0; k < n && token < 0; ++k) {
                if (row[k] > 0) last = k;
                reached += static_cast<double>(row[k]);
                if (u < reached) token = k;
            }
            // Rounding may leave the sum a little below 1: then the last possible token.
            tokens.data<int32_t>()[i] = static_cast<int32_t>(token < 0 ? last : token);
        }
    });
    return tokens;
}

Tensor StepModel::read(const Tensor& ids) {
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [R, T] with at least one step expected", ids.shape());
    const int64_t rows = ids.size(0), time = ids.size(1);
    Tensor logits;
    for (int64_t t = 0; t < time; ++t) {
        Tensor tokens = Tensor::empty({rows}, Dtype::i32);
        for (int64_t r = 0; r < rows; ++r)
            tokens.data<int32_t>()[r] = ids.data<int32_t>()[r * time + t];
        logits = step(tokens);
    }
    return logits;
}

Tensor generate(StepModel& model, const Tensor& prompts, int64_t count,
                const SamplingOptions& options, Rng& rng, const TokenListener& listener) {
    check(prompts.rank() == 2 && prompts.size(0) > 0 && prompts.size(1) > 0, "generate",
          "prompts have shape {}; [B, P] with at least one token to begin with expected",
          prompts.shape());
    check(count >= 0, "generate", "{} tokens; 0 or more expected", count);
    const auto rows = static_cast<size_t>(prompts.size(0)),
               begin = static_cast<size_t>(prompts.size(1));
    std::vector<std::vector<int32_t>> texts(rows);
    for (size_t r = 0; r < rows; ++r) {
        const auto prompt = prompts.values<int32_t>().subspan(r * begin, begin);
        texts[r].assign(prompt.begin(), prompt.end());
    }
    const auto from = [&](size_t first) {  // all texts from a position on
        const size_t length = texts[0].size() - first;
        Tensor part = Tensor::empty({prompts.size(0), static_cast<int64_t>(length)}, Dtype::i32);
        for (size_t r = 0; r < rows; ++r)
            std::copy_n(texts[r].data() + first, length, part.data<int32_t>() + r * length);
        return part;
    };
    Tensor tokens;
    for (int64_t step = 0; step < count; ++step) {
        const Tensor logits = step == 0 ? model.read(prompts) : model.step(tokens);
        const Tensor seen = options.repetition_penalty == 1 ? Tensor() : from(0);
        tokens = sample(logits, options, rng, seen);
        for (size_t r = 0; r < rows; ++r) texts[r].push_back(tokens.data<int32_t>()[r]);
        if (listener && !listener(tokens)) break;
    }
    return from(begin);
}

}  // namespace gradus::nn
