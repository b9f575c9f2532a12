#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/error.h"

namespace gradus::nn {
namespace {

// Half a cosine from `from` to `to` as `share` goes from 0 to 1.
double anneal(double from, double to, double share) {
    return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace

double Constant::operator()(int64_t /*step*/) const { return lr; }

double StepDecay::operator()(int64_t step) const {
    check(every >= 1, "schedule", "a decay every {} steps; at least 1 expected", every);
    return lr * std::pow(factor, static_cast<double>(step / every));
}

double WarmupCosine::operator()(int64_t step) const {
    check(0 <= warmup && warmup < total, "schedule", "a warm-up of {} steps in {}; fewer expected",
          warmup, total);
    if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
    const int64_t done = std::min(step, total) - warmup;
    return anneal(peak, floor, static_cast<double>(done) / static_cast<double>(total - warmup));
}

double Noam::operator()(int64_t step) const {
    check(dim >= 1 && warmup >= 1, "schedule",
          "width {} and a warm-up of {} steps; at least 1 each", dim, warmup);
    const double n = static_cast<double>(step + 1), w = static_cast<double>(warmup);
    return scale / std::sqrt(static_cast<double>(dim)) *
           std::min(1 / std::sqrt(n), n / (w * std::sqrt(w)));
}

double OneCycle::operator()(int64_t step) const {
    const double top = rise * static_cast<double>(total) - 1;  // the step of the peak, as in torch
    const double last = static_cast<double>(total) - 1;
    check(top > 0 && top < last, "schedule",
          "a rise over {} of {} steps; more than 1 and fewer than all steps expected", rise, total);
    const double now = std::min(static_cast<double>(step), last);
    return now <= top ? anneal(peak / start, peak, now / top)
                      : anneal(peak, peak / (start * end), (now - top) / (last - top));
}

double SlantedTriangular::operator()(int64_t step) const {
    const double cut = std::floor(static_cast<double>(total) * rise);
    check(cut >= 1 && rise < 1, "schedule",
          "a rise over {} of {} steps; at least 1 and fewer than all steps expected", rise, total);
    const double now = static_cast<double>(std::min(step, total));
    const double p = now < cut ? now / cut : 1 - (now - cut) / (cut * (1 / rise - 1));
    return peak * (1 + std::max(p, 0.0) * (ratio - 1)) / ratio;
}

}  // namespace gradus::nn
