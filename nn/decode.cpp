#include "nn/decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>

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
}

// Keeps the most probable tokens of a row (of equal ones the first) as the options say; the others
// get probability 0. p need not sum to 1 before, and does not after.
void cut(std::vector<double>& p, const SamplingOptions& options) {
    std::vector<size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
    size_t kept = order.size();
    if (options.top_k > 0) kept = std::min(kept, static_cast<size_t>(options.top_k));
    if (options.top_p < 1) {
        double total = 0, reached = 0;
        for (size_t i = 0; i < kept; ++i) total += p[order[i]];
        size_t i = 0;
        while (i < kept && reached < options.top_p * total) reached += p[order[i++]];
        kept = i;
    }
    for (size_t i = kept; i < order.size(); ++i) p[order[i]] = 0;
}

// One row: softmax(x / temperature), cut, to sum 1. False where a logit is not finite.
template <class T>
bool distribution(const T* x, int64_t n, const SamplingOptions& options, T* y) {
    if (!std::all_of(x, x + n, [](T value) { return std::isfinite(value); })) return false;
    const int64_t top = std::max_element(x, x + n) - x;  // of equal ones the first
    if (options.temperature == 0) {
        std::fill_n(y, n, T(0));
        y[top] = 1;
        return true;
    }
    std::vector<double> p(static_cast<size_t>(n));
    std::transform(x, x + n, p.begin(), [&](T value) {
        return std::exp((static_cast<double>(value) - static_cast<double>(x[top])) /
                        options.temperature);
    });
    if (options.top_k > 0 || options.top_p < 1) cut(p, options);
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    std::transform(p.begin(), p.end(), y,
                   [&](double value) { return static_cast<T>(value / sum); });
    return true;
}

}  // namespace

Tensor sampling_distribution(const Tensor& logits, const SamplingOptions& options) {
    check_options(options);
    check(logits.rank() == 2 && logits.size(1) > 0, "sample",
          "logits have shape {}; [rows, vocabulary] expected", logits.shape());
    const int64_t rows = logits.size(0), n = logits.size(1);
    Tensor y = Tensor::empty(logits.shape(), logits.dtype());
    std::vector<char> finite(static_cast<size_t>(rows));
    dispatch("sample", logits.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* x = logits.data<T>();
        T* p = y.data<T>();
        parallel_rows(rows, n, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i)
                finite[static_cast<size_t>(i)] = distribution(x + i * n, n, options, p + i * n);
        });
    });
    const auto bad = std::find(finite.begin(), finite.end(), 0) - finite.begin();
    check(bad == rows, "sample",
          "row {} of the logits has a number that is not finite. Did the training diverge? A lower "
          "learning rate or clipping may help",
          bad);
    return y;
}

Tensor sample(const Tensor& logits, const SamplingOptions& options, Rng& rng) {
    const Tensor p = sampling_distribution(logits, options);  // [B, V]
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

}  // namespace gradus::nn
