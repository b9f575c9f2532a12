// How far a gradient reaches. Stage A of lesson 07, first half: the norm of dL/dh over distance, for
// each kind of recurrent cell, measured; and the cliff that makes clipping necessary.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lessons/common.h"
#include "lessons/report.h"
#include "nn/init.h"
#include "nn/recurrent.h"
#include "report/plot.h"
#include "report/text.h"

namespace gradus::lesson07 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Report, lesson::Values;

// The losses of many batches as a line of at most about 150 points: means of as many in a row.
struct Course {
    Values steps, means;
};
inline Course course(const Values& values) {
    Course result;
    const size_t block = values.size() / 150 + 1;
    for (size_t begin = 0; begin < values.size(); begin += block) {
        const size_t end = std::min(begin + block, values.size());
        double total = 0;
        for (size_t i = begin; i < end; ++i) total += values[i];
        result.steps.push_back(static_cast<double>(begin + end + 1) / 2);
        result.means.push_back(total / static_cast<double>(end - begin));
    }
    return result;
}

// What a network makes of step t, given the state before it.
using Step = std::function<nn::RecurrentState(int64_t t, const nn::RecurrentState& before)>;

// Element k is |dL / ds_{T-k}| for k = 0 ... T - 1, where L is a function of the last state. A state s
// is all that one step hands to the next: h, and for an LSTM h and c.
inline Values gradient_over_distance(int64_t time, const nn::RecurrentState& start,
                                     const Step& step,
                                     const std::function<Tensor(const nn::RecurrentState&)>& loss) {
    Tape tape(Tape::Fused::composed);
    nn::RecurrentState state = start;
    std::vector<Tensor> states;
    for (int64_t t = 0; t < time; ++t) {
        state = step(t, state);
        states.push_back(state.h);
        if (state.c.defined()) states.push_back(state.c);
    }
    const std::vector<Tensor> gradients = tape.gradients(loss(state), states);
    const size_t parts = gradients.size() / static_cast<size_t>(time);  // 1, or 2: h and c
    Values norms;
    for (size_t i = gradients.size(); i > 0; i -= parts) {
        double squares = 0;
        for (size_t part = 1; part <= parts; ++part)
            squares += sum(square(gradients[i - part].to(Dtype::f64))).item();
        norms.push_back(std::sqrt(squares));
    }
    return norms;
}

// The same for a fresh layer that reads noise; L hears the last h along random directions.
inline Values gradient_over_distance(nn::Recurrent& layer, int64_t time, Rng& rng) {
    const int64_t batch = 16, in = layer.input_size(), hidden = layer.hidden_size();
    layer.to(Dtype::f64);
    const Tensor x = rng.normal({batch, time, in}, 0, 1, Dtype::f64);
    const Tensor direction = rng.normal({1, batch, hidden}, 0, 1, Dtype::f64);
    const auto step = [&](int64_t t, const nn::RecurrentState& before) {
        return layer(slice(x, 1, t, t + 1), before).state;
    };
    const auto loss = [&](const nn::RecurrentState& last) { return sum(last.h * direction); };
    return gradient_over_distance(time, {}, step, loss);
}

// The factor by which a fresh tanh network shrinks a gradient in one step, as theory has it for wide
// layers of independent weights: du = dh (1 - h²) and dh' = W_hhᵀ du, so
// |dh'|² / |dh|² = H · Var[W_hh] · E[(1 - h²)²]. (Poole et al. 2016; Schoenholz et al. 2017)
inline double shrinking_factor(nn::RNN& rnn, int64_t time, Rng& rng) {
    const Tensor x = rng.normal({16, time, rnn.input_size()}, 0, 1, Dtype::f64);
    const Tensor h = rnn(x).y;
    const double slope = mean(square(1 - square(h))).item();
    const double variance = mean(square(rnn.weights(0).hh)).item();
    return std::sqrt(static_cast<double>(rnn.hidden_size()) * variance * slope);
}

struct Reach {
    std::string name;
    Values norms;                             // at T - k, 1 for k = 0
    std::optional<lesson::Requirement> mark;  // for k = 50
};

// Fresh networks of one width, the same noise for all.
inline std::vector<Reach> measure_reach(uint64_t seed, int64_t time) {
    const int64_t in = 16, hidden = 128;
    std::vector<Reach> all;
    const auto measure = [&](const std::string& name, nn::Recurrent& layer,
                             std::optional<lesson::Requirement> mark = {}) {
        Rng rng(seed);
        Values norms = gradient_over_distance(layer, time, rng);
        const double first = norms.front();
        for (double& norm : norms) norm /= first;
        all.push_back({name, norms, mark});
    };
    nn::RNN tanh_rnn(in, hidden);
    measure("RNN, tanh", tanh_rnn, at_most(1e-9));

    nn::RNN relu_rnn(in, hidden, {}, nn::Nonlinearity::relu);  // Le, Jaitly and Hinton 2015
    relu_rnn.weights(0).hh.fill(0);
    for (int64_t i = 0; i < hidden; ++i) relu_rnn.weights(0).hh.set(i * hidden + i, 1);
    for (Tensor bias : {relu_rnn.weights(0).bias_ih, relu_rnn.weights(0).bias_hh}) bias.fill(0);
    measure("RNN, ReLU, W_hh = 1", relu_rnn, at_least(0.1));

    nn::GRU gru(in, hidden);
    measure("GRU", gru);
    for (const double bias : {0.0, 1.0}) {
        nn::LSTM lstm(in, hidden);
        Tensor &bias_ih = lstm.weights(0).bias_ih, &bias_hh = lstm.weights(0).bias_hh;
        for (int64_t i = hidden; i < 2 * hidden; ++i) {  // rows of the forget gate
            bias_ih.set(i, bias);
            bias_hh.set(i, 0);
        }
        const auto mark = bias == 0 ? at_most(1e-8) : at_least(1e-5);
        measure(fmt::format("LSTM, forget bias {}", bias), lstm, mark);
    }
    return all;
}

inline void prove_reach(lesson::Results& results, Report& report, uint64_t seed) {
    const std::vector<Reach> all = measure_reach(seed, 100);
    report::Plot plot("How far back a gradient reaches", "distance k",
                      "norm of the state's gradient");
    results.section("A. the norm of a gradient 50 steps back, relative to where it began");
    for (const auto& [name, norms, mark] : all) {
        plot.line(name, counting(norms.size()), norms);
        if (mark)
            results.add(name, norms[50], *mark);
        else
            results.add(name, norms[50]);
    }
    report.figure(plot.log_y(),
                  "Fresh networks, 128 wide, that read noise. Relative to the last step's; for an "
                  "LSTM of its h and c together.",
                  "distance");

    nn::RNN rnn(16, 128);
    Rng rng(seed);
    const Values norms = gradient_over_distance(rnn, 100, rng);
    results.add("tanh: factor of one step, over theory's",
                std::pow(norms[10] / norms[0], 0.1) / shrinking_factor(rnn, 100, rng),
                within(1, 0.06));
}

// One unit, h' = tanh(w h + b), 50 steps from h = -0.5, and the loss (h_50 - 0.5)². Where w becomes
// large enough for a second fixed point, below zero, the state stays there and the loss leaps
// (Pascanu, Mikolov and Bengio 2013, section 2.2).
inline void prove_cliff(lesson::Results& results, Report& report) {
    const int64_t points = 600;
    Tensor w = Tensor::empty({points}, Dtype::f64);  // each element is a network of its own
    for (int64_t i = 0; i < points; ++i) w.set(i, 1.15 + 0.3 * static_cast<double>(i) / points);
    w.requires_grad();
    Tape tape;
    Tensor h = Tensor::full({points}, -0.5, Dtype::f64);
    for (int step = 0; step < 50; ++step) h = tanh(w * h + 0.1);
    const Tensor loss = square(h - 0.5);
    tape.backward(sum(loss));

    Values at, losses, slopes;
    for (int64_t i = 0; i < points; ++i) {
        at.push_back(w.at(i));
        losses.push_back(loss.at(i));
        slopes.push_back(std::abs(w.grad().at(i)));
    }
    Values sorted = slopes;
    std::sort(sorted.begin(), sorted.end());
    results.section("A. the cliff: the gradient of one unit after 50 steps");
    results.add("median over w", sorted[sorted.size() / 2]);
    results.add("on the cliff", sorted.back(), at_least(100 * sorted[sorted.size() / 2]));
    report::Plot plot("The cliff", "weight w", "loss, norm of its gradient");
    plot.line("loss", at, losses).line("norm of the gradient", at, slopes).log_y();
    report.figure(plot,
                  "One unit, 50 steps. A step of gradient descent from the cliff throws w away, "
                  "however small the rate; a clipped one does not.",
                  "cliff");
}

}  // namespace gradus::lesson07
