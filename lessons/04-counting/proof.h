// Stage A of lesson 04: a source whose best possible loss is known, a network with one layer that ends
// up as a table of counts, and how much text a table needs.
#pragma once

#include <cmath>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "data/sources/markov.h"
#include "lessons/common.h"
#include "lessons/report.h"
#include "models/ngram.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "report/plot.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::lesson04 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Report, lesson::Values;
using models::Ngram, models::NgramOptions, models::Smoothing;

// The mean loss of a text's tokens from `first` on.
inline double nats_per_token(const Ngram& model, const Tensor& text, int64_t first) {
    return model.nats(text.values<int32_t>(), static_cast<size_t>(first)) /
           static_cast<double>(text.size() - first);
}

inline Ngram counted(const Tensor& text, const NgramOptions& options) {
    Ngram model(options);
    model.add(text.values<int32_t>());
    return model;
}

// The losses over the steps of a layer without a bias: the logits after token a are row a of its
// weight, which is what the product with a one-hot vector gives.
inline Values train_softmax(nn::Embedding& layer, const Tensor& text, int steps) {
    const Tensor before = text.view({text.size() - 1}), after = text.view({text.size() - 1}, 1);
    nn::init::zeros(layer.weight);
    nn::Adam optimizer(layer.parameters(), {.lr = 0.1});
    Values losses;
    for (int step = 0; step <= steps && !lesson::interrupted(); ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(layer(before), after);  // [N, V], [N]
        losses.push_back(loss.item());
        tape.backward(loss);
        if (step < steps) optimizer.step();
    }
    return losses;
}

// How far a table of order n stays above the optimum after N tokens, and theory's K^{n-1}(K - 1) / 2N:
// each free probability costs half a nat, shared out over the text it was learned from.
inline void draw_price(Report& report, const data::Markov& source, bool quick, Rng& rng) {
    const int64_t k = source.symbols();
    const Tensor test = source.sample(50000, rng);
    const double best = source.nats(test) / static_cast<double>(test.size() - 1);
    const int draws = quick ? 1 : 8;
    report::Plot plot("What a table costs", "tokens counted", "loss above the optimum (nats)");
    for (int order = 2; order <= 4; ++order) {
        Values sizes, measured, theory;
        for (int64_t n = 500; n <= (quick ? 8000 : 256000); n *= 2) {
            double above = 0;
            for (int draw = 0; draw < draws; ++draw) {
                const Ngram model = counted(
                    source.sample(n, rng),
                    {.vocab = k, .order = order, .smoothing = Smoothing::add_alpha, .alpha = 0.5});
                above += nats_per_token(model, test, 1) - best;
            }
            const double entries = std::pow(k, order - 1) * static_cast<double>(k - 1);
            sizes.push_back(static_cast<double>(n));
            measured.push_back(above / draws);
            theory.push_back(entries / 2 / static_cast<double>(n));
        }
        plot.line(fmt::format("order {}, theory", order), sizes, theory);
        plot.points(fmt::format("order {}, counted", order), sizes, measured);
    }
    report.figure(plot.log_x().log_y(),
                  fmt::format("A chain of order 2 needs only pairs. Each order more multiplies the "
                              "table by K = {}, and the text that fills it. Counts with α = 0.5, "
                              "means over {} texts.",
                              k, draws),
                  "price");
}

inline void prove(lesson::Results& results, Report& report, const lesson::Options& options) {
    Rng rng(options.seed);
    const auto source = data::Markov::symmetric(8, 0.7);
    const Tensor train = source.sample(options.quick ? 20000 : 200000, rng);
    const Tensor test = source.sample(options.quick ? 10000 : 200000, rng);
    const double best = source.nats(test) / static_cast<double>(test.size() - 1);

    // Counts as they are: an α too small to be seen.
    const NgramOptions plain{
        .vocab = 8, .order = 2, .smoothing = Smoothing::add_alpha, .alpha = 1e-6};
    const Ngram bigram = counted(train, plain);
    const double on_train = nats_per_token(bigram, train, 1);
    nn::Embedding layer(8, 8);
    const int steps = options.epochs_or(150, 100);
    const Values losses = train_softmax(layer, train, steps);
    Ngram unigram({.vocab = 8, .order = 1});
    unigram.add(train.values<int32_t>());

    const double counted_loss = nats_per_token(bigram, test, 1);
    const Tensor before = test.view({test.size() - 1}), after = test.view({test.size() - 1}, 1);
    results.section("A. Markov chain, K = 8, stays with 0.7: test loss", "nats");
    results.add("chance, ln 8", std::log(8));
    results.add("trivial baseline: how often each token stands", nats_per_token(unigram, test, 1));
    results.add("best classical: counted bigrams", counted_loss);
    results.add("ours: one layer and a softmax", nn::cross_entropy(layer(before), after).item());
    results.add("optimum: the chain itself, on these tokens", best,
                within(1.1946, options.quick ? 0.06 : 0.01));
    results.add("counted bigrams above the optimum", counted_loss - best,
                within(0, options.quick ? 0.01 : 0.001));
    results.section("A. one layer and a softmax: training loss", "nats");
    results.add("counted bigrams", on_train);
    results.add("ours", losses.back());
    results.add("difference", losses.back() - on_train, within(0, 0.002));

    report.page.heading("Proof: a chain whose best loss is known");
    report.page.text(fmt::format(
        "Eight tokens; each stays with probability 0.7, else one of the seven others follows. {} "
        "tokens to count, {} to test. The entropy rate is {:.4f} nats; on these very test tokens "
        "the chain itself has {:.4f}.",
        report::number(static_cast<double>(train.size())),
        report::number(static_cast<double>(test.size())), source.entropy_rate(), best));
    report::Plot plot("One layer and a softmax", "step", "training loss (nats)");
    plot.line("softmax, Adam", counting(losses.size()), losses);
    plot.hline("counted bigrams", on_train).size(760, 300);
    report.figure(plot, "It begins at ln 8 and ends as the table of counts.", "softmax");
    draw_price(report, source, options.quick, rng);
}

}  // namespace gradus::lesson04
