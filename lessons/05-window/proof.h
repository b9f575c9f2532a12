// Stage A of lesson 05: a source whose next token depends on the last two, and windows of one to four
// tokens, each held to the best that can be done with so much to see.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>

#include "autograd/ops.h"
#include "data/sources/markov.h"
#include "data/windows.h"
#include "lessons/05-window/training.h"
#include "lessons/report.h"
#include "models/ngram.h"
#include "nn/init.h"
#include "nn/optim.h"
#include "report/plot.h"

namespace gradus::lesson05 {

using lesson::at_most, lesson::within;
using lesson::Report;

// What is left of a source for someone who sees one token less: p(. | the newer ones), the oldest one
// averaged out, as often as it occurs.
inline data::Markov shorter(const data::Markov& source) {
    const int64_t k = source.symbols(), contexts = source.table().size(0);
    const Tensor joint = source.table() * reshape(source.stationary(), {contexts, 1});
    const Tensor rows = sum(reshape(joint, {k, contexts / k, k}), {0});  // the oldest digit first
    return data::Markov(rows / sum(rows, {1}, true));
}

// The mean of -ln p of the tokens from position `first` on.
inline double nats_from(const data::Markov& source, const Tensor& ids, int64_t first) {
    const Tensor nats = source.token_nats(ids);
    return mean(slice(nats, 0, first - source.order(), nats.size())).item();
}

inline void prove(lesson::Results& results, Report& report, const lesson::Options& options) {
    constexpr int64_t kSymbols = 8, kWidest = 4;
    const int64_t train_size = options.quick ? 100000 : 400000, test_size = 20000;
    Rng rng(options.seed);
    const auto source = data::Markov::random(kSymbols, 2, 0.5, rng);
    const Tensor train = source.sample(train_size, rng), test = source.sample(test_size, rng);
    const auto list = [](const Tensor& ids) {
        const auto values = ids.values<int32_t>();
        return std::vector<int32_t>(values.begin(), values.end());
    };
    // Every window predicts the same tokens, those that the widest one can.
    const auto rows = [&](const Tensor& ids, int64_t window) {
        const data::Batch all = data::windows({list(ids)}, window, 0);
        const int64_t n = ids.size() - kWidest;
        return data::Batch{all.x.view({n, window}, kWidest * window), all.y.view({n}, kWidest)};
    };
    const data::Markov one = shorter(source), none = shorter(one);
    const double optimum = nats_from(source, test, kWidest);
    const Values best{nats_from(one, test, kWidest), optimum, optimum, optimum};

    Values sizes, losses;
    for (int64_t window = 1; window <= kWidest; ++window) {
        nn::manual_seed(options.seed);
        models::WindowLM model({.vocab = kSymbols, .window = window, .dim = 8, .hidden = 64});
        const Course course{128, options.quick ? 700 : 6000, options.seed, 1e-2};
        lesson::History history;
        fit(fmt::format("window {}", window), model, history, course, rows(train, window),
            rows(test, window));
        sizes.push_back(static_cast<double>(window));
        losses.push_back(history.test_losses.back());
    }

    models::Ngram counted({.vocab = kSymbols, .order = 3});
    counted.add(list(train));
    const double tested = static_cast<double>(test_size - kWidest);
    const double slack = options.quick ? 0.1 : 0.02;
    results.section("A. Markov source of order 2, K = 8, nats per token");
    results.add("chance: ln 8", std::log(kSymbols));
    results.add("trivial baseline: how often each occurs", nats_from(none, test, kWidest));
    results.add("best classical: counting, order 3", counted.nats(list(test), kWidest) / tested);
    results.add("ours: window of 4", losses.back(), at_most(optimum + slack));
    results.add("optimum: the source itself, on these tokens", optimum);
    results.section("A. nats above the best that can be done with so much to see");
    for (size_t i = 0; i < losses.size(); ++i) {
        results.add(fmt::format("window of {}", i + 1), losses[i] - best[i],
                    i == 0 ? within(0, slack) : at_most(slack));
    }

    report.page.heading("Proof: how much a window sees");
    report::Plot plot("Loss against the window", "tokens seen", "loss (nats)");
    plot.points("trained", sizes, losses).line("the best possible", sizes, best);
    plot.hline("how often each occurs", nats_from(none, test, kWidest)).size(760, 320);
    report.figure(
        plot,
        "A source of order 2 over 8 symbols. The best that one token allows is known too. "
        "A third and a fourth token say nothing new, and do no harm.",
        "windows");
}

}  // namespace gradus::lesson05
