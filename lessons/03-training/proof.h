// Stage A of lesson 03: what theory says of descent, initialisation, Adam and dropout, held against
// what the library does, on problems whose answer is known.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/sources/procedural_digits.h"
#include "lessons/common.h"
#include "lessons/report.h"
#include "models/mlp.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "report/plot.h"
#include "report/svg.h"

namespace gradus::lesson03 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Report, lesson::Values;

// The path of x down the bowl ½ Σ λ x² from x = 1: steps + 1 positions.
inline std::vector<Tensor> descend(const Tensor& lambda, const nn::SgdOptions& options,
                                   int64_t steps) {
    Tensor x = Tensor::ones(lambda.shape(), Dtype::f64);
    x.requires_grad();
    nn::SGD optimizer(std::vector<Tensor>{x}, options);
    std::vector<Tensor> path{x.clone()};
    for (int64_t step = 0; step < steps; ++step) {
        optimizer.zero_grad();
        Tape tape;
        tape.backward(sum(lambda * square(x)) * 0.5);
        optimizer.step();
        path.push_back(x.clone());
    }
    return path;
}

inline double length(const Tensor& x) { return std::sqrt(sum(square(x)).item()); }

// The best fixed settings for curvatures from 1 to κ, and the factor by which |x| shrinks a step
// when all else has died away: Polyak 1964.
struct Descent {
    nn::SgdOptions options;
    double rate;
    bool double_root;  // the slowest part shrinks as t ρᵗ, not ρᵗ
};
inline Descent plain_descent(double kappa) {
    return {{.lr = 2 / (1 + kappa)}, (kappa - 1) / (kappa + 1), false};
}
inline Descent heavy_ball(double kappa) {
    const double root = std::sqrt(kappa), rate = (root - 1) / (root + 1);
    return {{.lr = 4 / std::pow(1 + root, 2), .momentum = rate * rate}, rate, true};
}

// The rate between step T and step 2T, where |x| has shrunk to about 1e-20 and 1e-40.
inline double measured_rate(double kappa, const Descent& descent) {
    Tensor lambda = Tensor::empty({16}, Dtype::f64);
    for (int64_t i = 0; i < 16; ++i) lambda.set(i, std::pow(kappa, static_cast<double>(i) / 15));
    const auto t = static_cast<int64_t>(std::ceil(-46 / std::log(descent.rate)));
    const auto path = descend(lambda, descent.options, 2 * t);
    const double shrunk =
        length(path[static_cast<size_t>(2 * t)]) / length(path[static_cast<size_t>(t)]);
    return std::pow(shrunk / (descent.double_root ? 2 : 1), 1 / static_cast<double>(t));
}

inline void prove_descent(lesson::Results& results, Report& report) {
    Values kappas, plain, heavy, plain_theory, heavy_theory;
    double worst = 0;
    for (double kappa = 2; kappa < 1100; kappa *= std::sqrt(2.0)) {
        kappas.push_back(kappa);
        plain_theory.push_back(plain_descent(kappa).rate);
        heavy_theory.push_back(heavy_ball(kappa).rate);
        plain.push_back(measured_rate(kappa, plain_descent(kappa)));
        heavy.push_back(measured_rate(kappa, heavy_ball(kappa)));
        worst = std::max({worst, std::abs(plain.back() - plain_theory.back()),
                          std::abs(heavy.back() - heavy_theory.back())});
    }
    results.section("A. the bowl, κ = 100: a step shrinks the distance by");
    results.add("gradient descent, (κ−1)/(κ+1)", measured_rate(100, plain_descent(100)),
                within(99.0 / 101, 1e-4));
    results.add("momentum, (√κ−1)/(√κ+1)", measured_rate(100, heavy_ball(100)),
                within(9.0 / 11, 1e-3));
    results.add("largest deviation from theory, κ from 2 to 1,024", worst, at_most(2e-3));

    const Tensor lambda = Tensor::from<double>({1, 20});
    report::Plot bowl("Thirty steps down a bowl", "x₁, curvature 1", "x₂, curvature 20");
    bowl.contours(report::sample([](double x, double y) { return (x * x + 20 * y * y) / 2; }, -0.2,
                                 1.1, -2, 2, 64, 64));
    for (const auto& [name, d] : {std::pair{"gradient descent", plain_descent(20)},
                                  std::pair{"with momentum", heavy_ball(20)}}) {
        Values xs, ys;
        for (const Tensor& x : descend(lambda, d.options, 30)) {
            xs.push_back(x.at(0));
            ys.push_back(x.at(1));
        }
        bowl.path(name, xs, ys);
    }
    report.figure(bowl,
                  "Each with its best fixed settings. Gradient descent leaps from wall to wall and "
                  "creeps along the valley; momentum adds up what its steps have in common.",
                  "bowl");
    report::Plot rates("Steps for one more decimal place", "condition number κ", "steps");
    const auto steps = [](Values shrunk) {
        for (double& rate : shrunk) rate = -1 / std::log10(rate);
        return shrunk;
    };
    rates.line("gradient descent, theory", kappas, steps(plain_theory));
    rates.points("measured", kappas, steps(plain));
    rates.line("momentum, theory", kappas, steps(heavy_theory));
    rates.points("measured, momentum", kappas, steps(heavy)).log_x().log_y();
    report.figure(
        rates,
        "−1 / log₁₀ of the factor by which the distance shrinks in a step: it grows with κ, "
        "with momentum only with √κ. Measured with nn::SGD in float64.",
        "rates");
}

// The mean square of what leaves each of `depth` ReLU layers, for weights filled by `fill`.
template <class Fill>
Values signal_by_depth(int depth, Fill fill) {
    Tensor h = nn::generator().normal({128, 256}, 0, 1, Dtype::f64);  // [B, D]
    Values signal;
    for (int layer = 0; layer < depth; ++layer) {
        h = linear(h, fill(Tensor::empty({256, 256}, Dtype::f64)), {}, Activation::relu);
        signal.push_back(mean(square(h)).item());
    }
    return signal;
}

inline void prove_initialisation(lesson::Results& results, Report& report,
                                 const data::Images& digits) {
    const Values kaiming =
        signal_by_depth(20, [](Tensor w) { return nn::init::kaiming_normal(w); });
    const Values xavier = signal_by_depth(20, [](Tensor w) { return nn::init::xavier_normal(w); });
    const Values unit = signal_by_depth(20, [](Tensor w) { return nn::init::normal(w, 0, 1); });
    const Values small = signal_by_depth(20, [](Tensor w) { return nn::init::normal(w, 0, 0.02); });
    report::Plot plot("The signal on its way through twenty layers", "layer", "mean square");
    const Values layers = counting(20, 1);
    plot.line("N(0, 1)", layers, unit).line("Kaiming, gain √2", layers, kaiming);
    plot.line("Xavier, gain 1", layers, xavier)
        .line("N(0, 0.02²)", layers, small)
        .log_y()
        .y_range(1e-12, 1e12);
    report.figure(plot,
                  "ReLU layers, 256 wide, of normal noise. Only the variance 2 / in keeps it.",
                  "depth");

    results.section("A. networks");
    results.add("signal after 20 layers, Kaiming", kaiming.back(), within(1.25, 0.75));
    models::MLP fresh({784, 256, 10});
    results.add("loss at step 0, ln 10 = 2.3026",
                nn::cross_entropy(fresh(digits.pixels), digits.labels).item(),
                within(std::log(10), 0.05));
}

inline void prove_adam(lesson::Results& results, Report& report) {
    Tensor x = Tensor::zeros({7}, Dtype::f64);
    x.requires_grad();
    nn::Adam optimizer(std::vector<Tensor>{x}, {.lr = 0.01});
    Tape tape;
    tape.backward(sum(x * Tensor::from<double>({0.1, -1, 10, -100, 1e3, -1e4, 1e5})));
    optimizer.step();
    results.add("Adam's first step / rate, gradients 0.1 to 100,000: least",
                -max(-abs(x)).item() / 0.01, within(1, 1e-6));
    results.add("... and most", max(abs(x)).item() / 0.01, within(1, 1e-6));

    Values steps, corrected, uncorrected;
    for (double t = 1; t <= 4000; t = std::max(t + 1, std::floor(1.06 * t))) {
        steps.push_back(t);
        corrected.push_back(1);
        uncorrected.push_back((1 - std::pow(0.9, t)) / std::sqrt(1 - std::pow(0.999, t)));
    }
    report::Plot plot("How far Adam goes under a constant gradient", "step",
                      "step / learning rate");
    plot.line("with bias correction", steps, corrected);
    plot.line("without", steps, uncorrected).log_x().y_range(0, 8);
    report.figure(plot,
                  "Both moments begin at zero, the second stays small for longer: without the "
                  "correction the early steps are up to 6.6 times too long.",
                  "adam");
}

inline void prove_the_rest(lesson::Results& results, Report& report, const data::Images& digits) {
    Rng& rng = nn::generator();
    const Tensor dropped = dropout(Tensor::ones({1000, 1000}), 0.3, rng);
    results.add("dropout p = 0.3: mean of a million ones", mean(dropped).item(), within(1, 0.005));
    results.add("dropout p = 0.3: share of zeros", mean(equal(dropped, Tensor::zeros({}))).item(),
                within(0.3, 0.005));

    // 64 pictures whose labels say nothing about them: all that can be done is learn them by heart.
    const data::Images few = data::slice(digits, 0, 64);
    Tensor labels = Tensor::zeros({64}, Dtype::i32);
    for (int64_t i = 0; i < 64; ++i) labels.set(i, static_cast<double>(rng.below(10)));
    models::MLP model({784, 256, 10});
    nn::Adam optimizer(model.parameters(), {.lr = 3e-3});
    Values losses;
    for (int step = 0; step < 200; ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(model(few.pixels), labels);
        tape.backward(loss);
        optimizer.step();
        losses.push_back(loss.item());
    }
    results.add("one batch, random labels, 200 steps: loss", losses.back(), at_most(0.01));
    report::Plot plot("One batch learned by heart", "step", "loss (nats)");
    plot.line("64 digits, random labels", counting(200), losses)
        .hline("ln 10", std::log(10))
        .log_y();
    report.figure(plot, "The test to begin with: a network that cannot do this has a bug.");
}

inline void prove(lesson::Results& results, Report& report, uint64_t seed) {
    nn::manual_seed(seed);
    const data::Images digits = data::procedural_digits(1000, {.seed = seed});
    report.page.heading("Proof: what theory says");
    prove_descent(results, report);
    prove_initialisation(results, report, digits);
    prove_adam(results, report);
    prove_the_rest(results, report, digits);
}

}  // namespace gradus::lesson03
