// Stage A of lesson 10: the bottleneck. Letters are to be said backwards by encoder-decoders whose one
// vector between the two is narrow, wider, wide: all learn from the same pairs for the same time.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/pairs/tokens.h"
#include "data/sources/echo.h"
#include "lessons/report.h"
#include "lessons/translation.h"
#include "nn/init.h"
#include "report/plot.h"

namespace gradus::lesson10 {

using lesson::counting, lesson::Report, lesson::Values;

// The shares of lengths first ... last, averaged.
inline double mean_share(const lesson::ByLength& by_length, double first, double last) {
    double total = 0, count = 0;
    for (size_t i = 0; i < by_length.lengths.size(); ++i) {
        if (by_length.lengths[i] < first || by_length.lengths[i] > last) continue;
        total += by_length.values[i];
        ++count;
    }
    return total / count;
}

inline void prove(lesson::Results& results, Report& report, const lesson::Options& options,
                  const std::filesystem::path& file) {
    const bool quick = options.quick;
    const data::Echo letters{.shortest = 1, .longest = 16, .reversed = true};
    Rng rng(options.seed);
    const auto train_pairs = letters.sample(rng, quick ? 2000 : 40'000);
    const lesson::Pairs pairs("letters backwards", train_pairs,
                              letters.sample(rng, quick ? 320 : 3200),
                              {.tokenizer = data::space_tokens});

    report.page.heading("Proof: one vector for everything");
    results.section("A. letters backwards, exactly right", "%");
    double chance = 0;  // every length is equally likely
    for (int64_t n = letters.shortest; n <= letters.longest; ++n)
        chance += std::pow(letters.letters, -n) / static_cast<double>(letters.longest);
    results.add("chance, the length known", chance);
    results.add("trivial baseline: word by word",
                lesson::exact(pairs.test,
                              lesson::word_by_word(lesson::learn_dictionary(pairs), pairs.test)));
    results.add("best classical: nearest example",
                lesson::exact(pairs.test, lesson::nearest_sentence(pairs.train, pairs.test)));

    report::Plot shares("Letters backwards, without attention", "letters", "share exactly right");
    report::Plot losses("Learning to say letters backwards", "step", "nats a letter, test pairs");
    std::vector<std::pair<std::string, lesson::ByLength>> all;
    for (const int64_t hidden : {128, 64, 32}) {
        if (quick && hidden != 32) continue;
        nn::manual_seed(options.seed);
        models::Seq2Seq model({.source_vocab = pairs.vocab.source().size(),
                               .target_vocab = pairs.vocab.target().size(),
                               .dim = 32,
                               .hidden = hidden,
                               .attention = {}});
        const lesson::Translator translator = lesson::translator(model);
        lesson::History history;
        const std::string name = fmt::format("{} units", hidden);
        const auto its_file = lesson::beside(file, fmt::format("backwards-{}", hidden));
        const bool resumed = !options.resume.empty() && std::filesystem::exists(its_file);
        if (!lesson::train_translator(
                "backwards, " + name, translator, pairs,
                {.epochs = quick ? 2.0 : 3.0, .rate = 5e-3, .seed = options.seed},
                {its_file, resumed}, history))
            return;
        const auto said = lesson::translate(translator, pairs, pairs.test);
        const lesson::ByLength by_length = lesson::exact_by_length(pairs.test, said);
        all.emplace_back(name, by_length);
        shares.path(name, by_length.lengths, by_length.values);
        losses.path(name, history.test_steps, history.test_losses);
        results.add("ours: " + name, lesson::exact(pairs.test, said));
    }
    results.add("optimum", 1);
    results.section("A. the same over length", "%");
    for (const auto& [name, by_length] : all) {
        const double near = mean_share(by_length, 1, 4), far = mean_share(by_length, 13, 16);
        const bool judged = !quick && name == "64 units";
        if (judged)
            results.add(name + ", 1 to 4 letters", near, lesson::at_least(0.95));
        else
            results.add(name + ", 1 to 4 letters", near);
        if (judged)
            results.add(name + ", 13 to 16 letters", far, lesson::at_most(0.3));
        else
            results.add(name + ", 13 to 16 letters", far);
    }
    report.figure(shares.y_range(0, 1),
                  "About 200 test pairs of each length. All three learn from the same pairs in the "
                  "same order; "
                  "they differ in width alone.",
                  "length");
    report.figure(losses.y_range(0, 3.3), "Teacher forcing: each letter is given all before it.",
                  "backwards");
}

}  // namespace gradus::lesson10
