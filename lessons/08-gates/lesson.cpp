// Lesson 08: gates. Stage A (proof.h) shows what gates keep; stage B trains an LSTM on the characters of
// a real text, beside lesson 07's network and the best n-gram, or on its words.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "lessons/08-gates/context.h"
#include "lessons/08-gates/probe.h"
#include "lessons/08-gates/proof.h"
#include "lessons/language_model.h"
#include "lessons/numbers.h"
#include "models/ngram.h"

namespace {

using namespace gradus;
using namespace gradus::lesson08;
namespace fs = std::filesystem;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    std::string cell = "LSTM";
    int64_t hidden = 0;  // 0: 512 for characters, 256 for words
    int64_t layers = 1;
    int64_t batch = 16, time = 64;
    double rate = 0;  // 0: what suits characters or words
    double clip = 1, forget_bias = 1;
    int64_t words = 0;  // size of a vocabulary of words; 0: characters
    bool alone = false;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return cell != own.cell || hidden != own.hidden || layers != own.layers ||
               batch != own.batch || time != own.time || rate != own.rate || clip != own.clip ||
               forget_bias != own.forget_bias;
    }
};

// ---- stage B ------------------------------------------------------------------------------------

struct Task {
    lesson::Corpus corpus;
    double optimum;  // nats a token, where it is known
    bool words;

    const char* token() const { return words ? "word" : "character"; }
    const char* joint() const { return words ? " " : ""; }
};

Task load(const lesson::Options& options, const Settings& settings) {
    const auto [text, optimum] = lesson::load_lm_text(options);
    const int64_t words = settings.words > 0 ? settings.words : text.name == "brown" ? 6000 : 0;
    if (words > 0) return {lesson::word_corpus(text, words), NAN, true};
    return {lesson::character_corpus(text), optimum, false};
}

Cell cell_of(const std::string& name) {
    return name == "LSTM" ? Cell::lstm : name == "GRU" ? Cell::gru : Cell::rnn_tanh;
}

// A model with the course of its training.
struct Trained {
    std::string name;
    models::RnnLM model;
    lesson::History history;
    double nats = NAN;      // a token of the test text
    double by_heart = NAN;  // a token of the training text, once it has been learned from

    Trained(std::string its_name, const models::RnnLmOptions& options)
        : name(std::move(its_name)), model(options) {}
};

// False where Ctrl-C came first.
bool train(Trained& trained, const Task& task, const lesson::LmTrainingOptions& course,
           const lesson::Checkpoint& checkpoint) {
    if (!lesson::train_language_model(trained.name, trained.model, task.corpus, course, checkpoint,
                                      trained.history))
        return false;
    trained.nats = models::nats_per_token(trained.model, task.corpus.test, 32);
    const Tensor& text = task.corpus.train;
    trained.by_heart = models::nats_per_token(
        trained.model, text.view({std::min<int64_t>(200'000, text.size())}), 32);
    return true;
}

// Tokens a second that a model writes in so many rows at once.
double writing_speed(models::RnnLM& model, int64_t rows, int64_t count, Rng& rng) {
    const Tensor prompts = Tensor::zeros({rows, 1}, Dtype::i32);
    models::generate(model, prompts, 10, {}, rng);
    const auto began = std::chrono::steady_clock::now();
    models::generate(model, prompts, count, {}, rng);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
    return static_cast<double>(rows * count) / taken.count();
}

void show_training(Report& report, const Task& task, const std::vector<const Trained*>& all,
                   double ngram) {
    report::Plot plot("Loss on the test text", fmt::format("{}s read", task.token()),
                      fmt::format("nats a {}", task.token()));
    for (const Trained* trained : all) {
        const auto steps = static_cast<double>(trained->history.losses.size());
        const double tokens = static_cast<double>(task.corpus.train.size());
        Values at;  // in passes over the text; the models' steps have different sizes
        for (const double step : trained->history.test_steps) at.push_back(step / steps * tokens);
        plot.line(trained->name, at, trained->history.test_losses);
    }
    report.figure(plot.hline("best n-gram", ngram).log_x(),
                  "Measured on the first 20,000 of the test text, on the way.", "loss");
    report::Plot norm("The gradient's norm", "step", "norm before clipping");
    for (const Trained* trained : all)
        norm.noisy_line(trained->name, counting(trained->history.norms.size(), 1),
                        trained->history.norms);
    report.figure(norm.log_y().size(760, 300), "The length of the whole gradient, batch by batch.");
}

void show_samples(Report& report, const Task& task, models::RnnLM& model, uint64_t seed) {
    const lesson::Corpus& corpus = task.corpus;
    const int64_t prompt = std::min<int64_t>(task.words ? 20 : 100, corpus.test.size());
    const int64_t count = task.words ? 80 : 400;
    const Tensor begin = corpus.test.view({1, prompt});
    report.page.heading("Samples");
    report.page.text("What it goes on with after the beginning of the test text:");
    report.page.preformatted(corpus.vocab.decode(begin, task.joint()));
    Rng rng(seed);
    const auto show = [&](const std::string& name, const nn::SamplingOptions& options) {
        const Tensor ids = models::generate(model, begin, count, options, rng);
        const std::string sample = corpus.vocab.decode(ids, task.joint());
        report.page.subheading(name);
        report.page.preformatted(sample);
        return sample;
    };
    show("The most probable, again and again (temperature 0)", {.temperature = 0});
    show("Temperature 0.5", {.temperature = 0.5});
    const std::string middle = show("Temperature 0.8", {.temperature = 0.8});
    show("Temperature 1", {});
    show("Temperature 1, of the tokens that together have 90 %", {.top_p = 0.9});
    show("Temperature 1.5", {.temperature = 1.5});
    fmt::print("\nA sample, temperature 0.8:\n\n{}\n", middle);
}

// How much of the difference between the two a longer memory makes.
void show_context(lesson::Results& results, Report& report, const Task& task, Trained& ours,
                  Trained& rnn, bool quick) {
    const int64_t longest = quick ? 32 : 256, places = quick ? 200 : 2000;
    if (task.corpus.test.size() < 2 * (longest + places)) return;
    results.section(
        fmt::format("B. nats a character of {} places, given only the k before", places));
    report::Plot plot("What a longer memory is worth", "characters that are seen, k",
                      "nats a character");
    for (Trained* trained : {&ours, &rnn}) {
        const auto [k, nats] =
            loss_over_context(trained->model, task.corpus.test, 8, longest, places);
        plot.path(trained->name, k, nats);
        for (size_t i = 0; i < k.size(); ++i)
            if (k[i] == 8 || k[i] == 32 || k[i] == 256)
                results.add(fmt::format("{}, k = {}", trained->name, k[i]), nats[i]);
    }
    report.figure(plot.log_x(),
                  "The same places of the test text for all k, each read from an empty state.",
                  "context");
}

// Chance, trivial, classical, ours; the optimum where it is known.
void judge(lesson::Results& results, const Task& task, const Values& counted, const Trained& ours,
           const std::optional<Trained>& rnn, bool judged) {
    const double ngram = *std::min_element(counted.begin(), counted.end());
    results.section(fmt::format("B. {}, nats a {}", task.corpus.name, task.token()));
    results.add("chance, ln V", std::log(static_cast<double>(task.corpus.vocab.size())));
    results.add(fmt::format("trivial baseline: counting {}s", task.token()), counted.front());
    results.add(fmt::format("best classical: n-gram, order 1-{}", counted.size()), ngram);
    if (rnn) results.add("lesson 07's: " + rnn->name, rnn->nats);
    if (judged)
        results.add("ours: " + ours.name, ours.nats, at_most(ngram));
    else
        results.add("ours: " + ours.name, ours.nats);
    if (std::isfinite(task.optimum)) results.add("optimum: the grammar's own", task.optimum);
    results.section(fmt::format("B. {}, further figures", task.corpus.name));
    results.add(fmt::format("perplexity a {}", task.token()), std::exp(ours.nats));
    results.add("on training text: " + ours.name, ours.by_heart);
    if (!rnn) return;
    results.add("on training text: " + rnn->name, rnn->by_heart);
    results.add("below lesson 07's, on training text", rnn->by_heart - ours.by_heart);
    results.add("below lesson 07's, on test text", rnn->nats - ours.nats);
}

int run(const lesson::Options& options, const Settings& settings) {
    const Task task = load(options, settings);
    const lesson::Corpus& corpus = task.corpus;
    Report report{
        report::Page{"Lesson 08 · Gates", "LSTM and GRU: what is kept, and what is let go."},
        settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    prove(results, report, options.seed, options.quick);

    const bool resumed = !options.resume.empty(), full = !options.quick;
    const fs::path file = resumed ? options.resume : options.checkpoint();
    lesson::LmTrainingOptions course{
        .batch = settings.batch,
        .time = task.words ? 32 : settings.time,
        .epochs = static_cast<double>(options.epochs_or(task.words ? 3 : 2, 1)),
        .rate = settings.rate > 0 ? settings.rate
                : task.words      ? 3e-3
                                  : 6e-3,
        .clip = settings.clip,
        .seed = options.seed};
    nn::manual_seed(options.seed);
    const int64_t layers = settings.layers;
    const int64_t wanted = settings.hidden > 0 ? settings.hidden : task.words ? 256 : 512;
    const int64_t hidden = full ? wanted : std::min<int64_t>(wanted, 64);
    Trained ours(fmt::format("{} x {} {}", layers, hidden, settings.cell),
                 {.cell = cell_of(settings.cell),
                  .vocab = corpus.vocab.size(),
                  .dim = task.words ? hidden : 64,
                  .hidden = hidden,
                  .layers = layers,
                  .dropout = task.words ? 0.3 : 0,
                  .tied = task.words});
    if (settings.cell == "LSTM") set_forget_bias(ours.model, settings.forget_bias);
    if (!train(ours, task, course, {file, resumed})) return lesson::stopped(options, file);

    // Lesson 07's network, trained as there, on as many characters.
    std::optional<Trained> rnn;
    if (!task.words && !settings.alone) {
        nn::manual_seed(options.seed);
        const int64_t units = full ? 512 : 128;
        rnn.emplace(
            fmt::format("RNN, {} units", units),
            models::RnnLmOptions{
                .cell = Cell::rnn_tanh, .vocab = corpus.vocab.size(), .dim = 64, .hidden = units});
        course.batch = 32, course.time = 64, course.rate = 4e-3, course.clip = 1;
        const fs::path its_file = lesson::beside(file, "rnn");
        if (!train(*rnn, task, course, {its_file, resumed && fs::exists(its_file)}))
            return lesson::stopped(options, file);
    }
    if (!options.save.empty() && file != options.save)
        fs::copy_file(file, options.save, fs::copy_options::overwrite_existing);

    const Values counted = lesson::count_by_order(corpus, task.words ? 4 : 6);
    const bool known = options.data.empty() || options.data == "generated" ||
                       corpus.name == "austen" || corpus.name == "brown";
    judge(results, task, counted, ours, rnn,
          known && options.is_default_run() && !settings.ablated());
    report.page.heading(fmt::format("{}s of {}", task.words ? "Word" : "Character", corpus.name));
    report.page.text(fmt::format(
        "{} tokens of training text, {} of test text, {} kinds. {}: {} parameters, {} passes in "
        "batches of {} x {}, trained in {}.",
        report::number(static_cast<double>(corpus.train.size())),
        report::number(static_cast<double>(corpus.test.size())), corpus.vocab.size(), ours.name,
        report::number(static_cast<double>(ours.model.parameter_count())), course.epochs,
        settings.batch, course.time, report::duration(ours.history.seconds)));
    std::vector<const Trained*> all{&ours};
    if (rnn) all.push_back(&*rnn);
    show_training(report, task, all, *std::min_element(counted.begin(), counted.end()));
    if (rnn) show_context(results, report, task, ours, *rnn, options.quick);
    show_samples(report, task, ours.model, options.seed);

    Rng rng(options.seed);
    const double speed = writing_speed(ours.model, full ? 256 : 64, full ? 200 : 20, rng);
    results.section("B. writing, " + std::string(task.token()) + "s a second");
    if (full && !task.words && !settings.ablated())
        results.add("256 texts at once", speed, at_least(20'000));
    else
        results.add(fmt::format("{} texts at once", full ? 256 : 64), speed);
    results.add("one text", writing_speed(ours.model, 1, full ? 2000 : 100, rng));

    if (!task.words) {
        const int64_t length = std::min<int64_t>(corpus.test.size(), full ? 40'000 : 4'000);
        probe(results, report, ours.model, corpus.vocab, corpus.test.view({length}));
    }
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--cell", settings.cell, "Cell of stage B")
            ->check(CLI::IsMember({"LSTM", "GRU", "RNN"}, CLI::ignore_case))
            ->capture_default_str();
        app.add_option("--hidden", settings.hidden,
                       "Units of each of its layers, instead of what suits")
            ->check(CLI::Range(1, 4096));
        app.add_option("--layers", settings.layers, "Layers")
            ->check(CLI::Range(1, 16))
            ->capture_default_str();
        app.add_option("--forget-bias", settings.forget_bias, "Where its forget gates begin")
            ->capture_default_str();
        app.add_option("--batch", settings.batch, "Rows that the text is cut into")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--time", settings.time, "Steps that a gradient goes back")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--lr", settings.rate,
                       "Peak of the learning rate, instead of what suits the text")
            ->check(lesson::positive);
        app.add_option("--clip", settings.clip, "Longest gradient; 0: any")
            ->check(lesson::not_negative)
            ->capture_default_str();
        app.add_option("--words", settings.words, "Learn words, this many different ones")
            ->check(CLI::Range(10, 1000000));
        app.add_flag("--alone", settings.alone, "Without lesson 07's network beside it");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 08: gates",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
