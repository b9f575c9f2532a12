// Lesson 12: the transformer. Stage A (proof.h) shows what attention can look up; stage B translates
// English to French, beside lesson 11's network.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lessons/12-transformer/proof.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson12;
namespace fs = std::filesystem;

// The two networks and how they learn: all that suits en-fr stands here.
struct Course {
    int64_t min_count = 3;
    struct {
        int64_t dim = 192, heads = 6, layers = 2, ff = 384;
        double dropout = 0.1, label_smoothing = 0.1;
        int64_t batch = 64;
        double rate = 1.5e-3, warm_up = 0.05;
        int epochs = 5;
    } transformer;
    struct {  // as in lesson 11
        int64_t dim = 128, hidden = 192;
        double dropout = 0.2;
        int64_t batch = 64;
        double rate = 2e-3;
        int epochs = 5;
    } bahdanau;
};
const Course kFull, kQuick{.transformer = {.dim = 48, .ff = 96, .epochs = 1},
                           .bahdanau = {.dim = 64, .hidden = 64, .epochs = 1}};

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    Positions positions = Positions::sinusoidal;
    bool pre_norm = false, noam = false, proof = false, alone = false;
    int64_t heads = kFull.transformer.heads, layers = kFull.transformer.layers;
    double label_smoothing = kFull.transformer.label_smoothing;
    double warm_up = kFull.transformer.warm_up;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return positions != own.positions || pre_norm != own.pre_norm || noam != own.noam ||
               heads != own.heads || layers != own.layers ||
               label_smoothing != own.label_smoothing || warm_up != own.warm_up;
    }
};

// Positions that both sides of all pairs need: the longest, its end or start counted.
int64_t positions_for(const Pairs& pairs) {
    auto longest = static_cast<size_t>(pairs.longest);
    for (const auto* part : {&pairs.train, &pairs.test})
        for (const data::PairIds& pair : *part) longest = std::max(longest, pair.source.size());
    return static_cast<int64_t>(longest);
}

// What a network came to.
struct Trained {
    std::string name;
    double parameters = 0;
    lesson::History history{};
    std::vector<Ids> greedy{}, beam{};
    double greedy_bleu = 0, beam_bleu = 0;
    double greedy_speed = 0, beam_speed = 0;  // sentences a second
};

// Trains and translates the test set. False where Ctrl-C came first.
bool train(Trained& trained, const lesson::Translator& translator, const Pairs& pairs,
           const lesson::PairTrainingOptions& options, const lesson::Checkpoint& checkpoint) {
    trained.parameters = static_cast<double>(translator.model.parameter_count());
    if (!lesson::train_translator(trained.name, translator, pairs, options, checkpoint,
                                  trained.history))
        return false;
    const auto timed = [&](int64_t width, std::vector<Ids>& translations) {
        const auto began = std::chrono::steady_clock::now();
        translations = lesson::translate(translator, pairs, pairs.test, width);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
        return static_cast<double>(pairs.test.size()) / taken.count();
    };
    trained.greedy_speed = timed(1, trained.greedy);
    trained.beam_speed = timed(5, trained.beam);
    trained.greedy_bleu = lesson::bleu(pairs, trained.greedy);
    trained.beam_bleu = lesson::bleu(pairs, trained.beam);
    return true;
}

// Chance, trivial, classical, lesson 11's, ours.
void judge(lesson::Results& results, const Pairs& pairs, const Trained& ours,
           const std::optional<Trained>& bahdanau, bool judged) {
    const auto add = [&](const std::string& name, double value, const std::string& unit,
                         const lesson::Requirement& requirement) {
        judged ? results.add(name, value, unit, requirement) : results.add(name, value, unit);
    };
    lesson::add_bleu_to_beat(results, pairs);
    if (bahdanau) {
        results.add("lesson 11's: Bahdanau, greedy", bahdanau->greedy_bleu);
        results.add("lesson 11's: Bahdanau, beam of 5", bahdanau->beam_bleu);
    }
    results.add("ours: transformer, greedy", ours.greedy_bleu);
    results.add("ours: transformer, beam of 5", ours.beam_bleu);
    if (bahdanau) {
        add("ours is better by, greedy", ours.greedy_bleu - bahdanau->greedy_bleu, "", at_least(0));
        add("ours is better by, beam of 5", ours.beam_bleu - bahdanau->beam_bleu, "", at_least(0));
    }
    results.section(fmt::format("B. {}, further figures", pairs.name));
    if (bahdanau) {
        results.add("lesson 11's: parameters", bahdanau->parameters / 1e6, "million");
        add("ours: parameters", ours.parameters / 1e6, "million",
            at_most(bahdanau->parameters / 1e6));
        results.add("lesson 11's: nats a token", bahdanau->history.test_losses.back());
    }
    results.add("ours: nats a token", ours.history.test_losses.back());
    results.add("ours: exactly right, beam of 5", lesson::exact(pairs.test, ours.beam), "%");
    results.section(fmt::format("B. {}, sentences translated a second", pairs.name));
    results.add("ours, greedy", ours.greedy_speed);
    add("ours, beam of 5", ours.beam_speed, "", at_least(200));
    if (bahdanau) results.add("lesson 11's, beam of 5", bahdanau->beam_speed);
}

void show_courses(Report& report, const Pairs& pairs, const std::vector<const Trained*>& all) {
    report::Plot loss("Loss on test sentences", "seconds of training", "nats a token");
    report::Plot length("BLEU over the length of the source", "words", "BLEU");
    for (const Trained* trained : all) {
        const auto steps = static_cast<double>(trained->history.losses.size());
        Values seconds;
        for (const double step : trained->history.test_steps)
            seconds.push_back(step / steps * trained->history.seconds);
        loss.line(trained->name, seconds, trained->history.test_losses);
        const auto [lengths, scores] = lesson::bleu_by_length(pairs, trained->beam);
        length.path(trained->name, lengths, scores);
    }
    report.figure(loss, "Measured on 512 of them, on the way.", "loss");
    report.figure(length, "Beam of 5; sentences of two lengths together.", "bleu");
}

// Ten test sentences, and every head while it translates them.
void show_translations(Report& report, const Pairs& pairs, models::Transformer& model,
                       const Trained& ours, const std::optional<Pairs>& their_pairs,
                       const std::optional<Trained>& bahdanau) {
    report::Table table("Ten sentences of the test set", {"", ""});
    std::vector<data::PairIds> spoken;
    const size_t count = std::min<size_t>(10, pairs.test.size());
    for (size_t i = 0; i < count; ++i) {
        const size_t at = i * pairs.test.size() / count;
        Tokens source;
        for (const int32_t id : pairs.test[at].source)
            source.push_back(pairs.vocab.source().token(id));
        source.pop_back();  // its end
        table.section(data::detokenize(source));
        table.row({"reference", data::detokenize(pairs.references[at])});
        if (bahdanau)
            table.row({"Bahdanau",
                       data::detokenize(their_pairs->vocab.target_tokens(bahdanau->beam[at]))});
        table.row({"transformer", data::detokenize(pairs.vocab.target_tokens(ours.beam[at]))});
        spoken.push_back(said(pairs.test[at], ours.beam[at]));
    }
    report.page.table(table);
    show_heads(report, "Every head of every layer", model, pairs.vocab, spoken,
               "The same ten, as they were translated. Choose a sentence and a head.");
}

// Both networks on one set of pairs. False where Ctrl-C came first.
bool translate(lesson::Results& results, Report& report, const lesson::Options& options,
               const Settings& settings, const lesson::Checkpoint& checkpoint) {
    const Course& course = options.quick ? kQuick : kFull;
    const data::PairData data = lesson::load_pair_data(options, "en-fr");
    const auto train_pairs = data::all_pairs(data.train), test_pairs = data::all_pairs(data.test);
    const Pairs pairs(data.name, train_pairs, test_pairs,
                      lesson::tokens_of(data.name, course.min_count, true));

    nn::manual_seed(options.seed);
    const auto& own = course.transformer;
    models::Transformer model({.source_vocab = pairs.vocab.source().size(),
                               .target_vocab = pairs.vocab.target().size(),
                               .dim = own.dim,
                               .heads = settings.heads,
                               .layers = settings.layers,
                               .ff = own.ff,
                               .max_length = positions_for(pairs),
                               .dropout = own.dropout,
                               .pre_norm = settings.pre_norm,
                               .sinusoidal = settings.positions != Positions::learned,
                               .shared = true,
                               .scaled = true});
    lesson::Translator translator = lesson::translator(model);
    if (settings.positions == Positions::none) {
        forget_positions(model);
        translator.description += ", no positions";
    }
    Trained ours{"transformer"};
    if (!train(ours, translator, pairs,
               {.batch = own.batch,
                .epochs = static_cast<double>(options.epochs_or(own.epochs, own.epochs)),
                .rate = own.rate,
                .warm_up = settings.warm_up,
                .noam = settings.noam ? own.dim : 0,
                .label_smoothing = settings.label_smoothing,
                .seed = options.seed},
               checkpoint))
        return false;

    // Lesson 11's network, with a vocabulary for each language, as there.
    std::optional<Pairs> their_pairs;
    std::optional<Trained> bahdanau;
    if (!settings.alone) {
        their_pairs.emplace(data.name, train_pairs, test_pairs,
                            lesson::tokens_of(data.name, course.min_count));
        nn::manual_seed(options.seed);
        const auto& theirs = course.bahdanau;
        models::Seq2Seq network({.source_vocab = their_pairs->vocab.source().size(),
                                 .target_vocab = their_pairs->vocab.target().size(),
                                 .dim = theirs.dim,
                                 .hidden = theirs.hidden,
                                 .maxout = true,
                                 .dropout = theirs.dropout});
        bahdanau = Trained{"Bahdanau"};
        const lesson::Translator their_translator = lesson::translator(network);
        const lesson::PairTrainingOptions training{
            .batch = theirs.batch,
            .epochs = static_cast<double>(options.epochs_or(theirs.epochs, theirs.epochs)),
            .rate = theirs.rate,
            .seed = options.seed};
        const fs::path file = lesson::beside(checkpoint.file, "bahdanau");
        bool known = checkpoint.resume && fs::exists(file);
        // Where lesson 11 has trained it already, that is what would come out here, bit by bit.
        const fs::path lesson11 = checkpoint.file.parent_path() / "11.safetensors";
        if (!known &&
            lesson::holds(lesson11, lesson::course_of(their_translator, *their_pairs, training))) {
            fs::copy_file(lesson11, file, fs::copy_options::overwrite_existing);
            known = true;
        }
        if (!train(*bahdanau, their_translator, *their_pairs, training, {file, known}))
            return false;
    }

    judge(results, pairs, ours, bahdanau,
          pairs.name == "en-fr" && options.is_default_run() && !settings.ablated());
    report.page.heading("Translation: " + pairs.name);
    std::vector<const Trained*> all{&ours};
    if (bahdanau) all.push_back(&*bahdanau);
    for (const Trained* trained : all)
        report.page.text(fmt::format("{}: {} parameters, trained on {} pairs in {}.", trained->name,
                                     report::number(trained->parameters),
                                     report::number(static_cast<double>(pairs.train.size())),
                                     report::duration(trained->history.seconds)));
    show_courses(report, pairs, all);
    show_translations(report, pairs, model, ours, their_pairs, bahdanau);
    return true;
}

int run(const lesson::Options& options, const Settings& settings) {
    Report report{report::Page{"Lesson 12 · The transformer",
                               "Attention, and nothing else to carry what was read."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    const bool resumed = !options.resume.empty();
    const lesson::Checkpoint checkpoint{resumed ? options.resume : options.checkpoint(), resumed};

    prove(results, report, options.seed, options.quick);
    if (settings.proof && !lesson::interrupted()) return results.finish(report.page);
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
    const std::map<std::string, Positions> positions{{"sinusoidal", Positions::sinusoidal},
                                                     {"learned", Positions::learned},
                                                     {"none", Positions::none}};
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--positions", settings.positions,
                       "How tokens know where they stand: sinusoidal, learned, none")
            ->transform(CLI::CheckedTransformer(positions, CLI::ignore_case));
        app.add_flag("--pre-norm", settings.pre_norm, "LayerNorm before each sub-layer");
        app.add_flag("--noam", settings.noam, "The paper's schedule in place of half a cosine");
        app.add_option("--warm-up", settings.warm_up, "Share of the steps until the rate's peak")
            ->check(CLI::Range(0.001, 1.0))
            ->capture_default_str();
        app.add_option("--smoothing", settings.label_smoothing, "Label smoothing")
            ->check(CLI::Range(0.0, 0.9))
            ->capture_default_str();
        app.add_option("--heads", settings.heads, "Heads; the width divides by them")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
        app.add_option("--layers", settings.layers, "Layers of the encoder, and of the decoder")
            ->check(CLI::Range(1, 16))
            ->capture_default_str();
        app.add_flag("--proof", settings.proof, "Stage A alone");
        app.add_flag("--alone", settings.alone, "Without lesson 11's network beside it");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 12: the transformer",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
