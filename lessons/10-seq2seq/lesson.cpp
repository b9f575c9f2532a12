// Lesson 10: sequence to sequence. Stage A (proof.h) draws what one vector can hold; stage B trains the
// same network to say English words as they are spelled, or to translate (reality.h).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lessons/10-seq2seq/proof.h"
#include "lessons/10-seq2seq/reality.h"
#include "lessons/numbers.h"

namespace {

using namespace gradus;
using namespace gradus::lesson10;
namespace fs = std::filesystem;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    std::string cell = "GRU";
    int64_t hidden = 0;  // 0: 192 for sounds, 256 for sentences
    double rate = 0;     // 0, below 0: what suits sounds or sentences
    double dropout = -1;
    double own_share = 0;
    int64_t beam = 5;
    double length_penalty = 0.6;
    bool stress = false;
    std::vector<std::string> say;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return cell != own.cell || hidden != own.hidden || rate != own.rate ||
               dropout != own.dropout || own_share != own.own_share || beam != own.beam ||
               length_penalty != own.length_penalty || stress != own.stress;
    }
};

void show_training(Report& report, const Reality& reality, const lesson::History& history) {
    report::Plot plot("Loss", "step", fmt::format("nats a {}", reality.token()));
    plot.noisy_line("training", counting(history.losses.size(), 1), history.losses);
    plot.path("test", history.test_steps, history.test_losses);
    report.figure(plot.log_y(), "Under teacher forcing.", "loss");
    report::Plot norm("The gradient's norm", "step", "norm before clipping");
    norm.noisy_line("norm", counting(history.norms.size(), 1), history.norms);
    report.figure(norm.log_y().size(760, 300), "The length of the whole gradient, batch by batch.");
}

// Chance, trivial, classical, ours; what is said by each.
void judge_all(lesson::Results& results, const Reality& reality, const std::vector<Line>& lines,
               bool judged) {
    const std::string name = reality.pairs.name;
    const bool sounds = reality.sounds();
    std::vector<Judgement> judgements;
    for (const Line& line : lines) judgements.push_back(judge(reality, line.said));
    results.section(fmt::format("B. {}, {}", name, sounds ? "phoneme error rate" : "BLEU"),
                    sounds ? "%" : "");
    for (size_t i = 0; i < lines.size(); ++i)
        if (judged && i + 1 == lines.size())
            results.add(lines[i].name, judgements[i].score, lesson::at_most(0.1));
        else
            results.add(lines[i].name, judgements[i].score);
    results.section(fmt::format("B. {}, {}s exactly right", name, reality.item()), "%");
    for (size_t i = 0; i < lines.size(); ++i)
        if (judged && i + 1 == lines.size())
            results.add(lines[i].name, judgements[i].right,
                        lesson::at_least(judgements[2].right + 0.02));
        else
            results.add(lines[i].name, judgements[i].right);
    if (name == "generated") results.add("optimum: the grammar's own", 1);
}

// Width against score and probability: what a wider search finds, and what it is worth.
void show_widths(lesson::Results& results, Report& report, const Reality& reality,
                 const lesson::Translator& translator, const Settings& settings) {
    const lesson::Pairs& pairs = reality.pairs;
    const bool sounds = reality.sounds();
    results.section(fmt::format("B. {}, the width of the beam", pairs.name));
    Values widths, scores, nats;
    const auto measure = [&](const std::string& how, int64_t width, double length_penalty) {
        const auto said = lesson::translate(translator, pairs, pairs.test, width, length_penalty);
        const double score = judge(reality, said).score;
        const double ln_p = log_probability(translator, with_targets(pairs.test, said));
        results.add(fmt::format("{}, {}", sounds ? "phoneme error rate" : "BLEU", how), score,
                    sounds ? "%" : "");
        results.add("ln p of what is said, " + how, ln_p);
        return std::pair(score, ln_p);
    };
    for (const int64_t width : {1, 2, 5, 10}) {
        const auto measured =
            measure(fmt::format("width {}", width), width, settings.length_penalty);
        widths.push_back(static_cast<double>(width));
        scores.push_back(measured.first);
        nats.push_back(measured.second);
    }
    if (settings.length_penalty > 0) measure("width 5, no length penalty", 5, 0);
    const double right = log_probability(translator, pairs.test);
    results.add("ln p of what is right", right);
    report::Plot score("A wider beam", "width", sounds ? "phoneme error rate" : "BLEU");
    report.figure(score.path("score", widths, scores).log_x().size(760, 300),
                  sounds ? "Lower is better." : "Higher is better.", "width");
    report::Plot probability("What it finds", "width",
                             fmt::format("ln p of a {}, mean", reality.item()));
    probability.path("said", widths, nats).hline("right", right).log_x();
    report.figure(probability.size(760, 300),
                  "Where what is said is more probable to the model than what is right, no search "
                  "can help.");
}

// Share of exact ones among sources of first ... last tokens.
double exact_between(const std::vector<data::PairIds>& pairs, const std::vector<Ids>& said,
                     size_t first, size_t last) {
    std::vector<data::PairIds> chosen;
    std::vector<Ids> said_of_them;
    for (size_t i = 0; i < pairs.size(); ++i) {
        const size_t length = pairs[i].source.size() - 1;
        if (length < first || length > last) continue;
        chosen.push_back(pairs[i]);
        said_of_them.push_back(said[i]);
    }
    return chosen.size() < 20 ? NAN : lesson::exact(chosen, said_of_them);
}

// Right over length, beside the classical line.
void show_lengths(lesson::Results& results, Report& report, const Reality& reality,
                  const std::vector<Line>& lines) {
    const lesson::Pairs& pairs = reality.pairs;
    report::Plot plot(fmt::format("Exactly right over length, {}", pairs.name),
                      reality.sounds() ? "letters" : "words", "share exactly right");
    results.section(fmt::format("B. {}, exactly right over length", pairs.name), "%");
    for (const size_t i : {lines.size() - 1, size_t{2}}) {
        const auto& [name, said] = lines[i];
        const auto right =
            reality.sounds() ? nearest_ways(pairs.test, reality.ways, said) : pairs.test;
        Values lengths = lesson::exact_by_length(right, said).lengths, shares;
        for (const double length : lengths) {
            const auto n = static_cast<size_t>(length);
            shares.push_back(exact_between(right, said, n, n));
        }
        plot.path(name, lengths, shares);
        if (!reality.sounds()) continue;
        results.add(name + ", 3 to 6 letters", exact_between(right, said, 3, 6));
        results.add(name + ", 11 letters and more", exact_between(right, said, 11, 99));
    }
    report.figure(plot.y_range(0, 1), "Lengths with fewer than 20 of the test set are left out.",
                  "reality");
}

// A few of the test set: some at random places, and some where the two searches differ.
void show_samples(Report& report, const Reality& reality, const std::vector<Ids>& greedy,
                  const std::vector<Ids>& beam, const lesson::Translator& translator) {
    const auto& test = reality.pairs.test;
    std::vector<size_t> chosen;
    for (size_t i = 0; i < 10; ++i) chosen.push_back((2 * i + 1) * test.size() / 20);
    for (size_t step = 0; step < test.size() && chosen.size() < 18; ++step)
        if (const size_t i = step * 389 % test.size(); greedy[i] != beam[i]) chosen.push_back(i);
    report::Table table("Greedy choice and beam search",
                        {reality.item(), "right", "greedy", "ln p", "beam", "ln p"});
    for (const size_t i : chosen) {
        if (i == chosen[std::min<size_t>(10, chosen.size() - 1)])
            table.section("where the two differ");
        const auto ln_p = [&](const Ids& said) {
            return report::number(log_probability(translator, with_targets({test[i]}, {said})), 3);
        };
        const Ids& right = test[i].target;
        table.row({reality.source(test[i]), reality.target({right.begin() + 1, right.end()}),
                   reality.target(greedy[i]), ln_p(greedy[i]), reality.target(beam[i]),
                   ln_p(beam[i])});
    }
    report.page.heading("Samples").table(table);
    fmt::print("\n{}", table.text());
}

// What nobody has asked it before.
void show_said(Report& report, const Reality& reality, const lesson::Translator& translator,
               const Settings& settings) {
    std::vector<std::string> texts = settings.say;
    if (texts.empty() && reality.sounds())
        texts = {"gradus", "backprop", "bahdanau", "tokenizer", "autoencoder", "overparametrized"};
    std::vector<data::PairIds> asked;
    for (const std::string& text : texts) {
        std::string spelled = text;
        if (reality.sounds()) {
            const auto letters = data::character_tokens(text);
            spelled = fmt::format("{}", fmt::join(letters, " "));
        }
        asked.push_back({reality.pairs.vocab.encode_source(spelled), {data::kStart, data::kEnd}});
    }
    if (asked.empty()) return;
    const auto said =
        lesson::translate(translator, reality.pairs, asked, settings.beam, settings.length_penalty);
    report::Table table("New to it", {reality.item(), "said"});
    for (size_t i = 0; i < asked.size(); ++i) table.row({texts[i], reality.target(said[i])});
    report.page.table(table);
    fmt::print("\n{}", table.text());
}

int run(const lesson::Options& options, const Settings& settings) {
    const Reality reality = read_reality(options, settings.stress);
    const lesson::Pairs& pairs = reality.pairs;
    const bool sounds = reality.sounds(), full = !options.quick;
    Report report{report::Page{"Lesson 10 · Sequence to sequence",
                               "Encoder, decoder, and the one vector between them."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    const fs::path file = !options.resume.empty() ? options.resume : options.checkpoint();
    prove(results, report, options, file);  // after Ctrl-C, stage B stops at its first step

    nn::manual_seed(options.seed);
    const int64_t wanted = settings.hidden > 0 ? settings.hidden : sounds ? 192 : 256;
    const int64_t hidden = full ? wanted : std::min<int64_t>(wanted, 64);
    models::Seq2Seq model(
        {.source_vocab = pairs.vocab.source().size(),
         .target_vocab = pairs.vocab.target().size(),
         .dim = sounds ? 64 : hidden,
         .hidden = hidden,
         .cell = settings.cell == "LSTM"  ? Cell::lstm
                 : settings.cell == "GRU" ? Cell::gru
                                          : Cell::rnn_tanh,
         .attention = {},
         .dropout = settings.dropout >= 0 ? settings.dropout : (sounds ? 0 : 0.2)});
    Rng own_words(options.seed);
    const lesson::Translator translator = lesson::translator(
        model, settings.own_share, settings.own_share > 0 ? &own_words : nullptr);
    const double usual = sounds ? 3e-3 : 1e-3;
    const lesson::PairTrainingOptions course{
        .epochs = static_cast<double>(options.epochs_or(sounds ? 3 : 8, 1)),
        .rate = settings.rate > 0 ? settings.rate : usual,
        .seed = options.seed};
    lesson::History history;
    const bool resumed = !options.resume.empty() && fs::exists(file);
    if (!lesson::train_translator(pairs.name, translator, pairs, course, {file, resumed}, history))
        return lesson::stopped(options, file);
    if (!options.save.empty() && file != options.save)
        fs::copy_file(file, options.save, fs::copy_options::overwrite_existing);

    report.page.heading(sounds ? "Letters to sounds" : "Translation: " + pairs.name);
    report.page.text(fmt::format(
        "{} training pairs, {} test {}s; {} kinds of source tokens, {} of target tokens. {} x {}: "
        "{} "
        "parameters, {} passes in batches of {}, trained in {}.",
        report::number(static_cast<double>(pairs.train.size())), pairs.test.size(), reality.item(),
        pairs.vocab.source().size(), pairs.vocab.target().size(), settings.cell,
        model.options().hidden, report::number(static_cast<double>(model.parameter_count())),
        course.epochs, course.batch, report::duration(history.seconds)));
    show_training(report, reality, history);

    std::vector<Line> lines = lines_to_beat(reality, options.seed);
    lines.push_back({"ours: greedy", lesson::translate(translator, pairs, pairs.test)});
    lines.push_back(
        {fmt::format("ours: beam of {}", settings.beam),
         lesson::translate(translator, pairs, pairs.test, settings.beam, settings.length_penalty)});
    judge_all(results, reality, lines,
              pairs.name == "cmudict" && options.is_default_run() && !settings.ablated());
    results.section(fmt::format("B. {}, further figures", pairs.name));
    results.add(
        fmt::format("nats a {} of the test set", reality.token()),
        lesson::nats_per_token(translator, pairs.test, static_cast<int64_t>(pairs.test.size())));
    if (sounds) {
        const auto several =
            std::ranges::count_if(reality.ways, [](const auto& ways) { return ways.size() > 1; });
        for (const size_t i : {size_t{2}, lines.size() - 1})
            results.add("wrong phonemes in a word that is wrong, " + lines[i].name,
                        errors_a_wrong_word(nearest_ways(pairs.test, reality.ways, lines[i].said),
                                            lines[i].said));
        results.add("test words that can be said in several ways",
                    static_cast<double>(several) / static_cast<double>(pairs.test.size()), "%");
    }
    show_widths(results, report, reality, translator, settings);
    show_lengths(results, report, reality, lines);
    show_samples(report, reality, lines[3].said, lines[4].said, translator);
    show_said(report, reality, translator, settings);
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--cell", settings.cell, "Cell of stage B")
            ->check(CLI::IsMember({"LSTM", "GRU", "RNN"}))
            ->capture_default_str();
        app.add_option("--hidden", settings.hidden,
                       "Units of stage B's encoder, each way, and decoder, instead of what suits")
            ->check(CLI::Range(1, 4096));
        app.add_option("--lr", settings.rate,
                       "Peak of the learning rate, instead of what suits the pairs")
            ->check(lesson::positive);
        app.add_option("--dropout", settings.dropout,
                       "On the embeddings and before the head, instead of what suits")
            ->check(CLI::Range(0.0, 0.9));
        app.add_option("--own-share", settings.own_share,
                       "Share of the steps in training that read the decoder's own words "
                       "(scheduled sampling)")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
        app.add_option("--beam", settings.beam, "Width of the beam; 1 is greedy choice")
            ->check(CLI::Range(1, 100))
            ->capture_default_str();
        app.add_option("--length-penalty", settings.length_penalty,
                       "How much longer ones are preferred; 0: not at all")
            ->check(lesson::not_negative)
            ->capture_default_str();
        app.add_flag("--stress", settings.stress, "Learn the stress of vowels, too");
        app.add_option("--say", settings.say, "Words or sentences to try it on")
            ->type_name("TEXT ...");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 10: sequence to sequence",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
