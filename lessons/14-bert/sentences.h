// Stage A: does the second sentence go on where the first one ended?
#pragma once

#include "data/sources/next_sentence.h"
#include "lessons/14-bert/guess.h"

namespace gradus::lesson14 {

inline void prove_sentences(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const data::ChainPairs source{
        .chain = data::Markov::symmetric(3, 0.8), .batch = 64, .seed = seed};
    const data::PairFrame frame{.classify = 3, .separator = 4, .padding = 5};
    const auto fresh = fresh_model(
        {.vocab = 6, .positions = source.time(), .dim = 32, .heads = 2, .layers = 2, .ff = 64},
        seed);
    models::BERTPretraining& model = *fresh;
    const auto logits_of = [&](const data::FramedPairs& pairs) {
        return model.next_sentence(model.bert(pairs.ids, pairs.segments, pairs.lengths));
    };
    const int64_t steps = quick ? 30 : 1500;
    const Values losses = lesson::learn(
        "next sentence", model, steps,
        nn::WarmupCosine{.peak = 1e-3, .warmup = steps / 10, .total = steps}, [&](int64_t step) {
            const auto pairs = data::framed(source.at(step), source.time(), frame);
            return nn::cross_entropy(logits_of(pairs), pairs.labels);
        });
    if (lesson::interrupted()) return;

    model.eval();
    data::ChainPairs unseen = source;
    unseen.seed = seed + 1'000'000;
    unseen.batch = quick ? 500 : 5000;
    double ours = 0, best = 0, count = 0, nats = 0;
    for (int64_t step = 0; step < 8; ++step) {
        const auto pairs = unseen.at(step);
        const auto rows = data::framed(pairs, source.time(), frame);
        const Tensor logits = logits_of(rows), said = argmax(logits);
        nats += nn::cross_entropy(logits, rows.labels).item() / 8;
        for (size_t i = 0; i < pairs.size(); ++i) {
            ours += said.at(static_cast<int64_t>(i)) == rows.labels.at(static_cast<int64_t>(i));
            best += (source.next_probability(pairs[i]) > 0.5) == pairs[i].is_next;
            ++count;
        }
    }
    results.section("A. does the second sentence follow, chain of three", "%");
    results.add("chance", 0.5);
    if (quick)
        results.add("ours", ours / count);
    else
        results.add("ours", ours / count, within(source.best_accuracy(), 0.01));
    results.add("the best rule, on the same pairs", best / count);
    results.add("optimum", source.best_accuracy());
    results.add("ours, nats", nats, "nats");
    results.add("optimum, nats", source.least_nats(), "nats");
    report::Plot course("The next sentence", "step", "nats");
    lesson::smooth_line(course, "ours", losses);
    report.figure(course.hline("optimum", source.least_nats()), "Means of ten batches.");
}

}  // namespace gradus::lesson14
