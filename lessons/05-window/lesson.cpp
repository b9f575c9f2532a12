// Lesson 05: window. Stage A (proof.h) holds window models to the best that a known source allows;
// stage B trains one on names, letter by letter, beside models that count.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <set>

#include "lessons/05-window/corpus.h"
#include "lessons/05-window/proof.h"
#include "lessons/numbers.h"
#include "lessons/projection.h"
#include "nn/decode.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson05;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    int64_t window = 6, dim = 64, hidden = 400, batch = 64;
    double lr = 6e-3;
    bool direct = false;
    std::filesystem::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return window != own.window || dim != own.dim || hidden != own.hidden ||
               batch != own.batch || lr != own.lr || direct != own.direct;
    }
};

// ---- counting, to be beaten ---------------------------------------------------------------------

struct Counted {
    models::Ngram model;
    double loss;  // nats per token of the test set
};

Counted count(const Corpus& corpus, int order, models::Smoothing smoothing) {
    models::Ngram model(
        {.vocab = corpus.vocab.size(), .order = order, .smoothing = smoothing, .alpha = 0.03});
    for (const auto& document : corpus.train) model.add(document);
    double nats = 0;
    for (const auto& document : corpus.test) nats += model.nats(document);
    return {std::move(model), nats / static_cast<double>(token_count(corpus.test))};
}

// The best of the three smoothings, by the test set itself: that can only flatter them.
Counted best_of_order(const Corpus& corpus, int order) {
    using models::Smoothing;
    Counted best = count(corpus, order, Smoothing::kneser_ney);
    for (const Smoothing smoothing : {Smoothing::witten_bell, Smoothing::add_alpha}) {
        Counted other = count(corpus, order, smoothing);
        if (other.loss < best.loss) best = std::move(other);
    }
    return best;
}

// The loss of half the one's probability plus half the other's.
double averaged(models::WindowLM& model, const data::Batch& test, const Corpus& corpus,
                const models::Ngram& counted) {
    model.eval();
    const int64_t width = test.x.size(1);
    double nats = 0;
    int64_t row = 0;
    for (const auto& document : corpus.test) {
        const auto n = static_cast<int64_t>(document.size());
        if (n == 0) continue;
        const Tensor p = softmax(model(test.x.view({n, width}, row * width)));  // [n, V]
        for (int64_t t = 0; t < n; ++t, ++row) {
            const std::span<const int32_t> past(document.data(), static_cast<size_t>(t));
            const int32_t token = document[static_cast<size_t>(t)];
            nats -= std::log(0.5 * p.at(t * p.size(1) + token) +
                             0.5 * counted.probability(past, token));
        }
    }
    return nats / static_cast<double>(row);
}

// ---- what the model has learned -----------------------------------------------------------------

// One new document: from an empty window to the end, or to 60 tokens.
std::vector<int32_t> dream(models::WindowLM& model, Rng& rng) {
    Tensor window = Tensor::full({1, model.options().window}, kEnd, Dtype::i32);
    std::vector<int32_t> document;
    while (document.size() < 60) {
        const int32_t id = nn::sample(model(window), {}, rng).data<int32_t>()[0];
        if (id == kEnd) break;
        document.push_back(id);
        int32_t* ids = window.data<int32_t>();
        std::rotate(ids, ids + 1, ids + window.size());
        ids[window.size() - 1] = id;
    }
    return document;
}

struct Samples {
    std::string text;
    double known;  // share of them that stand in the training set
};

Samples dream_many(models::WindowLM& model, const Corpus& corpus, uint64_t seed) {
    model.eval();
    const std::set<std::vector<int32_t>> seen(corpus.train.begin(), corpus.train.end());
    Rng rng(seed);
    Samples samples{};
    const int count = 500, shown = corpus.unit == "word" ? 12 : 60;
    for (int i = 0; i < count; ++i) {
        std::vector<int32_t> document = dream(model, rng);
        if (i < shown) {
            samples.text += corpus.text(document);
            samples.text += corpus.unit == "word" || i % 10 == 9 ? "\n" : "  ";
        }
        document.push_back(kEnd);
        samples.known += static_cast<double>(seen.contains(document)) / count;
    }
    return samples;
}

// Kinds of characters that a picture of the embeddings tells apart by colour.
std::string kind(const std::string& character) {
    const char c = character[0];
    if (std::string_view("aeiouy").find(c) != std::string_view::npos) return "vowels";
    if (c >= 'a' && c <= 'z') return "consonants";
    if (c >= 'A' && c <= 'Z') return "capitals";
    return "others";
}

void show_embeddings(Report& report, const Corpus& corpus, const Tensor& table) {
    // What is hardly ever seen has hardly left its random beginning.
    std::vector<int64_t> counts(static_cast<size_t>(corpus.vocab.size()));
    for (const auto& document : corpus.train)
        for (const int32_t id : document) ++counts[static_cast<size_t>(id)];
    std::vector<int32_t> common;
    for (int32_t id = 0; id < corpus.vocab.size() && common.size() < 60; ++id)
        if (counts[static_cast<size_t>(id)] >= 50) common.push_back(id);
    if (common.size() < 3) return;

    const Tensor rows = data::take_rows(table, common.data(), static_cast<int64_t>(common.size()));
    const int64_t dims = std::min<int64_t>(2, rows.size(1));
    const Tensor flat = lesson::project(rows, lesson::principal_axes(rows, dims));
    struct Group {
        Values xs, ys;
        std::vector<std::string> texts;
    };
    std::map<std::string, Group> groups;
    for (size_t i = 0; i < common.size(); ++i) {
        const std::string& token = corpus.vocab.token(common[i]);
        const bool letters = corpus.unit == "character" && common[i] != kEnd;
        Group& group = groups[letters ? kind(token) : common[i] == kEnd ? "end" : "words"];
        const auto row = static_cast<int64_t>(i) * dims;
        group.xs.push_back(flat.at(row));
        group.ys.push_back(dims == 2 ? flat.at(row + 1) : 0);
        group.texts.push_back(common[i] == kEnd ? "end" : token);
    }
    report::Plot plot("Embeddings", "first principal axis", "second");
    for (const auto& [name, group] : groups) plot.labels(name, group.xs, group.ys, group.texts);
    report.page.heading("What it has learned of its tokens");
    report.figure(plot.size(760, 460),
                  "Rows of C, projected onto the two directions in which they differ most. Nobody "
                  "told the model which tokens are alike.",
                  corpus.unit + "s");
}

void show_training(Report& report, const Corpus& corpus, const lesson::History& ours,
                   double order_3, double best) {
    Values steps(ours.losses.size());
    std::iota(steps.begin(), steps.end(), 1);
    report::Plot plot("Loss", "step", fmt::format("nats per {}", corpus.unit));
    plot.noisy_line("ours, training", steps, ours.losses);
    plot.line("ours, test", ours.test_steps, ours.test_losses);
    plot.hline("counting, order 3", order_3).hline("counting, best order", best);
    if (corpus.optimum) plot.hline("optimum", *corpus.optimum);
    const double lowest = *std::min_element(ours.test_losses.begin(), ours.test_losses.end());
    plot.y_range(std::min(lowest, best) - 0.3, order_3 + 0.7);
    report.figure(plot, "Training loss of each batch; test loss on all documents held out.",
                  "loss");
}

// What each position of the window weighs: the length of its block of H, for embeddings as long as
// they are on average.
void show_positions(Report& report, const models::WindowLM& model) {
    const auto weights = model.state_dict().at("hidden.weight");  // [H, n m]
    const int64_t n = model.options().window, m = model.options().dim;
    std::vector<std::string> labels;
    Values lengths;
    for (int64_t k = n - 1; k >= 0; --k) {
        labels.push_back(std::to_string(n - k));
        lengths.push_back(sqrt(sum(square(slice(weights, 1, k * m, (k + 1) * m)))).item());
    }
    report::Plot plot("What each position weighs", "tokens back", "length of its part of H");
    report.figure(plot.bars(labels, lengths).size(760, 280),
                  "The token just before the next one counts most.");
}

// ---- the run ------------------------------------------------------------------------------------

void judge(lesson::Results& results, const lesson::Options& options, const Settings& settings,
           const Corpus& corpus, const lesson::History& ours, double averaged_loss, double best,
           double order_3) {
    const double loss = ours.test_losses.back();
    results.section(fmt::format("B. {}, nats per {}", corpus.name, corpus.unit));
    results.add("chance", std::log(static_cast<double>(corpus.vocab.size())));
    results.add("trivial baseline: how often each occurs", best_of_order(corpus, 1).loss);
    results.add("counting, order 3", order_3);
    results.add("best classical: counting, best of orders 1 to 6", best);
    if (!settings.ablated() && !options.epochs && !options.quick)
        results.add("ours", loss, at_most(order_3));
    else if (!settings.ablated() && !options.epochs)
        results.add("ours", loss, at_most(best_of_order(corpus, 2).loss));
    else
        results.add("ours", loss);
    results.add("half ours, half the best that counts", averaged_loss);
    if (corpus.optimum)
        results.add("optimum: the grammar itself, on these tokens", *corpus.optimum);
}

int run(const lesson::Options& options, const Settings& settings) {
    const Corpus corpus = load(options.data, options.seed, options.quick);
    const data::Batch train = data::windows(corpus.train, settings.window, kEnd);
    const data::Batch test = data::windows(corpus.test, settings.window, kEnd);
    Report report{
        report::Page{"Lesson 05 · Window", "A neural network that predicts the next token."},
        settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    prove(results, report, options);

    nn::manual_seed(options.seed);
    models::WindowLM model({.vocab = corpus.vocab.size(),
                            .window = settings.window,
                            .dim = settings.dim,
                            .hidden = settings.hidden,
                            .direct = settings.direct});

    // Large texts are not read five times: some minutes have to do.
    constexpr int64_t kMostSteps = 20000;
    const int64_t per_epoch = std::max<int64_t>(1, train.y.size() / settings.batch);
    int64_t steps = per_epoch * options.epochs_or(5, 1);
    if (!options.epochs) steps = std::min(steps, options.quick ? kMostSteps / 20 : kMostSteps);
    const std::string course = fmt::format(
        "{} tokens of {}, {} kinds, seed {}, {} steps of {} windows, rate up to {}, window {}, {} "
        "dimensions, {} hidden units{}",
        train.y.size(), corpus.name, corpus.vocab.size(), options.seed, steps, settings.batch,
        settings.lr, settings.window, settings.dim, settings.hidden,
        settings.direct ? ", direct connections" : "");
    const bool resumed = !options.resume.empty();
    const std::filesystem::path file = resumed ? options.resume : options.checkpoint();
    lesson::History ours;
    if (!fit(corpus.name, model, ours, {settings.batch, steps, options.seed, settings.lr, course},
             train, test, {file, resumed}, &corpus.vocab))
        return lesson::stopped(options, file);
    if (!options.save.empty() && file != options.save)
        std::filesystem::copy_file(file, options.save,
                                   std::filesystem::copy_options::overwrite_existing);

    std::vector<Counted> counted;
    for (int order = 1; order <= 6; ++order) counted.push_back(best_of_order(corpus, order));
    const auto best = std::min_element(counted.begin(), counted.end(),
                                       [](auto& a, auto& b) { return a.loss < b.loss; });
    judge(results, options, settings, corpus, ours, averaged(model, test, corpus, best->model),
          best->loss, counted[2].loss);

    report.page.heading("Training on " + corpus.name);
    report.page.text(fmt::format("{} parameters; {}.",
                                 report::number(static_cast<double>(model.parameter_count())),
                                 course));
    show_training(report, corpus, ours, counted[2].loss, best->loss);
    report::Table orders(fmt::format("Counting, nats per {}", corpus.unit), {"order", "loss"});
    for (size_t i = 0; i < counted.size(); ++i)
        orders.row({std::to_string(i + 1), report::number(counted[i].loss)});
    report.page.table(orders.note("Each with the smoothing that suits the test set best."));
    show_embeddings(report, corpus, model.state_dict().at("table.weight"));
    show_positions(report, model);

    const Samples samples = dream_many(model, corpus, options.seed);
    report.page.heading("What it makes up").preformatted(samples.text);
    results.section("B. " + corpus.name + ", training");
    results.add("loss at step 0", ours.test_losses.front());
    results.add("loss on the training set", nats_per_token(model, train));
    results.add("samples that stand in the training set", samples.known, "%");
    results.add("time", ours.seconds, "s");
    fmt::print("Made up:\n{}\n", samples.text);
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--window", settings.window, "Tokens seen before the next one")
            ->check(CLI::Range(1, 64))
            ->capture_default_str();
        app.add_option("--dim", settings.dim, "Dimensions of an embedding")
            ->check(CLI::Range(1, 1024))
            ->capture_default_str();
        app.add_option("--hidden", settings.hidden, "Hidden units")
            ->check(CLI::Range(1, 8192))
            ->capture_default_str();
        app.add_option("--batch", settings.batch, "Windows a step")
            ->check(CLI::Range(1, 100000))
            ->capture_default_str();
        app.add_option("--lr", settings.lr, "Peak of the learning rate")
            ->check(lesson::positive)
            ->capture_default_str();
        app.add_flag("--direct", settings.direct, "Also connect embeddings and logits directly");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 05: window",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
