// Stage A of lesson 11: a language whose translation and alignment are known. One network with
// attention, the same without, and what each makes of longer sentences.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "data/pairs/tokens.h"
#include "data/sources/permuted_dictionary.h"
#include "lessons/11-bahdanau/alignments.h"
#include "nn/init.h"
#include "report/plot.h"

namespace gradus::lesson11 {

// Of a generated source: pairs to learn from, and as many others to be tested on, none of which was
// learned from.
struct Generated {
    std::vector<data::Pair> train, test;
};
template <class Sample>
Generated generate(size_t train, size_t test, Sample sample) {
    Generated pairs;
    std::unordered_set<std::string> known;
    while (pairs.train.size() < train) {
        pairs.train.push_back(sample());
        known.insert(pairs.train.back().source);
    }
    while (pairs.test.size() < test)
        if (const data::Pair pair = sample(); !known.contains(pair.source))
            pairs.test.push_back(pair);
    return pairs;
}

// Share of target words whose source word is the one that is looked at most, `shift` rows after
// their own. truth[i][t]: the place that word t of pair i comes from.
inline double aligned(const std::vector<Alignment>& alignments,
                      const std::vector<std::vector<int32_t>>& truth, size_t shift = 0) {
    double right = 0, all = 0;
    for (size_t i = 0; i < truth.size(); ++i)
        for (size_t t = 0; t < truth[i].size(); ++t) {
            right += alignments[i].strongest(t + shift) == static_cast<size_t>(truth[i][t]);
            ++all;
        }
    return right / all;
}
inline double aligned(const models::IbmModel1& dictionary, const std::vector<data::PairIds>& pairs,
                      const std::vector<std::vector<int32_t>>& truth) {
    double right = 0, all = 0;
    for (size_t i = 0; i < truth.size(); ++i) {
        const std::span source(pairs[i].source), target(pairs[i].target);
        const auto found =
            dictionary.align(source.first(source.size() - 1), target.subspan(1, target.size() - 2));
        for (size_t t = 0; t < found.size(); ++t) right += found[t] == truth[i][t], ++all;
    }
    return right / all;
}

// A network of the proof, and how it fared.
struct Learner {
    std::string name;
    models::Seq2Seq model;
    lesson::History history{};
    std::vector<Ids> translations{};

    Learner(std::string its_name, const models::Seq2SeqOptions& options)
        : name(std::move(its_name)), model(options) {}
};

inline void judge_dictionary(lesson::Results& results, const Pairs& pairs,
                             const data::PermutedDictionaryOptions& language,
                             const std::vector<std::vector<int32_t>>& truth, Learner& with,
                             const std::optional<Learner>& without, bool judged) {
    const models::IbmModel1 dictionary = lesson::learn_dictionary(pairs);
    double guessed = 0, places = 0, diagonal = 0, words = 0;
    for (const auto& places_of : truth) {
        guessed += std::pow(1 / static_cast<double>(language.words),
                            static_cast<double>(places_of.size()));
        places += 1;  // one of n for each of n words
        words += static_cast<double>(places_of.size());
        for (size_t t = 0; t < places_of.size(); ++t)
            diagonal += places_of[t] == static_cast<int32_t>(t);
    }
    const auto sentences = static_cast<double>(truth.size());
    const double exact = lesson::exact(pairs.test, with.translations);
    results.section("A. permuted dictionary, exact translations", "%");
    results.add("chance: any words", guessed / sentences);
    results.add("trivial baseline: nearest sentence",
                lesson::exact(pairs.test, lesson::nearest_sentence(pairs.train, pairs.test)));
    results.add("best classical: IBM model 1, word by word",
                lesson::exact(pairs.test, lesson::word_by_word(dictionary, pairs.test)));
    if (without) results.add("without attention", lesson::exact(pairs.test, without->translations));
    if (judged)
        results.add("ours: with attention", exact, at_least(0.99));
    else
        results.add("ours: with attention", exact);
    results.add("optimum", 1);

    const std::vector<Alignment> alignments = align(with.model, pairs.test);
    results.section("A. permuted dictionary, words aligned", "%");
    results.add("chance: any place", places / words);
    results.add("trivial baseline: the same place", diagonal / words);
    results.add("best classical: IBM model 1", aligned(dictionary, pairs.test, truth));
    if (judged)
        results.add("ours: the strongest weight", aligned(alignments, truth), at_least(0.95));
    else
        results.add("ours: the strongest weight", aligned(alignments, truth));
    results.add("a row too late", aligned(alignments, truth, 1));
    results.add("optimum", 1);

    const auto lost = [&](const Learner& learner) {
        const Values shares = lesson::exact_by_length(pairs.test, learner.translations).values;
        return shares.front() - shares.back();
    };
    results.section(fmt::format("A. permuted dictionary, exact: lost from {} words to {}",
                                language.shortest, language.longest),
                    "%");
    if (without && judged)
        results.add("without attention", lost(*without), at_least(0.5));
    else if (without)
        results.add("without attention", lost(*without));
    if (judged)
        results.add("with attention", lost(with), at_most(0.03));
    else
        results.add("with attention", lost(with));
}

// `alone`: only the network with attention. Leaves early at Ctrl-C; what was learned is beside
// `checkpoint`.
inline void prove(lesson::Results& results, Report& report, nn::Score score, bool alone,
                  const lesson::Checkpoint& checkpoint, uint64_t seed, bool quick, bool judged) {
    const data::PermutedDictionaryOptions size{
        .words = 24, .shortest = 3, .longest = 10, .seed = seed + 1000};
    const data::PermutedDictionary language(size);
    Rng rng(seed);
    const Generated generated =
        generate(quick ? 1500 : 80'000, quick ? 100 : 2000, [&] { return language.sample(rng); });
    const Pairs pairs("permuted dictionary", generated.train, generated.test,
                      {.tokenizer = data::space_tokens});
    std::vector<std::vector<int32_t>> truth;
    for (const data::Pair& pair : generated.test) truth.push_back(language.alignment(pair.source));

    // The decoder is as wide as the encoder's two directions, so that any score can compare them.
    // Embeddings are narrow: a state has no room for its neighbours, and has to be looked at itself.
    const models::Seq2SeqOptions options{.source_vocab = pairs.vocab.source().size(),
                                         .target_vocab = pairs.vocab.target().size(),
                                         .dim = 16,
                                         .hidden = 32,
                                         .decoder = 64,
                                         .attention = score};
    nn::manual_seed(seed);
    Learner with("with attention", options);
    std::vector<Learner*> learners{&with};
    std::optional<Learner> without;
    if (!alone) {
        auto one_context = options;
        one_context.attention.reset();
        nn::manual_seed(seed);
        learners.push_back(&without.emplace("without attention", one_context));
    }
    for (Learner* learner : learners) {
        const std::string file = learner == &with ? "proof" : "proof-no-attention";
        const std::filesystem::path path = lesson::beside(checkpoint.file, file);
        if (!lesson::train_translator(learner->name, lesson::translator(learner->model), pairs,
                                      {.batch = 32, .epochs = 2, .rate = 8e-3, .seed = seed},
                                      {path, checkpoint.resume && std::filesystem::exists(path)},
                                      learner->history))
            return;
        learner->translations =
            lesson::translate(lesson::translator(learner->model), pairs, pairs.test);
    }

    judge_dictionary(results, pairs, size, truth, with, without, judged);
    report.page.heading("Proof: a context for every word");
    report::Plot lengths("Exact translations over length", "words", "share");
    report::Plot losses("Loss on the test pairs", "step", "nats a token");
    for (const Learner* learner : learners) {
        const auto [xs, shares] = lesson::exact_by_length(pairs.test, learner->translations);
        lengths.path(learner->name, xs, shares);
        losses.line(learner->name, learner->history.test_steps, learner->history.test_losses);
    }
    report.figure(lengths.y_range(0, 1),
                  "The same network, trained on the same sentences: with one context for the whole "
                  "translation, and with one for each word.",
                  "length");
    report.figure(losses.log_y().size(760, 300), "Both read the same batches.");
    std::vector<data::PairIds> some;
    size_t backwards = 0;
    for (size_t i = 0; i < pairs.test.size() && some.size() < 8; ++i) {
        if (truth[i].size() < 6) continue;
        if (truth[i].front() == static_cast<int32_t>(truth[i].size()) - 1) backwards = some.size();
        some.push_back(pairs.test[i]);
    }
    show_alignments(report, "Where it looks while it writes", with.model, pairs.vocab, some,
                    backwards, "alignment",
                    "Sentences of the test set: forwards, backwards, neighbours swapped, second "
                    "half first.");
}

}  // namespace gradus::lesson11
