// Stage A: what theory says of the loss at a temperature, against what the library does, in float64.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include "autograd/ops.h"
#include "lessons/common.h"
#include "lessons/report.h"
#include "nn/distill.h"

namespace gradus::lesson20 {

using lesson::at_least;
using lesson::at_most;
using lesson::Report;
using lesson::Values;

// With which a run goes on, and where its first network is kept.
inline std::filesystem::path checkpoint_of(const lesson::Options& options) {
    return options.resume.empty() ? options.checkpoint() : options.resume;
}

inline Tensor soft_gradient(const Tensor& z, const Tensor& v, double T) {
    Tensor leaf = z.clone();
    leaf.requires_grad();
    Tape tape;
    tape.backward(nn::soft_target_loss(leaf, nn::soft_targets(v, T), T));
    return leaf.grad();
}

inline double length(const Tensor& x) { return std::sqrt(sum(square(x)).item()); }

// B rows of logits of C classes, of variance 1: z the student's, v the teacher's.
inline void prove(lesson::Results& results, Report& report, uint64_t seed) {
    const int64_t B = 256, C = 10;
    Rng rng(seed);
    const Tensor z = rng.normal({B, C}, 0, 1, Dtype::f64), v = rng.normal({B, C}, 0, 1, Dtype::f64);
    const auto centred = [](const Tensor& x) { return x - mean(x, {1}, true); };
    const Tensor difference = (centred(z) - centred(v)) / static_cast<double>(B * C);

    double floor = 0, closed = 0, at_20 = 0;
    Values temperatures, apart;
    for (const double T : {1., 2., 3., 5., 7., 10., 15., 20., 30., 50., 100., 200., 500., 1000.}) {
        const Tensor q = nn::soft_targets(v, T), p = nn::soft_targets(z, T);
        const double entropy = -mean(sum(q * log(q), {1})).item();
        const double loss = nn::soft_target_loss(v, q, T).item() / (T * T);
        floor = std::max(floor, std::abs(loss - entropy));
        const Tensor found = soft_gradient(z, v, T);
        closed = std::max(closed, max(abs(found - (p - q) * (T / static_cast<double>(B)))).item());
        temperatures.push_back(T);
        apart.push_back(length(found - difference) / length(difference));
        if (T == 20) at_20 = apart.back();
    }
    results.section("A. the loss at a temperature, T from 1 to 1,000");
    results.add("student = teacher: loss / T² - the teacher's entropy, at most", floor,
                at_most(1e-12));
    results.add("gradient - T (p - q) / B, at most", closed, at_most(1e-9));
    results.section("A. from the gradient to the difference of logits / N", "%");
    results.add("T = 1", apart.front());
    results.add("T = 20", at_20, at_most(0.04));
    results.add("T = 1,000", apart.back(), at_most(0.001));
    report.page.heading("The loss at a temperature");
    report::Plot plot("From soft targets to matching logits", "temperature",
                      "distance / length of the difference");
    report.figure(
        plot.path("gradient at T", temperatures, apart).hline("4 %", 0.04).log_x().log_y(),
        "How far T² times the gradient of the cross-entropy is from (z - v) / N.", "limit");
}

}  // namespace gradus::lesson20
