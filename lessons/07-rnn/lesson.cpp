// Lesson 07: recurrent networks. Stage A (distance.h, proof.h) measures how far a gradient reaches and
// what a state can remember; stage B trains a character language model by truncated
// backpropagation through time and holds it against the best n-gram.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "lessons/07-rnn/proof.h"
#include "lessons/language_model.h"
#include "lessons/numbers.h"
#include "models/ngram.h"

namespace {

using namespace gradus;
using namespace gradus::lesson07;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    int64_t hidden = 512;
    int64_t time = 64;  // steps that a gradient goes back
    int64_t batch = 32;
    double rate = 4e-3;
    double clip = 1;
    std::filesystem::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return hidden != own.hidden || time != own.time || batch != own.batch || rate != own.rate ||
               clip != own.clip;
    }
};

void show_training(Report& report, const lesson::History& history, double ngram) {
    const auto losses = course(history.losses), norms = course(history.norms);
    report::Plot loss("Loss", "step", "nats a character");
    loss.line("training", losses.steps, losses.means);
    loss.line("test", history.test_steps, history.test_losses).hline("best n-gram", ngram).log_y();
    report.figure(loss, "Training loss, means of some batches; test loss on the way.", "loss");

    report::Plot norm("The gradient's norm", "step", "norm before clipping");
    norm.line("norm", norms.steps, norms.means).log_y().size(760, 300);
    report.figure(norm, "The length of the whole gradient, means of some batches.");
}

// How far back the loss of one character is heard: from places all over a text, each with as many
// characters before it.
Values reach_on_text(models::RnnLM& model, const Tensor& text) {
    const int64_t time = 100, rows = std::min<int64_t>(32, text.size() / (2 * time + 1));
    if (rows == 0) return {};
    const auto column = [&](int64_t t) {  // [rows, 1]
        Tensor ids = Tensor::empty({rows, 1}, Dtype::i32);
        for (int64_t row = 0; row < rows; ++row)
            ids.set(row, text.at(row * (text.size() / rows) + t));
        return ids;
    };
    nn::RecurrentState state;
    for (int64_t t = 0; t < time; ++t) state = model.hidden(column(t), state).state;
    const auto step = [&](int64_t t, const nn::RecurrentState& before) {
        return model.hidden(column(time + t), before).state;
    };
    const nn::StateDict weights = model.state_dict();
    const auto loss = [&](const nn::RecurrentState& last) {
        const Tensor h = reshape(last.h, {rows, last.h.size(2)});
        return nn::cross_entropy(linear(h, weights.at("head.weight"), weights.at("head.bias")),
                                 column(2 * time).view({rows}));
    };
    Values norms = gradient_over_distance(time, state, step, loss);
    const double first = norms.front();
    for (double& norm : norms) norm /= first;
    return norms;
}

void show_reach(lesson::Results& results, Report& report, const std::string& name,
                const Values& fresh, const Values& trained, int64_t window) {
    if (trained.empty()) return;
    results.section("B. " + name + ", the norm of a gradient 50 steps back, relative");
    results.add("before training", fresh[50]);
    results.add("after training", trained[50]);
    const Values at = counting(fresh.size());
    report::Plot plot("How far back a character is heard", "distance k",
                      "norm of the state's gradient");
    plot.line("before training", at, fresh).line("after training", at, trained).log_y();
    report.figure(
        plot,
        fmt::format("The loss of one character of the test text, over {} characters back, "
                    "relative to k = 0. Training cut the gradient at {}.",
                    fresh.size(), window),
        "distance-trained");
}

void show_samples(Report& report, const lesson::Corpus& corpus, models::RnnLM& model,
                  uint64_t seed) {
    const int64_t prompt = std::min<int64_t>(100, corpus.test.size()), count = 400;
    const Tensor begin = corpus.test.view({prompt});
    report.page.heading("Samples");
    report.page.text("What they go on with after the first characters of the test text:");
    report.page.preformatted(corpus.vocab.decode(begin));

    Rng rng(seed);
    models::Ngram ngram({.vocab = corpus.vocab.size(), .order = 6});
    for (const Tensor& document : corpus.train_documents) ngram.add(document.values<int32_t>());
    const auto counted = ngram.sample(begin.values<int32_t>(), count, rng);
    report.page.subheading("The n-gram of order 6");
    report.page.preformatted(corpus.vocab.decode(Tensor::from<int32_t>(counted)));
    for (const double temperature : {0.5, 0.8, 1.0}) {
        const Tensor ids = models::generate(model, begin.view({1, prompt}), count,
                                            {.temperature = temperature}, rng);
        const std::string sample = corpus.vocab.decode(ids.view({count}));
        report.page.subheading(fmt::format("The network, temperature {}", temperature));
        report.page.preformatted(sample);
        if (temperature == 0.8) fmt::print("\nA sample, temperature 0.8:\n\n{}\n", sample);
    }
}

// Chance, trivial, classical, ours; the optimum where it is known. Only a full run with the lesson's
// own settings has pass marks.
void judge(lesson::Results& results, const lesson::Corpus& corpus, double optimum,
           const std::string& name, bool judged, const Values& counted, double ours,
           double seconds) {
    const double ngram = *std::min_element(counted.begin(), counted.end());
    results.section("B. " + corpus.name + ", nats a character");
    results.add("chance, ln V", std::log(static_cast<double>(corpus.vocab.size())));
    results.add("trivial baseline: counting characters", counted.front());
    results.add("best classical: n-gram, order 1-6", ngram);
    if (judged)
        results.add(name, ours, at_most(ngram));
    else
        results.add(name, ours);
    if (std::isfinite(optimum)) results.add("optimum: the grammar's own", optimum);
    results.section("B. " + corpus.name + ", training");
    results.add("perplexity a character", std::exp(ours));
    if (judged && corpus.name == "austen")
        results.add("time", seconds, "s", at_most(300));
    else
        results.add("time", seconds, "s");
}

int run(const lesson::Options& options, const Settings& settings) {
    const auto [text, optimum] = lesson::load_lm_text(options);
    const lesson::Corpus corpus = lesson::character_corpus(text);
    data::StreamBatches(corpus.train, settings.batch,
                        settings.time);  // an Error if it is too short
    Report report{
        report::Page{"Lesson 07 · Recurrent networks", "What a state can remember, and learn."},
        settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures

    nn::manual_seed(options.seed);
    report.page.heading("Proof: what a gradient reaches, and what a state remembers");
    prove_reach(results, report, options.seed);
    prove_cliff(results, report);
    prove_memory(results, report, options.seed, options.quick);
    prove_forgetting(results, report, options.seed, options.quick);

    nn::manual_seed(options.seed);
    const int64_t hidden =
        options.quick ? std::min<int64_t>(settings.hidden, 128) : settings.hidden;
    models::RnnLM model(
        {.cell = Cell::rnn_tanh, .vocab = corpus.vocab.size(), .dim = 64, .hidden = hidden});
    const Values fresh = reach_on_text(model, corpus.test);
    const bool resumed = !options.resume.empty();
    const auto checkpoint = resumed ? options.resume : options.checkpoint();
    lesson::History history;
    const bool done =
        lesson::train_language_model(corpus.name, model, corpus,
                                     {.batch = settings.batch,
                                      .time = settings.time,
                                      .epochs = static_cast<double>(options.epochs_or(4, 1)),
                                      .rate = settings.rate,
                                      .clip = settings.clip,
                                      .seed = options.seed,
                                      .test_ids = corpus.test.size()},
                                     {.file = checkpoint, .resume = resumed}, history);
    if (!done) return lesson::stopped(options, checkpoint);
    if (!options.save.empty() && checkpoint != options.save) {
        std::filesystem::copy_file(checkpoint, options.save,
                                   std::filesystem::copy_options::overwrite_existing);
    }

    const Values counted = lesson::count_by_order(corpus);
    const double ours = models::nats_per_token(model, corpus.test, 16);
    judge(results, corpus, optimum, fmt::format("ours: RNN, {} units", hidden),
          options.is_default_run() && !settings.ablated(), counted, ours, history.seconds);
    report.page.heading("Characters of " + corpus.name);
    report.page.text(fmt::format(
        "{} characters of training text, {} of test text, {} kinds; a tanh network of {} units, {} "
        "parameters; gradients go back over {} characters.",
        report::number(static_cast<double>(corpus.train.size())),
        report::number(static_cast<double>(corpus.test.size())), corpus.vocab.size(), hidden,
        report::number(static_cast<double>(model.parameter_count())), settings.time));
    show_training(report, history, *std::min_element(counted.begin(), counted.end()));
    show_reach(results, report, corpus.name, fresh, reach_on_text(model, corpus.test),
               settings.time);
    show_samples(report, corpus, model, options.seed);
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--hidden", settings.hidden, "Units of the network of stage B")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--time", settings.time, "Steps that a gradient goes back")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--batch", settings.batch, "Rows that the text is cut into")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--lr", settings.rate, "Peak of the learning rate")
            ->check(lesson::positive)
            ->capture_default_str();
        app.add_option("--clip", settings.clip, "Longest gradient; 0: any")
            ->check(lesson::not_negative)
            ->capture_default_str();
        app.add_option("--drawings", settings.drawings, "A folder for the figures as SVG files");
    };
    return lesson::run(
        argc, argv, "Lesson 07: recurrent networks",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
