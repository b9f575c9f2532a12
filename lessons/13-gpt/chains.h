// Stage A: a source whose rules are new in every sequence. A GPT that has learned how to read them off
// has an optimum to be held to, which is counting.
// B batch · T time · K symbols
#pragma once

#include <cmath>
#include <string>

#include "data/sources/in_context.h"
#include "lessons/13-gpt/heads.h"
#include "models/gpt.h"
#include "models/ngram.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::lesson13 {

// -ln p of each target, [B, T], in f64.
inline Tensor nats_of(models::GPT& model, const data::Batch& rows) {
    const nn::Evaluating scope(model);
    const Tensor log_p = log_softmax(model(rows.x));  // [B, T, K]
    const int64_t K = log_p.size(2);
    Tensor nats = Tensor::empty(rows.y.shape(), Dtype::f64);
    for (int64_t i = 0; i < nats.size(); ++i)
        nats.set(i, -log_p.at(i * K + static_cast<int64_t>(rows.y.at(i))));
    return nats;
}

// What has followed each symbol, counted over many sequences: a bigram model that does not adapt.
inline double bigram_nats(const data::InContextChains& source, const data::Batch& test) {
    models::Ngram model({.vocab = source.symbols, .order = 2});
    const auto row = [](const Tensor& ids, int64_t b) {
        const auto T = static_cast<size_t>(ids.size(1));
        return ids.values<int32_t>().subspan(static_cast<size_t>(b) * T, T);
    };
    for (int64_t step = 0; step < 20; ++step) {
        const data::Batch batch = source.at(step);
        for (int64_t b = 0; b < batch.x.size(0); ++b) model.add(row(batch.x, b));
    }
    double nats = 0;
    for (int64_t b = 0; b < test.y.size(0); ++b) nats += model.nats(row(test.y, b), 1);
    return nats / static_cast<double>(test.y.size() - test.y.size(0));
}

// Of [B, T] the mean over rows at each time.
inline Values over_time(const Tensor& nats) {
    const int64_t B = nats.size(0), T = nats.size(1);
    Values means(static_cast<size_t>(T));
    for (int64_t i = 0; i < B * T; ++i)
        means[static_cast<size_t>(i % T)] += nats.at(i) / static_cast<double>(B);
    return means;
}

// GPT-2's N(0, 0.02) is made for a width of 768: 64 wide, all scores begin near 0, every head looks
// everywhere alike, and with some seeds none ever finds out where to look. With N(0, 1 / √D) they
// differ from the start.
inline void sharpen(models::GPT& model) {
    const double deviation = 1 / std::sqrt(static_cast<double>(model.options().dim));
    for (const auto& [path, x] : model.named_parameters())
        if (path.ends_with("attn.c_attn.weight")) nn::init::normal(x, 0, deviation);
}

inline void prove(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const data::InContextChains source{.seed = seed};
    const data::Batch test = data::InContextChains{.batch = quick ? 50 : 1000, .seed = ~seed}.at(0);
    const int64_t steps = quick ? 20 : 1000, dim = quick ? 32 : 64;

    nn::manual_seed(seed);
    models::GPT model(
        {.vocab = source.symbols, .context = source.time, .dim = dim, .heads = 2, .layers = 2});
    sharpen(model);
    const nn::WarmupCosine rate{.peak = 3e-3, .warmup = steps / 20, .total = steps};
    const auto losses = lesson::learn("chains", model, steps, rate, [&](int64_t step) {
        const auto [x, y] = source.at(step);
        return nn::cross_entropy(model(x), y);
    });
    if (lesson::interrupted()) return;

    const Tensor ours = nats_of(model, test), best = source.nats(test),
                 unigram = source.unigram_nats(test);
    const double optimum = mean(best).item(), loss = mean(ours).item();
    results.section("A. chains that are new in every sequence, nats a symbol");
    results.add("chance, ln 4", std::log(source.symbols));
    results.add("trivial baseline: a bigram that does not adapt", bigram_nats(source, test));
    results.add("classical: symbols counted in the sequence", mean(unigram).item());
    if (quick)
        results.add("ours: GPT, 2 layers", loss);
    else
        results.add("ours: GPT, 2 layers", loss, at_most(optimum + 0.03));
    results.add("optimum: posterior predictive", optimum);
    results.add("ours above the optimum", loss - optimum);

    report.page.heading("Proof: rules that are new in every sequence");
    report::Plot plot("Reading a chain off its own beginning", "symbols seen", "nats a symbol");
    const Values at = counting(static_cast<size_t>(source.time), 1);
    plot.line("GPT", at, over_time(ours))
        .line("posterior predictive", at, over_time(best))
        .line("symbols counted", at, over_time(unigram));
    report.figure(plot.hline("chance", std::log(source.symbols)),
                  "Mean over test sequences, each from a chain of its own.", "chains");
    report::Plot course("Chains", "step", "nats a symbol");
    smooth_line(course, "GPT", losses);
    course.hline("symbols counted", mean(unigram).item()).hline("posterior predictive", optimum);
    report.figure(course, "It first counts symbols, then what follows them.", "chains-course");
}

}  // namespace gradus::lesson13
