// Stage B of lesson 10: what is learned from, words with their sounds or sentences with their
// translations, how it is judged, and the lines to beat.
#pragma once

#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "lessons/10-seq2seq/letters.h"
#include "lessons/10-seq2seq/sounds.h"
#include "report/text.h"

namespace gradus::lesson10 {

struct Reality {
    lesson::Pairs pairs;
    std::vector<std::vector<Ids>> ways;  // of each test word; empty for sentences

    bool sounds() const { return !ways.empty(); }
    const char* item() const { return sounds() ? "word" : "sentence"; }
    const char* token() const { return sounds() ? "phoneme" : "word"; }
    std::string source(const data::PairIds& pair) const {
        std::string text;
        for (size_t i = 0; i + 1 < pair.source.size(); ++i)
            text += (sounds() || i == 0 ? "" : " ") + pairs.vocab.source().token(pair.source[i]);
        return text;
    }
    std::string target(const Ids& ids) const {
        return fmt::format("{}", fmt::join(pairs.vocab.target_tokens(ids), " "));
    }
};

// Words of the CMU dictionary, sentences of 4 to 15 words of anything else.
inline Reality read_reality(const lesson::Options& options, bool stress) {
    const data::PairData data = lesson::load_pair_data(options, "cmudict");
    if (data.name == "cmudict") {
        Sounds sounds = read_sounds(data, stress, options.quick ? 300 : 4000);
        return {std::move(sounds.pairs), std::move(sounds.ways)};
    }
    const bool generated = data.name == "generated";
    return {{data.name,
             data::all_pairs(data.train),
             data::all_pairs(data.test),
             {.tokenizer = generated ? data::space_tokens : data::word_tokens,
              .min_tokens = generated ? 1 : 4,
              .max_tokens = 15,
              .min_count = generated ? 1 : 2}},
            {}};
}

// How good it is: wrong phonemes for each there should be, or BLEU; and the share exactly right, any
// of a word's ways counting.
struct Judgement {
    double score, right;
};
inline Judgement judge(const Reality& reality, const std::vector<Ids>& said) {
    const lesson::Pairs& pairs = reality.pairs;
    if (!reality.sounds()) return {lesson::bleu(pairs, said), lesson::exact(pairs.test, said)};
    const auto right = nearest_ways(pairs.test, reality.ways, said);
    return {error_rate(right, said), lesson::exact(right, said)};
}

struct Line {
    std::string name;
    std::vector<Ids> said;
};

// What is said without a network: chance, the trivial baseline, the best classical method.
inline std::vector<Line> lines_to_beat(const Reality& reality, uint64_t seed) {
    const lesson::Pairs& pairs = reality.pairs;
    Rng rng(seed);
    Line chance{reality.sounds() ? "chance: a phoneme a letter" : "chance: any training sentence",
                {}};
    for (const data::PairIds& pair : pairs.test) {
        Ids& said = chance.said.emplace_back();
        if (reality.sounds()) {
            const int64_t phonemes = pairs.vocab.target().size() - (data::kUnknown + 1);
            for (size_t i = 0; i + 1 < pair.source.size(); ++i)
                said.push_back(static_cast<int32_t>(data::kUnknown + 1 + rng.below(phonemes)));
        } else {
            const auto any =
                static_cast<size_t>(rng.below(static_cast<int64_t>(pairs.train.size())));
            const Ids& target = pairs.train[any].target;
            said.assign(target.begin() + 1, target.end() - 1);
        }
    }
    std::vector<Line> lines{std::move(chance)};
    std::vector<Ids> by_token = lesson::word_by_word(lesson::learn_dictionary(pairs), pairs.test);
    if (reality.sounds()) {
        lines.push_back({"trivial baseline: letter by letter", std::move(by_token)});
        lines.push_back(
            {"best classical: letters in context", say_by_rules(LetterRules(pairs), pairs.test)});
    } else {
        lines.push_back({"classical: word by word", std::move(by_token)});
        lines.push_back(
            {"classical: nearest sentence", lesson::nearest_sentence(pairs.train, pairs.test)});
    }
    return lines;
}

// ln p of a target and its end, on average, as the model has it.
inline double log_probability(const lesson::Translator& translator,
                              const std::vector<data::PairIds>& pairs) {
    double tokens = 0;
    for (const data::PairIds& pair : pairs) tokens += static_cast<double>(pair.target.size() - 1);
    const auto count = static_cast<int64_t>(pairs.size());
    return -lesson::nats_per_token(translator, pairs, count) * tokens / static_cast<double>(count);
}

}  // namespace gradus::lesson10
