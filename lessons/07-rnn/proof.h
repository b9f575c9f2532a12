// Stage A of lesson 07, second half: what a state can remember. A source whose optimum the forward
// algorithm knows, and the adding problem, which a plain recurrent network cannot learn over 100
// steps.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "data/sequences.h"
#include "data/sources/adding.h"
#include "data/sources/hidden_markov.h"
#include "lessons/07-rnn/distance.h"
#include "lessons/language_model.h"
#include "models/rnn_lm.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "report/progress.h"

namespace gradus::lesson07 {

// A text that changes its topic now and then, and says seldom what it is about: eight hidden topics
// that stay with probability 0.99, each with a symbol of its own; seven symbols of ten are filler,
// and one of ten of the rest belongs to another topic. Who wants to know the next symbol has to
// remember the topic across any number of fillers.
inline data::HiddenMarkov topics() {
    const int64_t topics = 8;
    const double stay = 0.99, filler = 0.7, own = 0.9;
    Tensor transition = Tensor::full({topics, topics}, (1 - stay) / (topics - 1), Dtype::f64);
    Tensor emission =
        Tensor::full({topics, topics + 1}, (1 - filler) * (1 - own) / (topics - 1), Dtype::f64);
    for (int64_t s = 0; s < topics; ++s) {
        transition.set(s * topics + s, stay);
        emission.set(s * (topics + 1) + s, (1 - filler) * own);
        emission.set(s * (topics + 1) + topics, filler);
    }
    return {transition, emission};
}

inline void prove_memory(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t batch = 32, time = 64, steps = quick ? 150 : 1500;
    Rng rng(seed);
    const data::HiddenMarkov source = topics();
    const Tensor train = source.sample(batch * (time * steps + 1), rng).ids;
    const Tensor test = source.sample(quick ? 10000 : 50000, rng).ids;
    const auto predicted = static_cast<double>(test.size() - 1);

    models::RnnLM model({.cell = Cell::rnn_tanh, .vocab = 9, .dim = 16, .hidden = 64});
    const nn::WarmupCosine rate{.peak = 5e-3, .warmup = 50, .total = steps};
    const data::StreamBatches batches(train, batch, time);
    nn::RecurrentState state;
    const Values losses = lesson::learn("hidden topics", model, steps, rate, [&](int64_t step) {
        const auto [x, y] = batches.at(step);  // [B, T]
        const auto output = model(x, state);
        state = output.state.detach();
        return nn::cross_entropy(output.logits, y);
    });

    const Tensor each = source.forward(test).nats;
    const double optimum = (sum(each).item() - each.at(0)) / predicted;
    const Values counted = lesson::count_by_order({train}, test, 9);
    const double ngram = *std::min_element(counted.begin(), counted.end());
    const double ours = models::nats_per_token(model, test);
    results.section("A. hidden topics, nats a symbol");
    results.add("chance, ln 9", std::log(9));
    results.add("trivial baseline: counting symbols", counted.front());
    results.add("best classical: n-gram, order 1-6", ngram);
    if (quick)
        results.add("ours: RNN, 64 units", ours);
    else
        results.add("ours: RNN, 64 units", ours, at_most(optimum + 0.02));
    results.add("optimum: forward algorithm", optimum);

    report::Plot plot("Hidden topics: what each can know", "order of the n-gram", "nats a symbol");
    plot.path("n-gram", counting(counted.size(), 1), counted);
    plot.hline("ours: RNN", ours).hline("optimum", optimum);
    report.figure(plot,
                  "All on the same test symbols. An n-gram sees its last n − 1 symbols, which are "
                  "all fillers now and then; the network's state keeps the topic.",
                  "topics");
}

// Trains a tanh network on the adding problem: the course of its error, and the error at the end on
// problems that it has not seen.
struct Added {
    Values errors;  // of each step's batch
    double test;
};
inline Added learn_to_add(int64_t time, int64_t steps, uint64_t seed) {
    struct Adder : nn::Module {
        nn::RNN rnn{2, 64};
        nn::Linear head{64, 1};
        Adder() : Module("adder") { children({{"rnn", rnn}, {"head", head}}); }
        Tensor operator()(const Tensor& x) {  // [B, T, 2] -> [B, 1]
            const Tensor h = rnn(x).state.h;  // [1, B, H]
            return head(reshape(h, {h.size(1), h.size(2)}));
        }
    } model;
    const data::Adding problem{.time = time, .batch = 64, .seed = seed};
    const nn::WarmupCosine rate{.peak = 5e-3, .warmup = 20, .total = steps};
    Added added{{}, 0};
    added.errors =
        lesson::learn(fmt::format("adding, T = {}", time), model, steps, rate, [&](int64_t step) {
            const auto [x, y] = problem.at(step);
            return mse(model(x), y);
        });
    const auto [x, y] = data::Adding{.time = time, .batch = 4000, .seed = ~seed}.at(0);
    added.test = mse(model(x), y).item();
    return added;
}

inline void prove_forgetting(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t steps = quick ? 100 : 2000;
    const Added near = learn_to_add(10, steps, seed), far = learn_to_add(100, steps, seed);
    results.section("A. adding problem, mean squared error");
    results.add("trivial baseline: always 1", data::Adding::kBaseline);
    if (quick) {
        results.add("ours: RNN, T = 10", near.test);
        results.add("ours: RNN, T = 100", far.test);
    } else {
        results.add("ours: RNN, T = 10", near.test, at_most(0.02));
        results.add("ours: RNN, T = 100", far.test, within(data::Adding::kBaseline, 0.02));
    }
    report::Plot plot("The adding problem", "step", "mean squared error");
    const Course ten = course(near.errors), hundred = course(far.errors);
    plot.line("T = 10", ten.steps, ten.means).line("T = 100", hundred.steps, hundred.means);
    report.figure(plot.hline("always 1", data::Adding::kBaseline).log_y(),
                  "The same network, the same number of steps: over 10 steps it learns to add the "
                  "two marked numbers, over 100 it does not learn that they matter.",
                  "adding");
}

}  // namespace gradus::lesson07
