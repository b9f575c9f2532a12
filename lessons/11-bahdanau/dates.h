// The first half of stage B of lesson 11: dates in twenty styles, letter by letter, to ISO 8601.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "data/sources/dates.h"
#include "lessons/11-bahdanau/proof.h"

namespace gradus::lesson11 {

// Leaves early at Ctrl-C; what was learned is beside `checkpoint`.
inline void read_dates(lesson::Results& results, Report& report, nn::Score score,
                       const lesson::Checkpoint& checkpoint, uint64_t seed, bool quick,
                       bool judged) {
    Rng rng(seed);
    const Generated generated = generate(quick ? 1000 : 20'000, quick ? 100 : 2000,
                                         [&] { return data::Dates::sample(rng); });
    const Pairs pairs("dates", generated.train, generated.test,
                      {.tokenizer = data::character_tokens});
    nn::manual_seed(seed);
    Learner reader("dates", {.source_vocab = pairs.vocab.source().size(),
                             .target_vocab = pairs.vocab.target().size(),
                             .dim = 32,
                             .hidden = 32,
                             .decoder = 64,
                             .attention = score});
    const lesson::Translator translator = lesson::translator(reader.model);
    const std::filesystem::path path = lesson::beside(checkpoint.file, "dates");
    if (!lesson::train_translator(
            "dates", translator, pairs,
            {.batch = 32, .epochs = quick ? 1.0 : 3.0, .rate = 5e-3, .seed = seed},
            {path, checkpoint.resume && std::filesystem::exists(path)}, reader.history))
        return;
    reader.translations = lesson::translate(translator, pairs, pairs.test);

    const double exact = lesson::exact(pairs.test, reader.translations);
    constexpr double kDays = 36'525;  // of a hundred years
    results.section("B. dates, exactly right", "%");
    results.add("chance: any day", 1 / kDays);
    results.add("trivial baseline: the date with most letters in common",
                lesson::exact(pairs.test, lesson::nearest_sentence(pairs.train, pairs.test)));
    results.add("best classical: IBM model 1, letter by letter",
                lesson::exact(pairs.test,
                              lesson::word_by_word(lesson::learn_dictionary(pairs), pairs.test)));
    if (judged)
        results.add("ours", exact, at_least(0.98));
    else
        results.add("ours", exact);
    results.add("optimum", 1);

    report.page.heading("Dates");
    report.page.text(
        fmt::format("{} dates to learn from, {} to be tested on; {} parameters, trained in {}.",
                    report::number(static_cast<double>(pairs.train.size())),
                    report::number(static_cast<double>(pairs.test.size())),
                    report::number(static_cast<double>(reader.model.parameter_count())),
                    report::duration(reader.history.seconds)));
    // One of each of the first ten styles, of days that are all in the test set.
    std::vector<data::Pair> shown;
    for (int64_t style = 0; style < 10; ++style) {
        const std::string iso = generated.test[static_cast<size_t>(style)].target;
        const std::chrono::year_month_day day(
            std::chrono::year(std::stoi(iso.substr(0, 4))),
            std::chrono::month(static_cast<unsigned>(std::stoi(iso.substr(5, 2)))),
            std::chrono::day(static_cast<unsigned>(std::stoi(iso.substr(8)))));
        shown.push_back({data::Dates::write(day, 2 * style), iso});
    }
    const std::vector<data::PairIds> asked = pairs.vocab.encode(shown).ids;
    show_alignments(report, "Where it looks while it writes a date", reader.model, pairs.vocab,
                    said(asked, lesson::translate(translator, pairs, asked)), 2, "dates",
                    "Ten styles. What it writes stands at the side, what it reads on top.");
}

}  // namespace gradus::lesson11
