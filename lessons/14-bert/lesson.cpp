// Lesson 14: BERT. Stage A (chain.h, sentences.h) learns what can be known of hidden tokens and next
// sentences; stage B (pretrain.h) reads brown and austen; stage C (reviews.h) is taught to tell whether a
// film was liked, from few labels.
#include <CLI/CLI.hpp>
#include <limits>
#include <string>
#include <vector>

#include "lessons/14-bert/chain.h"
#include "lessons/14-bert/heads.h"
#include "lessons/14-bert/reviews.h"
#include "lessons/14-bert/sentences.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson14;
namespace fs = std::filesystem;

// The network and how it learns.
struct Course {
    int64_t vocab = 4096, time = 128;
    int64_t dim = 128, heads = 4, layers = 2, ff = 512;
    PretrainingOptions training{};
    int64_t rows = 512;  // to judge on
};
const Course kFull, kQuick{.vocab = 600,
                           .time = 64,
                           .dim = 32,
                           .layers = 2,
                           .ff = 64,
                           .training = {.epochs = 0.25},
                           .rows = 64};

// What can be changed from the command line beside the common options.
struct Settings {
    bool proof = false, reviews = false, no_next = false, far = false, cls = false;
    int64_t layers = kFull.layers;
    double chosen = kFull.training.chosen, hidden = kFull.training.hidden;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        return no_next || far || cls || chosen != kFull.training.chosen || layers != kFull.layers ||
               hidden != kFull.training.hidden;
    }
};

// Twenty hidden words and the five that the model would put there.
void show_guesses(Report& report, models::BERTPretraining& model, const Unseen& unseen,
                  const Reader& reader) {
    const nn::Evaluating scope(model);
    const data::Vocab& vocab = reader.tokenizer.vocab();
    report::Table table("Hidden words", {"around it", "it was", "five guesses"});
    const auto [pairs, masked] = unseen.part(0);
    const Hidden hidden = hidden_in(masked.y);
    const Tensor logits =
        model.masked_words(model.bert(masked.x, pairs.segments, pairs.lengths), hidden.at);
    const int64_t V = logits.size(1), step = std::max<int64_t>(1, hidden.at.size() / 20);
    for (int64_t i = 0; i < hidden.at.size() && table.rows() < 20; i += step) {
        std::string around;
        const auto at = static_cast<int64_t>(hidden.at.at(i));
        for (int64_t t = at - 6; t <= at + 6; ++t)
            if (t / reader.time == at / reader.time && t >= 0) {
                const std::string& piece = vocab.token(masked.x.data<int32_t>()[t]);
                around += (around.empty() ? "" : " ") + (t == at ? "[ ? ]" : piece);
            }
        std::vector<std::pair<float, int32_t>> guesses;
        for (int64_t v = 0; v < V; ++v)
            guesses.emplace_back(-logits.data<float>()[i * V + v], static_cast<int32_t>(v));
        std::partial_sort(guesses.begin(), guesses.begin() + 5, guesses.end());
        std::string five;
        for (size_t g = 0; g < 5; ++g) five += (g ? " " : "") + vocab.token(guesses[g].second);
        table.row({around, vocab.token(hidden.words.data<int32_t>()[i]), five});
    }
    report.page.table(table);
}

// Chance, trivial, classical, ours.
void add_words(lesson::Results& results, const std::string& name, const Unseen& unseen,
               const Corpus& corpus, const Reader& reader, const Judged& ours, bool judged) {
    const BothSides counts(corpus.train, reader.tokenizer.size());
    const Score classical = judge(counts, unseen, reader);
    Score trivial;
    const auto p = counts.distribution(BothSides::kUnseen, BothSides::kUnseen);
    for (int64_t i = 0; i < unseen.masked.y.size(); ++i)
        if (const int32_t word = unseen.masked.y.data<int32_t>()[i]; word >= 0)
            trivial.add(p.data(), reader.tokenizer.size(), word,
                        -std::log(p[static_cast<size_t>(word)]));
    const auto V = static_cast<double>(reader.tokenizer.size());
    const auto all = [&](const std::string& what, const std::string& unit, double chance,
                         double (*of)(const Score&), double sign) {
        results.section(fmt::format("B. {}, {}", name, what), unit);
        results.add("chance", chance);
        results.add("trivial baseline: the most frequent", of(trivial));
        results.add("best classical: counts on both sides", of(classical));
        const double value = of(ours.words);
        if (!judged)
            results.add("ours", value);
        else
            results.add("ours", value, sign > 0 ? at_least(of(trivial)) : at_most(of(trivial)));
    };
    all(
        "hidden words, right", "%", 1 / V, [](const Score& s) { return s.top1; }, 1);
    all(
        "hidden words, among five", "%", 5 / V, [](const Score& s) { return s.top5; }, 1);
    all(
        "hidden words, nats", "", std::log(V), [](const Score& s) { return s.nats; }, -1);
}

// Stage C. The same network twice more, pretrained on as much of the reviews' own text and on all of it; then
// all of them are taught. False where Ctrl-C came first.
bool review(lesson::Results& results, Report& report, const lesson::Options& options,
            const Settings& settings, const Course& course, const models::BERTOptions& shape,
            const Reader& reader, const Corpus& corpus, const Unseen& unseen,
            models::BERTPretraining& pretrained, const fs::path& checkpoint) {
    size_t passages = 0;
    for (const Documents& documents : corpus.train)
        for (const data::Sentences& document : documents) passages += document.size();
    data::LabelledData labelled;
    const auto pretrained_on_reviews = [&](const std::string& name, size_t most) {
        Reviews reviews = load_reviews(reader, most, options.quick);
        auto model = first_model(shape, course.training);
        const fs::path file = lesson::beside(checkpoint, name);
        const bool known = lesson::holds(file, course_of(shape, reviews.text, course.training));
        lesson::History history;
        if (!pretrain("BERT of " + name, *model, reviews.text, reader, unseen, course.training,
                      {file, known}, history))
            model.reset();
        labelled = std::move(reviews.labelled);
        return model;
    };
    const auto same = pretrained_on_reviews("reviews", passages);
    if (!same) return false;
    const auto all = pretrained_on_reviews(
        "all-reviews", options.quick ? 2 * passages : std::numeric_limits<size_t>::max());
    if (!all) return false;
    report.page.heading("Reviews: " + labelled.name);
    const auto scratch = first_model(shape, course.training);  // as the others began
    tell_reviews(results, report, labelled, reader, shape,
                 {{"from scratch", *scratch},
                  {"pretrained on " + corpus.name, pretrained},
                  {"pretrained on as much of the reviews", *same},
                  {"pretrained on all of the reviews", *all}},
                 settings.cls ? models::Reads::cls : models::Reads::mean, options.seed,
                 options.quick);
    return !lesson::interrupted();
}

int run(const lesson::Options& options, const Settings& settings) {
    if (settings.reviews)
        lesson::data_path("imdb");  // says now, not after stage B, what is missing
    Report report{report::Page{"Lesson 14 · BERT", "A word is known by what stands on both sides."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    const bool resumed = !options.resume.empty();
    lesson::Checkpoint checkpoint{resumed ? options.resume : options.checkpoint(), resumed};

    report.page.heading("Proof: what can be known");
    prove_chain(results, report, options.seed, options.quick);
    if (!lesson::interrupted()) prove_sentences(results, report, options.seed, options.quick);
    if (settings.proof && !lesson::interrupted()) return results.finish(report.page);

    Course course = options.quick ? kQuick : kFull;
    if (!options.quick) course.layers = settings.layers;
    course.training.seed = options.seed;
    course.training.chosen = settings.chosen;
    course.training.hidden = settings.hidden;
    course.training.swapped = (1 - settings.hidden) / 2;
    course.training.next = !settings.no_next;
    course.training.near = !settings.far;
    if (options.epochs) course.training.epochs = *options.epochs;
    const auto [reader, corpus] = load_corpus(options, course.vocab, course.time);
    const models::BERTOptions shape{.vocab = reader.tokenizer.size(),
                                    .positions = course.time,
                                    .dim = course.dim,
                                    .heads = course.heads,
                                    .layers = course.layers,
                                    .ff = course.ff};
    const Unseen unseen(corpus.test, reader, course.rows);
    const auto fresh = first_model(shape, course.training);
    models::BERTPretraining& model = *fresh;
    lesson::History history;
    if (settings.reviews)  // an earlier run may have left the very same
        checkpoint.resume |=
            lesson::holds(checkpoint.file, course_of(shape, corpus.train, course.training));
    // Where Ctrl-C came before, this saves what the way on begins with.
    if (!pretrain("BERT", model, corpus.train, reader, unseen, course.training, checkpoint,
                  history))
        return lesson::stopped(options, checkpoint.file);
    if (!options.save.empty() && checkpoint.file != options.save)
        fs::copy_file(checkpoint.file, options.save, fs::copy_options::overwrite_existing);

    const bool judged =
        corpus.name == "brown + austen" && options.is_default_run() && !settings.ablated();
    const Judged ours = judge(model, unseen, unseen.rows());
    add_words(results, corpus.name, unseen, corpus, reader, ours, judged);
    results.section(fmt::format("B. {}, does the passage follow", corpus.name), "%");
    results.add("chance", 0.5);
    results.add("ours", ours.next);
    name_heads(results, report, measured_heads(model, unseen, reader, 128));
    report.page.heading("Pretraining: " + corpus.name);
    report.page.text(fmt::format("{} parameters, {} steps, {}.",
                                 report::number(static_cast<double>(model.parameter_count())),
                                 history.losses.size(), report::duration(history.seconds)));
    report::Plot loss("Hidden words of unseen documents", "step", "nats");
    report.figure(loss.path("BERT", history.test_steps, history.test_losses),
                  "Measured on 128 pairs, on the way.", "loss");
    show_guesses(report, model, unseen, reader);
    show_heads(report, model, unseen, reader, 6);

    if (!settings.reviews)
        fmt::print("Stage C was left out: --reviews runs it, on ./run data imdb.\n");
    else if (!review(results, report, options, settings, course, shape, reader, corpus, unseen,
                     model, checkpoint.file))
        return lesson::stopped(options, checkpoint.file);
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_flag("--proof", settings.proof, "Stage A alone");
        app.add_flag("--reviews", settings.reviews, "Also stage C, on ./run data imdb");
        app.add_flag("--far", settings.far,
                     "Begin with positions and queries drawn at random, which look everywhere");
        app.add_flag("--cls", settings.cls,
                     "Stage C reads the state of [CLS], as BERT does, not the mean of all states");
        app.add_flag("--no-next", settings.no_next, "Without the question for the next passage");
        app.add_option("--chosen", settings.chosen, "Share of the words that is asked for")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
        app.add_option("--hidden", settings.hidden,
                       "Share of the words asked for that are hidden; half of the rest is swapped")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
        app.add_option("--layers", settings.layers, "Layers of the network")
            ->check(CLI::Range(1, 16))
            ->capture_default_str();
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 14: BERT",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
