// Stage B, characters: a GPT beside the n-gram and the networks of lessons 07 and 08, at equal time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lessons/13-gpt/language.h"
#include "nn/init.h"

namespace gradus::lesson13 {

// What the networks of lessons 07 and 08 do in the time of a step of the GPT: ratios of the medians of
// 35 steps taken in turn with one thread (64, 55 and 104 ms). They are fixed, so that the figures depend
// on no clock; the times are printed.
struct Rivals {
    int64_t hidden = 512;
    double rnn_steps = 1.15, lstm_steps = 0.61;  // for each step of the GPT
};

struct Characters {
    TrainedGPT gpt;
    std::optional<TrainedRNN> rnn, lstm;
};

// Trains the rivals as their own lessons do. False where Ctrl-C came first.
inline bool train_rivals(Characters& all, const lesson::Corpus& corpus, const Rivals& rivals,
                         int64_t gpt_steps, uint64_t seed, const lesson::Checkpoint& checkpoint) {
    const auto train = [&](std::optional<TrainedRNN>& network, Cell cell, const std::string& name,
                           double share, int64_t batch, double rate) {
        nn::manual_seed(seed);
        network.emplace(
            fmt::format("{}, {} units", name, rivals.hidden),
            models::RnnLmOptions{
                .cell = cell, .vocab = corpus.vocab.size(), .dim = 64, .hidden = rivals.hidden});
        const auto steps =
            std::max<int64_t>(1, std::llround(share * static_cast<double>(gpt_steps)));
        const auto file = lesson::beside(checkpoint.file, cell == Cell::lstm ? "lstm" : "rnn");
        return train_rnn(*network, corpus, steps, {.batch = batch, .rate = rate, .seed = seed},
                         {file, checkpoint.resume && std::filesystem::exists(file)});
    };
    return train(all.rnn, Cell::rnn_tanh, "RNN", rivals.rnn_steps, 32, 4e-3) &&
           train(all.lstm, Cell::lstm, "LSTM", rivals.lstm_steps, 16, 6e-3);
}

// Chance, trivial, classical, lessons 07's and 08's, ours; the optimum where it is known.
inline void judge_characters(lesson::Results& results, const lesson::Corpus& corpus,
                             const Values& counted, const Characters& all, double optimum) {
    const TrainedGPT& gpt = all.gpt;
    results.section(fmt::format("B. {}, nats a character", corpus.name));
    results.add("chance, ln V", std::log(static_cast<double>(corpus.vocab.size())));
    results.add("trivial baseline: counting characters", counted.front());
    results.add(fmt::format("best classical: n-gram, order 1-{}", counted.size()),
                *std::min_element(counted.begin(), counted.end()));
    if (all.rnn) results.add("lesson 07's: " + all.rnn->name, all.rnn->nats);
    if (all.lstm) results.add("lesson 08's: " + all.lstm->name, all.lstm->nats);
    results.add("ours: " + gpt.name, gpt.nats);
    if (std::isfinite(optimum)) results.add("optimum: the grammar's own", optimum);
    results.section(fmt::format("B. {}, what that took", corpus.name));
    const auto took = [&](const auto& trained) {
        results.add(trained.name + ": parameters", trained.parameters() / 1e6, "million");
        results.add(trained.name + ": characters read", trained.ids_read / 1e6, "million");
        results.add(trained.name + ": time", trained.history.seconds, "s");
    };
    if (all.rnn) took(*all.rnn);
    if (all.lstm) took(*all.lstm);
    took(gpt);
}

inline void show_characters(Report& report, const Characters& all, double ngram) {
    report::Plot time("Loss on the test text", "time, in steps of the GPT", "nats a character"),
        read("The same over what was read", "characters", "nats a character");
    const auto gpt_steps = static_cast<double>(all.gpt.history.losses.size());
    const auto draw = [&](const auto& trained) {
        const auto steps = static_cast<double>(trained.history.losses.size());
        Values times, ids;
        for (const double step : trained.history.test_steps) {
            times.push_back(step / steps * gpt_steps);
            ids.push_back(step / steps * trained.ids_read);
        }
        time.line(trained.name, times, trained.history.test_losses);
        read.line(trained.name, ids, trained.history.test_losses);
    };
    draw(all.gpt);
    if (all.rnn) draw(*all.rnn);
    if (all.lstm) draw(*all.lstm);
    report.figure(
        time.hline("best n-gram", ngram),
        "All end after the same time. Measured on the first 10,000 characters, on the way.",
        "loss");
    report.figure(read.hline("best n-gram", ngram), "");
}

// The heads, over the beginning of the test text.
inline void show_character_heads(lesson::Results& results, Report& report, models::GPT& model,
                                 const lesson::Corpus& corpus) {
    const int64_t T = std::min(model.options().context, corpus.test.size());
    const auto text_at = [&](int64_t first) {
        Shown shown{corpus.test.view({1, T}, first), {}};
        for (int64_t t = 0; t < T; ++t) {
            const std::string& token = corpus.vocab.token(shown.ids.values<int32_t>()[t]);
            shown.tokens.push_back(token == "\n" ? "↵" : token == " " ? "␣" : token);
        }
        return shown;
    };
    std::vector<Shown> texts{text_at(0)};
    for (int64_t i = 1; i < 5 && (i + 1) * T <= corpus.test.size(); ++i)
        texts.push_back(text_at(i * T));
    show_heads(report, "Every head of every layer", model, texts,
               "The beginning of the test text. Choose a piece and a head.");

    const nn::Evaluating scope(model);
    std::vector<Tensor> maps;
    model.hidden(texts.back().ids, &maps);
    const Head head = previous_token_head(maps);
    results.section("B. a head that looks one back", "%");
    results.add("mean weight on the character before, the best of all heads", head.weight);
    const int64_t shown = std::min<int64_t>(T, 24);
    const std::vector<std::string> tokens(texts.back().tokens.begin(),
                                          texts.back().tokens.begin() + shown);
    Values weights;
    for (int64_t t = 0; t < shown; ++t)
        for (int64_t s = 0; s < shown; ++s)
            weights.push_back(maps[head.layer].at((head.head * T + t) * T + s));
    report::Heatmap drawing(fmt::format("Layer {}, head {}", head.layer + 1, head.head + 1),
                            weights, static_cast<size_t>(shown));
    report.figure(drawing.labels(tokens, tokens).axes("reads", "looks at").range(0, 1),
                  "The head that looks most at the character before.", "head");
}

}  // namespace gradus::lesson13
