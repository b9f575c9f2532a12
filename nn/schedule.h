// Learning rates over a training: pure functions of the step, counted from 0. Each is a value with
// named settings and operator():
//
//     const nn::WarmupCosine schedule{.peak = 3e-4, .warmup = 100, .total = 2000};
//     optimizer.set_lr(schedule(step));
#pragma once

#include <cstdint>
#include <functional>

namespace gradus::nn {

/// Holds any of them.
using Schedule = std::function<double(int64_t step)>;

/// The same rate throughout.
struct Constant {
    double lr;
    double operator()(int64_t step) const;
};

/// lr · factor^⌊step / every⌋ (torch's StepLR).
struct StepDecay {
    double lr;
    int64_t every;
    double factor = 0.1;
    double operator()(int64_t step) const;
};

/// Linear from peak / warmup at step 0 to the peak at step warmup - 1, then half a cosine from the
/// peak at step warmup to the floor at step total, where it stays (Loshchilov and Hutter 2017;
/// without warm-up torch's CosineAnnealingLR):
/// floor + (peak - floor) (1 + cos(π (step - warmup) / (total - warmup))) / 2.
struct WarmupCosine {
    double peak;
    int64_t warmup = 0;
    int64_t total;
    double floor = 0;
    double operator()(int64_t step) const;
};

/// scale · dim^(-1/2) · min(n^(-1/2), n · warmup^(-3/2)) with n = step + 1 (Vaswani et al. 2017,
/// section 5.3; "Noam" after its author).
struct Noam {
    int64_t dim;
    int64_t warmup = 4000;
    double scale = 1;
    double operator()(int64_t step) const;
};

/// From peak / start up to the peak in the first `rise` of the steps, then down to
/// peak / (start · end), both along half a cosine (Smith and Topin 2018; torch's OneCycleLR).
struct OneCycle {
    double peak;
    int64_t total;
    double rise = 0.3;
    double start = 25;
    double end = 1e4;
    double operator()(int64_t step) const;
};

/// Linear up to the peak at step cut = ⌊total · rise⌋, then linear down, ends at peak / ratio: with
/// p = step / cut, then 1 - (step - cut) / (cut (1 / rise - 1)), it is peak (1 + p (ratio - 1)) /
/// ratio (Howard and Ruder 2018, ULMFiT, eq. 3).
struct SlantedTriangular {
    double peak;
    int64_t total;
    double rise = 0.1;
    double ratio = 32;
    double operator()(int64_t step) const;
};

}  // namespace gradus::nn
