// Stage A of lesson 08: the fused op against its composed twin, how far a gradient reaches through
// gates, and two problems that are all memory.
// B batch · T time · I input width · H hidden width
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/sources/adding.h"
#include "data/sources/copy_memory.h"
#include "lessons/07-rnn/distance.h"
#include "lessons/08-gates/gates.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/recurrent.h"
#include "nn/schedule.h"
#include "report/progress.h"

namespace gradus::lesson08 {

// ---- the fused op -------------------------------------------------------------------------------

using Recur = Recurrence (*)(Cell, const Tensor&, const RecurrentWeights&, const Tensor&,
                             const Tensor&, const Tensor&, bool);

// One pass there and back through a layer: what comes out and all gradients, and the seconds it took.
struct Pass {
    std::vector<Tensor> numbers;
    double seconds;
};
inline Pass there_and_back(Recur op, Cell cell, const Tensor& x, const RecurrentWeights& w) {
    const auto began = std::chrono::steady_clock::now();
    Pass pass{};
    for (Tensor t : {x, w.ih, w.hh, w.bias_ih, w.bias_hh}) t.requires_grad().zero_grad();
    Tape tape;
    const Tensor y = op(cell, x, w, {}, {}, {}, false).y;
    tape.backward(sum(square(y)));
    pass.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    pass.numbers = {y.clone()};
    for (const Tensor& t : {x, w.ih, w.hh, w.bias_ih, w.bias_hh})
        pass.numbers.push_back(t.grad().clone());
    return pass;
}

inline void prove_twins(lesson::Results& results, uint64_t seed) {
    results.section("A. the fused op and its composed twin");
    for (const Cell cell : {Cell::lstm, Cell::gru}) {
        const char* name = cell == Cell::lstm ? "LSTM" : "GRU";
        const int64_t B = 16, T = 64, I = 64, H = 128, gates = cell == Cell::lstm ? 4 : 3;
        Rng rng(seed);
        const auto make = [&](const Shape& shape, Dtype dtype) {
            return rng.uniform(shape, -0.1, 0.1, dtype);
        };
        const auto weights = [&](Dtype dtype) {
            return RecurrentWeights{make({gates * H, I}, dtype), make({gates * H, H}, dtype),
                                    make({gates * H}, dtype), make({gates * H}, dtype)};
        };
        const Tensor x = make({B, T, I}, Dtype::f64);
        const RecurrentWeights w = weights(Dtype::f64);
        const Pass fused = there_and_back(recurrent, cell, x, w);
        const Pass twin = there_and_back(composed::recurrent, cell, x, w);
        double apart = 0;
        for (size_t i = 0; i < fused.numbers.size(); ++i) {
            const double size = max(abs(twin.numbers[i])).item();
            apart = std::max(apart, max(abs(fused.numbers[i] - twin.numbers[i])).item() / size);
        }
        results.add(fmt::format("{}: largest difference, relative", name), apart, at_most(1e-10));

        // The same in the precision that trains, timed: the best of a few.
        const Tensor x32 = make({B, T, I}, Dtype::f32);
        const RecurrentWeights w32 = weights(Dtype::f32);
        double seconds[2] = {INFINITY, INFINITY};
        for (int i = 0; i < 5; ++i) {
            seconds[0] = std::min(seconds[0], there_and_back(recurrent, cell, x32, w32).seconds);
            seconds[1] =
                std::min(seconds[1], there_and_back(composed::recurrent, cell, x32, w32).seconds);
        }
        results.add(fmt::format("{}: the fused one is faster", name), seconds[1] / seconds[0], "×");
    }
}

// ---- how far a gradient reaches -----------------------------------------------------------------

inline void prove_reach(lesson::Results& results, Report& report, uint64_t seed) {
    const int64_t in = 16, hidden = 128, time = 100;
    results.section("A. the norm of a gradient 50 steps back, relative to where it began");
    report::Plot plot("How far back a gradient reaches", "distance k",
                      "norm of the state's gradient");
    const auto measure = [&](const std::string& name, nn::Recurrent& layer,
                             const std::optional<lesson::Requirement>& mark = {}) {
        Rng rng(seed);
        Values norms = lesson07::gradient_over_distance(layer, time, rng);
        const double first = norms.front();
        for (double& norm : norms) norm /= first;
        plot.line(name, counting(norms.size()), norms);
        if (mark)
            results.add(name, norms[50], *mark);
        else
            results.add(name, norms[50]);
    };
    nn::RNN rnn(in, hidden);
    measure("RNN, tanh", rnn, at_most(1e-9));
    nn::GRU gru(in, hidden);
    measure("GRU", gru);
    for (const double bias : {0.0, 1.0}) {
        nn::LSTM lstm(in, hidden);
        set_forget_bias(lstm, bias);
        measure(fmt::format("LSTM, forget bias {}", bias), lstm,
                bias == 0 ? at_most(1e-8) : at_least(1e-5));
    }
    nn::LSTM chrono(in, hidden);
    set_chrono_biases(chrono, static_cast<double>(time), nn::generator());
    measure("LSTM, chrono", chrono, at_least(1e-2));
    report.figure(plot.log_y(),
                  "Fresh networks, 128 wide, that read noise. Relative to the last step's; for an "
                  "LSTM of its h and c together.",
                  "distance");
}

// ---- problems that are all memory ---------------------------------------------------------------

struct Learner {
    std::string name;
    std::unique_ptr<nn::Recurrent> layer;
};

inline std::unique_ptr<nn::Recurrent> chrono_lstm(int64_t in, int64_t hidden, double longest) {
    auto lstm = std::make_unique<nn::LSTM>(in, hidden);
    set_chrono_biases(*lstm, longest, nn::generator());
    return lstm;
}

// Both problems are learned with a rate that rises, then falls.
inline nn::WarmupCosine rate_of(int64_t steps, double peak) {
    return {.peak = peak, .warmup = steps / 20, .total = steps};
}

// Reads a sequence, then says one number.
struct Adder : nn::Module {
    nn::Recurrent& layer;
    nn::Linear head;
    explicit Adder(nn::Recurrent& recurrent)
        : Module("adder"), layer(recurrent), head(recurrent.hidden_size(), 1) {
        children({{"rnn", layer}, {"head", head}});
    }
    Tensor operator()(const Tensor& x) {    // [B, T, 2] -> [B, 1]
        const Tensor h = layer(x).state.h;  // [1, B, H]
        return head(reshape(h, {h.size(1), h.size(2)}));
    }
};

inline void prove_adding(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t steps = quick ? 40 : 1500, hidden = 32, time = 100;
    std::vector<Learner> learners;
    learners.push_back({"RNN, tanh", std::make_unique<nn::RNN>(2, hidden)});
    auto lstm = std::make_unique<nn::LSTM>(2, hidden);
    set_forget_bias(*lstm, 1);
    learners.push_back({"LSTM, forget bias 1", std::move(lstm)});
    learners.push_back({"LSTM, chrono", chrono_lstm(2, hidden, time)});
    learners.push_back({"GRU", std::make_unique<nn::GRU>(2, hidden)});

    results.section(fmt::format("A. adding problem, T = {}, mean squared error", time));
    results.add("trivial baseline: always 1", data::Adding::kBaseline);
    report::Plot plot("The adding problem over 100 steps", "step", "mean squared error");
    const auto [x_test, y_test] = data::Adding{.time = time, .batch = 2000, .seed = ~seed}.at(0);
    for (auto& [name, layer] : learners) {
        Adder model(*layer);
        const data::Adding problem{.time = time, .batch = 50, .seed = seed};
        const Values errors =
            lesson::learn("adding, " + name, model, steps, rate_of(steps, 1e-2), [&](int64_t step) {
                const auto [x, y] = problem.at(step);
                return mse(model(x), y);
            });
        const double error = mse(model(x_test), y_test).item();
        smooth_line(plot, name, errors);
        if (quick || name == "LSTM, forget bias 1")
            results.add(name, error);
        else
            results.add(
                name, error,
                name == "RNN, tanh" ? within(data::Adding::kBaseline, 0.02) : at_most(0.01));
    }
    report.figure(plot.hline("always 1", data::Adding::kBaseline).log_y(),
                  "32 units each, batches of 50, the same problems for all; means of ten.",
                  "adding");
}

// A symbol in, a symbol out, at each step.
struct Copier : nn::Module {
    nn::Embedding embedding;
    nn::Recurrent& layer;
    nn::Linear head;
    explicit Copier(nn::Recurrent& recurrent)
        : Module("copier"),
          embedding(data::CopyMemory::kVocab, recurrent.input_size()),
          layer(recurrent),
          head(recurrent.hidden_size(), data::CopyMemory::kVocab) {
        children({{"emb", embedding}, {"rnn", layer}, {"head", head}});
    }
    Tensor operator()(const Tensor& ids) { return head(layer(embedding(ids)).y); }  // [B, T, 10]
};

inline void prove_copying(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t steps = quick ? 20 : 800, hidden = 64, in = 10;
    const data::CopyMemory problem{.blanks = 100, .batch = 50, .seed = seed};
    std::vector<Learner> learners;
    learners.push_back({"RNN, tanh", std::make_unique<nn::RNN>(in, hidden)});
    learners.push_back(
        {"LSTM, chrono", chrono_lstm(in, hidden, 1.5 * static_cast<double>(problem.blanks))});
    learners.push_back({"GRU", std::make_unique<nn::GRU>(in, hidden)});

    results.section("A. copy memory, 100 blanks, nats a symbol");
    results.add("chance, ln 10", std::log(10));
    results.add("baseline: without a memory, 10 ln 8 / 120", problem.baseline());
    report::Plot plot("Copy memory over 100 blanks", "step", "nats a symbol");
    const auto [x_test, y_test] =
        data::CopyMemory{.blanks = 100, .batch = 500, .seed = ~seed}.at(0);
    for (auto& [name, layer] : learners) {
        Copier model(*layer);
        const Values losses = lesson::learn("copying, " + name, model, steps, rate_of(steps, 1e-2),
                                            [&](int64_t step) {
                                                const auto [x, y] = problem.at(step);
                                                return nn::cross_entropy(model(x), y);
                                            });
        smooth_line(plot, name, losses);
        const double loss = nn::cross_entropy(model(x_test), y_test).item();
        if (quick || name != "GRU")
            results.add(name, loss);
        else
            results.add(name, loss, at_most(0.99 * problem.baseline()));
    }
    results.add("optimum: a perfect memory", 0);
    report.figure(
        plot.hline("without a memory", problem.baseline()).y_range(0.1, 0.3),
        "The line is what a network reaches that remembers nothing. To stay below it is to "
        "carry something across the silence.",
        "copy");
}

inline void prove(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    nn::manual_seed(seed);
    report.page.heading("Proof: gates keep what they are told to keep");
    prove_twins(results, seed);
    prove_reach(results, report, seed);
    prove_adding(results, report, seed, quick);
    prove_copying(results, report, seed, quick);
}

}  // namespace gradus::lesson08
