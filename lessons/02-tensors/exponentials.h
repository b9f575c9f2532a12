// Stage A of lesson 02: cross-entropy by hand, and where its exponentials break without the shift by the
// maximum.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "lessons/02-tensors/run.h"
#include "report/heatmap.h"
#include "report/plot.h"

namespace gradus::tensors_lesson {

inline void cross_entropy_by_hand(const Run& run) {
    const int64_t N = 6, C = 5;
    Rng rng(run.options.seed);
    Tensor z = rng.normal({N, C}, 0, 1.5, Dtype::f64).requires_grad();
    Tensor targets = Tensor::empty({N}, Dtype::i32), onehot = Tensor::zeros({N, C}, Dtype::f64);
    for (int64_t i = 0; i < N; ++i) {
        const int64_t target = rng.below(C);
        targets.set(i, static_cast<double>(target));
        onehot.set(i * C + target, 1);
    }
    double loss;  // the engine's
    {
        Tape tape;
        const Tensor y = softmax_cross_entropy(z, targets);
        tape.backward(y);
        loss = y.item();
    }
    const Tensor e = exp(z - max(z, -1, true));
    const Tensor p = e / sum(e, -1, true);
    const double by_hand = -sum(onehot * log(p)).item() / static_cast<double>(N);
    const Tensor gradient = (p - onehot) / static_cast<double>(N);
    run.results.section("A: cross-entropy by hand, largest difference from the engine");
    run.results.add("the loss", std::abs(by_hand - loss), lesson::at_most(1e-12));
    run.results.add("its gradient, (softmax − onehot) / N", max(abs(gradient - z.grad())).item(),
                    lesson::at_most(1e-12));
    run.results.add("a row of the gradient sums to", max(abs(sum(z.grad(), -1))).item(),
                    lesson::at_most(1e-12));

    const Tensor shown = p - onehot;
    std::vector<std::string> rows, columns;
    for (int64_t i = 0; i < N; ++i) rows.push_back(fmt::format("row {}", i + 1));
    for (int64_t c = 0; c < C; ++c) columns.push_back(fmt::format("{}", c));
    const auto numbers = shown.values<double>();
    report::Heatmap map("softmax(z) − onehot", numbers, static_cast<std::size_t>(C));
    map.labels(rows, columns).axes("example", "class").range(-1, 1).cell_size(34);
    run.page.heading("Cross-entropy by hand");
    run.figure(
        "softmax-gradient", map.svg(),
        "Six examples, five classes. Each row has one cell below 0, its target's; the others "
        "are the probabilities that the wrong classes got, and the row sums to 0. A descent "
        "step against it raises the target's logit and lowers the rest.");
}

constexpr int kTerms = 8;  // the logits are m, m − ¼, m − ½, ...: exact in float

// ln Σ e^x as it is written.
template <class T>
double unshifted(double m) {
    T sum = 0;
    for (int i = 0; i < kTerms; ++i) sum += std::exp(static_cast<T>(m - 0.25 * i));
    return static_cast<double>(std::log(sum));
}

template <class T>
double shifted(double m) {  // the engine's
    Tensor x = Tensor::empty({kTerms}, dtype_of<T>());
    for (int i = 0; i < kTerms; ++i) x.set(i, m - 0.25 * i);
    return logsumexp(x).item();
}

// What the sum adds to the largest logit, with more digits than a double has.
inline long double beyond_the_largest() {
    long double sum = 0;
    for (int i = 0; i < kTerms; ++i) sum += std::exp(-0.25L * i);
    return std::log(sum);
}

inline double relative_error(double received, double m) {
    const long double exact = m + beyond_the_largest();
    return static_cast<double>(std::abs(received - exact) / std::fmax(1.0L, std::abs(exact)));
}

// The largest logit at which ln Σ e^x stops being a number, between one that is fine and one that is not.
template <class T>
double breaking_point(double fine, double broken) {
    while (std::abs(broken - fine) > 1e-6) {
        const double middle = (fine + broken) / 2;
        (std::isfinite(unshifted<T>(middle)) ? fine : broken) = middle;
    }
    return fine;
}

inline void without_the_shift(const Run& run) {
    const auto extra = static_cast<double>(beyond_the_largest());
    run.results.section("A: ln Σ eˣ without the shift is no number");
    run.results.add("float, largest logit above", breaking_point<float>(0, 1000),
                    lesson::within(std::log(std::numeric_limits<float>::max()) - extra, 0.01));
    run.results.add("float, largest logit below", breaking_point<float>(0, -1000),
                    lesson::within(-150 * std::log(2), 0.01));
    run.results.add("double, largest logit above", breaking_point<double>(0, 1000),
                    lesson::within(std::log(std::numeric_limits<double>::max()) - extra, 0.01));
    run.results.add("double, largest logit below", breaking_point<double>(0, -1000),
                    lesson::within(-1075 * std::log(2), 0.01));
    double worst_float = 0, worst_double = 0;
    for (double m = -1000; m <= 1000; ++m) {
        worst_float = std::max(worst_float, relative_error(shifted<float>(m), m));
        worst_double = std::max(worst_double, relative_error(shifted<double>(m), m));
    }
    run.results.section("A: ln Σ eˣ with the shift, logits to ±1,000, worst relative error");
    run.results.add("float", worst_float, lesson::at_most(1e-6));
    run.results.add("double", worst_double, lesson::at_most(1e-15));

    Numbers ms, plain, safe;
    for (double m = -130; m <= 130; m += 2) {
        ms.push_back(m);
        plain.push_back(relative_error(unshifted<float>(m), m));
        safe.push_back(relative_error(shifted<float>(m), m));
    }
    report::Plot plot("ln Σ eˣ of eight floats", "largest logit m", "relative error");
    plot.line("with the shift", ms, safe).line("without", ms, plain).log_y().y_range(1e-10, 1);
    run.page.heading("Without the shift by the maximum");
    run.figure(
        "log-sum-exp", plot.svg(),
        "Without the shift the line ends where the result is ∞, for eˣ is too large for a "
        "float, or −∞, for each eˣ rounds to 0. On the left it climbs before: its exponentials "
        "have lost digits. With the shift there is no end.");
}

}  // namespace gradus::tensors_lesson
