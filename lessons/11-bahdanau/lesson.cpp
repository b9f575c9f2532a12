// Lesson 11: attention. Stage A (proof.h) translates a language whose alignment is known; stage B reads
// dates (dates.h) and translates English to French, with attention and without.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lessons/11-bahdanau/dates.h"
#include "lessons/11-bahdanau/proof.h"

namespace {

using namespace gradus;
using namespace gradus::lesson11;
namespace fs = std::filesystem;

// The networks that translate sentences, and how they learn. All that suits en-fr stands here.
struct Course {
    int64_t min_count = 3;
    int64_t dim = 128, hidden = 192;
    double dropout = 0.2;
    int64_t batch = 64;
    double rate = 2e-3;
    int epochs = 5;
};
constexpr Course kFull, kQuick{.dim = 64, .hidden = 64, .epochs = 1};

// What can be changed from the command line beside the common options.
struct Settings {
    nn::Score score = nn::Score::additive;
    bool proof = false, alone = false;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const { return score != nn::Score::additive; }
    // A dot product compares vectors of one width.
    bool wide() const { return score == nn::Score::dot || score == nn::Score::scaled_dot; }
};

// A network of stage B with all that is known about it.
struct Contestant : Learner {
    using Learner::Learner;
    std::vector<Ids> by_beam{};
    double greedy_bleu = 0, beam_bleu = 0;
};

// False where Ctrl-C came first.
bool compete(Contestant& network, const Pairs& pairs, const lesson::PairTrainingOptions& options,
             const lesson::Checkpoint& checkpoint) {
    const lesson::Translator translator = lesson::translator(network.model);
    if (!lesson::train_translator(network.name, translator, pairs, options, checkpoint,
                                  network.history))
        return false;
    network.translations = lesson::translate(translator, pairs, pairs.test);
    network.by_beam = lesson::translate(translator, pairs, pairs.test, 5);
    network.greedy_bleu = lesson::bleu(pairs, network.translations);
    network.beam_bleu = lesson::bleu(pairs, network.by_beam);
    return true;
}

// The same network without attention, wider by so much that it has at least as many parameters.
models::Seq2SeqOptions without_attention(models::Seq2SeqOptions options, int64_t parameters) {
    options.attention.reset();
    options.decoder = 0;
    while (models::Seq2Seq(options).parameter_count() < parameters) options.hidden += 4;
    return options;
}

// Chance, trivial, classical, without attention, ours.
void judge(lesson::Results& results, const Pairs& pairs, const Contestant& ours,
           const std::optional<Contestant>& without, bool judged) {
    lesson::add_bleu_to_beat(results, pairs);
    if (without) {
        results.add("without attention, greedy", without->greedy_bleu);
        results.add("without attention, beam of 5", without->beam_bleu);
    }
    results.add("ours: Bahdanau, greedy", ours.greedy_bleu);
    results.add("ours: Bahdanau, beam of 5", ours.beam_bleu);
    if (without) {
        const double gained = ours.beam_bleu - without->beam_bleu;
        if (judged)
            results.add("attention is worth, beam of 5", gained, at_least(5));
        else
            results.add("attention is worth, beam of 5", gained);
    }
    results.section(fmt::format("B. {}, further figures", pairs.name));
    results.add("ours: exactly right", lesson::exact(pairs.test, ours.by_beam), "%");
    results.add("ours: nats a token", ours.history.test_losses.back());
    if (!without) return;
    results.add("without attention: exactly right", lesson::exact(pairs.test, without->by_beam),
                "%");
    results.add("without attention: nats a token", without->history.test_losses.back());
}

void show_translations(Report& report, const Pairs& pairs, Contestant& ours,
                       const std::optional<Contestant>& without) {
    const auto read = [](const Tokens& tokens) { return data::detokenize(tokens); };
    report::Table table("Ten sentences of the test set", {"", ""});
    std::vector<data::PairIds> asked;
    std::vector<Ids> translations;
    const size_t count = std::min<size_t>(10, pairs.test.size());
    for (size_t i = 0; i < count; ++i) {
        const size_t at = i * pairs.test.size() / count;
        asked.push_back(pairs.test[at]);
        translations.push_back(ours.translations[at]);
        Tokens source = labels(pairs.vocab, pairs.test[at]).columns;
        source.pop_back();  // its end
        table.section(read(source));
        table.row({"reference", read(pairs.references[at])});
        if (without)
            table.row(
                {"without attention", read(pairs.vocab.target_tokens(without->translations[at]))});
        table.row({"Bahdanau", read(pairs.vocab.target_tokens(ours.translations[at]))});
    }
    report.page.table(table);
    show_alignments(report, "Where it looks while it translates", ours.model, pairs.vocab,
                    said(asked, translations), 0, "translation",
                    "The same ten, chosen greedily: a row for each word that it writes.");
}

void show_courses(Report& report, const Pairs& pairs, const std::vector<const Contestant*>& all) {
    report::Plot loss("Loss on test sentences", "step", "nats a token");
    report::Plot length("BLEU over the length of the source", "words", "BLEU");
    for (const Contestant* network : all) {
        loss.line(network->name, network->history.test_steps, network->history.test_losses);
        const auto [lengths, scores] = lesson::bleu_by_length(pairs, network->by_beam);
        length.path(network->name, lengths, scores);
    }
    report.figure(loss, "Measured on 512 of them, on the way.");
    report.figure(length, "Beam of 5; sentences of two lengths together.", "bleu");
}

// False where Ctrl-C came first.
bool translate(lesson::Results& results, Report& report, const lesson::Options& options,
               const Settings& settings, const lesson::Checkpoint& checkpoint) {
    const Course& course = options.quick ? kQuick : kFull;
    const data::PairData data = lesson::load_pair_data(options, "en-fr");
    const Pairs pairs(data.name, data::all_pairs(data.train), data::all_pairs(data.test),
                      lesson::tokens_of(data.name, course.min_count));
    const models::Seq2SeqOptions network{.source_vocab = pairs.vocab.source().size(),
                                         .target_vocab = pairs.vocab.target().size(),
                                         .dim = course.dim,
                                         .hidden = course.hidden,
                                         .decoder = settings.wide() ? 2 * course.hidden : 0,
                                         .attention = settings.score,
                                         .maxout = true,
                                         .dropout = course.dropout};
    const lesson::PairTrainingOptions training{
        .batch = course.batch,
        .epochs = static_cast<double>(options.epochs_or(kFull.epochs, kQuick.epochs)),
        .rate = course.rate,
        .seed = options.seed};
    nn::manual_seed(options.seed);
    Contestant ours("Bahdanau", network);
    if (!compete(ours, pairs, training, checkpoint)) return false;
    std::optional<Contestant> without;
    if (!settings.alone) {
        const auto wider = without_attention(network, ours.model.parameter_count());
        nn::manual_seed(options.seed);
        without.emplace("without attention", wider);
        const fs::path file = lesson::beside(checkpoint.file, "no-attention");
        if (!compete(*without, pairs, training, {file, checkpoint.resume && fs::exists(file)}))
            return false;
    }

    judge(results, pairs, ours, without,
          pairs.name == "en-fr" && options.is_default_run() && !settings.ablated());
    report.page.heading("Translation: " + pairs.name);
    std::vector<const Contestant*> all{&ours};
    if (without) all.push_back(&*without);
    for (const Contestant* contestant : all)
        report.page.text(fmt::format(
            "{}: {} parameters, trained on {} pairs in {}; {} to be tested on. {} and {} words.",
            contestant->name,
            report::number(static_cast<double>(contestant->model.parameter_count())),
            report::number(static_cast<double>(pairs.train.size())),
            report::duration(contestant->history.seconds),
            report::number(static_cast<double>(pairs.test.size())), pairs.vocab.source().size(),
            pairs.vocab.target().size()));
    show_courses(report, pairs, all);
    show_translations(report, pairs, ours, without);
    return true;
}

int run(const lesson::Options& options, const Settings& settings) {
    Report report{report::Page{"Lesson 11 · Attention",
                               "A decoder that looks at the source again for every word."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    const bool resumed = !options.resume.empty();
    const lesson::Checkpoint checkpoint{resumed ? options.resume : options.checkpoint(), resumed};
    const bool judged = !options.quick && !settings.ablated();

    prove(results, report, settings.score, settings.alone, checkpoint, options.seed, options.quick,
          judged);
    if (settings.proof && !lesson::interrupted()) return results.finish(report.page);
    if (!lesson::interrupted())
        read_dates(results, report, settings.score, checkpoint, options.seed, options.quick,
                   judged);
    // Where Ctrl-C came before, this saves what the way on begins with.
    if (!translate(results, report, options, settings, checkpoint))
        return lesson::stopped(options, checkpoint.file);
    if (!options.save.empty() && checkpoint.file != options.save)
        fs::copy_file(checkpoint.file, options.save, fs::copy_options::overwrite_existing);
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const std::map<std::string, nn::Score> scores{{"additive", nn::Score::additive},
                                                  {"dot", nn::Score::dot},
                                                  {"scaled_dot", nn::Score::scaled_dot},
                                                  {"general", nn::Score::general}};
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--score", settings.score,
                       "How queries and states are compared: additive, dot, scaled_dot, general")
            ->transform(CLI::CheckedTransformer(scores, CLI::ignore_case));
        app.add_flag("--proof", settings.proof, "Stage A alone");
        app.add_flag("--alone", settings.alone, "Without the networks without attention");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 11: attention",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
