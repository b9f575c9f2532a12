// Lesson 04: counting. Stage A (proof.h) counts a source whose best loss is known; stage B counts real
// text, with orders 1 to 6 and three ways to smooth, and prints the line that later models have to beat.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "lessons/04-counting/proof.h"
#include "lessons/04-counting/text.h"
#include "lessons/numbers.h"
#include "report/heatmap.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson04;

constexpr int kOrders = 6;

struct Settings {
    double alpha = 0;                // 0: what suits the held-out text
    std::filesystem::path drawings;  // where README.md's figures go; empty: nowhere
};

// ---- orders and smoothings ----------------------------------------------------------------------

Ngram count(const std::vector<Ids>& documents, const NgramOptions& options) {
    Ngram model(options);
    for (const Ids document : documents) model.add(document);
    return model;
}

double loss(const Ngram& model, const std::vector<Ids>& documents, size_t first) {
    double nats = 0, tokens = 0;
    for (const Ids document : documents) {
        if (document.size() <= first) continue;
        nats += model.nats(document, first);
        tokens += static_cast<double>(document.size() - first);
    }
    return nats / tokens;
}

// One setting and its losses; the test text is looked at, never used to choose.
struct Line {
    NgramOptions options;
    double held_out = 0, test = 0;
};

std::string name_of(Smoothing smoothing) {
    return smoothing == Smoothing::add_alpha     ? "add-α"
           : smoothing == Smoothing::witten_bell ? "Witten-Bell"
                                                 : "Kneser-Ney";
}

// Every order with every smoothing, add-α with several α. A table a thread, so that threads change
// nothing; the large ones first.
std::vector<Line> measure(const Text& text, const Settings& settings) {
    const Values alphas = settings.alpha > 0 ? Values{settings.alpha} : Values{1, 0.1, 0.01, 0.001};
    std::vector<std::vector<Line>> tables;
    for (int order = kOrders; order >= 1; --order) {
        for (const auto smoothing :
             {Smoothing::add_alpha, Smoothing::witten_bell, Smoothing::kneser_ney}) {
            auto& table = tables.emplace_back();
            for (const double alpha : alphas) {
                table.push_back({{text.vocab(), order, smoothing, alpha}});
                if (smoothing != Smoothing::add_alpha) break;
            }
        }
    }
#pragma omp parallel for schedule(dynamic)
    for (auto& table : tables) {
        if (lesson::interrupted()) continue;
        Ngram part = count(text.counted, table[0].options);
        Ngram whole = count(text.train, table[0].options);
        for (Line& line : table) {
            part.set_alpha(line.options.alpha);
            whole.set_alpha(line.options.alpha);
            line.held_out = loss(part, text.held_out, text.first);
            line.test = loss(whole, text.test, text.first);
        }
    }
    std::vector<Line> lines;
    for (const auto& table : tables) lines.insert(lines.end(), table.begin(), table.end());
    return lines;
}

// The best of those that are asked for, by the held-out text; the first of equals.
template <class Wanted>
const Line& best_of(const std::vector<Line>& lines, Wanted wanted) {
    const Line* best = nullptr;
    for (const Line& line : lines)
        if (wanted(line.options) && (!best || line.held_out < best->held_out)) best = &line;
    return *best;
}

const Line& best_of(const std::vector<Line>& lines, Smoothing smoothing, int order) {
    return best_of(lines, [&](const NgramOptions& o) {
        return o.smoothing == smoothing && (order == 0 || o.order == order);
    });
}

// What add-α begins with: 1, or the user's own.
const Line& plain(const std::vector<Line>& lines, int order) {
    const double alpha = lines.front().options.alpha;
    return best_of(lines, [=](const NgramOptions& o) {
        return o.smoothing == Smoothing::add_alpha && o.order == order && o.alpha == alpha;
    });
}

std::string name_of_plain(const std::vector<Line>& lines) {
    return "add-" + report::short_number(lines.front().options.alpha);
}

report::Table table_of(const Text& text, const std::vector<Line>& lines) {
    report::Table table(
        text.corpus.name + ": test loss, nats per character",
        {"order", name_of_plain(lines), "add-α, best α", "α", "Witten-Bell", "Kneser-Ney"});
    for (int order = 1; order <= kOrders; ++order) {
        const auto cell = [](const Line& line) { return fmt::format("{:.4f}", line.test); };
        const Line& added = best_of(lines, Smoothing::add_alpha, order);
        table.row({std::to_string(order), cell(plain(lines, order)), cell(added),
                   report::short_number(added.options.alpha),
                   cell(best_of(lines, Smoothing::witten_bell, order)),
                   cell(best_of(lines, Smoothing::kneser_ney, order))});
    }
    return table;
}

void draw_orders(Report& report, const Text& text, const std::vector<Line>& lines) {
    report::Plot plot(text.corpus.name + ": loss over the order", "order",
                      "test loss (nats per character)");
    const auto curve = [&](const std::string& name, auto line) {
        Values orders, losses;
        for (int order = 1; order <= kOrders; ++order) {
            orders.push_back(order);
            losses.push_back(line(order).test);
        }
        plot.line(name, orders, losses);
    };
    curve(name_of_plain(lines), [&](int order) { return plain(lines, order); });
    for (const auto smoothing :
         {Smoothing::add_alpha, Smoothing::witten_bell, Smoothing::kneser_ney}) {
        curve(name_of(smoothing) + (smoothing == Smoothing::add_alpha ? ", best α" : ""),
              [&](int order) { return best_of(lines, smoothing, order); });
    }
    if (text.optimum) plot.hline("optimum", *text.optimum);
    report.figure(
        plot,
        "More context helps for as long as the table knows it. What a model does where it "
        "does not is all that tells these curves apart.",
        text.corpus.name + "-orders");
}

// ---- what is in the tables ----------------------------------------------------------------------

// The share of the test tokens that the training text never has after the same context.
Values never_seen(const Text& text) {
    Values shares(kOrders);
#pragma omp parallel for schedule(dynamic)
    for (int order = 1; order <= kOrders; ++order) {
        const Ngram model = count(text.train, {.vocab = text.vocab(), .order = order});
        double unseen = 0, all = 0;
        for (const Ids document : text.test) {
            for (size_t i = text.first; i < document.size(); ++i) {
                unseen += model.count(document.first(i), document[i]) == 0;
                all += 1;
            }
        }
        shares[static_cast<size_t>(order - 1)] = unseen / all;
    }
    return shares;
}

// What grams lose that one half of the training text has c times, c = 1 ... most: c less how often the
// other half has them, on average (Church and Gale 1991).
Values lost_by_count(const Text& text, size_t order, size_t most) {
    struct Halves {
        uint32_t here = 0, there = 0;
    };
    std::unordered_map<uint64_t, Halves> grams;  // by a hash of the ids
    Rng coin(1);  // each time a gram stands somewhere, it decides which half has it
    const Ids ids = text.corpus.train.values<int32_t>();
    for (size_t i = 0; i + order <= ids.size(); ++i) {
        uint64_t hash = 0;
        for (size_t k = i; k < i + order; ++k)
            hash = Rng::at(hash ^ static_cast<uint64_t>(ids[k]), 0);
        ++(coin.uniform() < 0.5 ? grams[hash].here : grams[hash].there);
    }
    Values n(most + 1), there(most + 1);  // by c: how many grams, their sum in the other half
    for (const auto& [hash, gram] : grams) {
        if (gram.here >= n.size()) continue;
        n[gram.here] += 1;
        there[gram.here] += gram.there;
    }
    Values lost;
    for (size_t c = 1; c <= most; ++c) lost.push_back(static_cast<double>(c) - there[c] / n[c]);
    return lost;
}

void draw_sparsity(Report& report, const Text& text) {
    const Values unseen = never_seen(text);
    std::vector<std::string> orders;
    for (int order = 1; order <= kOrders; ++order) orders.push_back(std::to_string(order));
    report::Plot plot("Never seen", "order", "share of the test characters");
    report.figure(plot.bars(orders, unseen).size(760, 300),
                  "How often the training text never has the next character after the same "
                  "order - 1 ones.",
                  text.corpus.name + "-unseen");

    const Values lost = lost_by_count(text, 5, 10);
    report::Plot loss("What a count loses", "times in one half of the text",
                      "less in the other half, on average");
    loss.points("runs of five characters", counting(lost.size(), 1), lost);
    report.figure(loss.hline("nothing lost", 0).size(760, 300),
                  "What one half of the text has c times is rarer in the other half, by an amount "
                  "that hardly depends on c. A discount takes it away beforehand.",
                  text.corpus.name + "-lost");
}

// A character as it can stand in a label.
std::string visible(const std::string& token) {
    if (token == " ") return "␣";
    if (token == "\n") return "↵";
    return token;
}

void draw_bigrams(Report& report, const Text& text) {
    const Ngram model = count(text.train, {.vocab = text.vocab(), .order = 2});
    const int32_t shown = static_cast<int32_t>(std::min<int64_t>(28, text.vocab() - 1));
    std::vector<std::string> labels;
    Values cells;
    for (int32_t a = 1; a <= shown; ++a) {  // 0 is <unk>, the others come by falling count
        labels.push_back(visible(text.corpus.vocab.token(a)));
        for (int32_t b = 1; b <= shown; ++b)
            cells.push_back(model.probability(std::span(&a, 1), b));
    }
    report::Heatmap map("Which character follows which", cells, static_cast<size_t>(shown));
    report.figure(map.labels(labels, labels).axes("before", "after"),
                  "p(after | before) of the most frequent characters: all that a model of order 2 "
                  "knows.",
                  text.corpus.name + "-bigrams");
}

// The one-layer network on this text: training loss above that of the counts. Its loss needs no text,
// only the table of pairs, which has to be small enough for many steps.
double softmax_above_counts(const Text& text, int steps) {
    const int64_t v = text.vocab();
    Tensor counts = Tensor::zeros({v, v}, Dtype::f64);
    for (const Ids document : text.train)
        for (size_t i = 1; i < document.size(); ++i) {
            const int64_t place = document[i - 1] * v + document[i];
            counts.data<double>()[place] += 1;
        }
    const double pairs = sum(counts).item();
    const Tensor share = counts / clamp(sum(counts, {1}, true), 1, pairs);
    const Tensor entropy = -sum(counts * log(clamp(share, 1e-300, 1.0))) / pairs;
    Tensor w = Tensor::zeros({v, v}, Dtype::f64);
    w.requires_grad();
    nn::Adam optimizer(std::vector<Tensor>{w}, {.lr = 0.1});
    double last = 0;
    for (int step = 0; step <= steps && !lesson::interrupted(); ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor loss = -sum(counts * log_softmax(w)) / pairs;
        last = loss.item();
        tape.backward(loss);
        optimizer.step();
    }
    return last - entropy.item();
}

void show_samples(Report& report, const Text& text, const std::vector<Line>& lines, uint64_t seed) {
    report.page.heading("What they write");
    report.page.text("Each begins as a document does; Kneser-Ney, drawn character by character.");
    const Line& any = best_of(lines, Smoothing::kneser_ney, 0);
    for (int order = 1; order <= kOrders; ++order) {
        NgramOptions options = any.options;
        options.order = order;
        const Ngram model = count(text.train, options);
        Rng rng(seed);
        std::string written;
        // A short document ends, and another begins; a novel is never over.
        const bool short_ones = text.train.size() > 100;
        std::vector<int32_t> document;
        while (written.size() < (short_ones ? 60 : 250)) {
            document.push_back(model.sample(document, 1, rng)[0]);
            const std::string& token = text.corpus.vocab.token(document.back());
            written += short_ones && token == "\n" ? ", " : token;
            if (short_ones && token == "\n") document.clear();
        }
        report.page.subheading(fmt::format("Order {}", order));
        report.page.preformatted(written);
        std::replace(written.begin(), written.end(), '\n', ' ');
        fmt::print("order {}: {}\n", order, written.substr(0, 100));
    }
}

// ---- the whole ----------------------------------------------------------------------------------

// The loss that a full run has to reach, on data that we know.
std::optional<double> pass_mark(const std::string& data) {
    if (data == "austen") return 1.31;
    if (data == "names") return 1.95;
    return {};
}

int run(const lesson::Options& options, const Settings& settings) {
    check(options.save.empty() && options.resume.empty(), "lesson 04",
          "counts are not saved: counting again takes seconds. Run it without --save and --resume");
    const auto began = std::chrono::steady_clock::now();
    const Text text = load(options);
    Report report{report::Page{"Lesson 04 · Counting", "Language models that are tables."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.alpha > 0) results.read_bands({});  // other settings, other figures
    prove(results, report, options);
    const std::vector<Line> lines = measure(text, settings);
    std::optional<double> above;
    if (text.vocab() <= 500) above = softmax_above_counts(text, options.epochs_or(1000, 500));
    if (lesson::interrupted()) {
        fmt::print("Stopped. Nothing is lost: the whole run takes seconds.\n");
        return 130;
    }

    const std::string& name = text.corpus.name;
    const Line& best = best_of(lines, [](const NgramOptions&) { return true; });
    const double trivial = best_of(lines, Smoothing::witten_bell, 1).test;
    results.section("B. " + name + ", test loss per character", "nats");
    results.add("chance, ln V", std::log(text.vocab()));
    results.add("trivial baseline: how often each character stands", trivial);
    for (const auto smoothing : {Smoothing::add_alpha, Smoothing::witten_bell}) {
        const Line& line = best_of(lines, smoothing, 0);
        results.add(fmt::format("{}, order {}", name_of(smoothing), line.options.order), line.test);
    }
    const bool full = !options.quick && settings.alpha == 0;
    const std::string ours =
        fmt::format("{}, order {}", name_of(best.options.smoothing), best.options.order);
    const double target = text.optimum ? *text.optimum + 0.01 : pass_mark(name).value_or(trivial);
    results.add("best classical and ours: " + ours, best.test, at_most(full ? target : trivial));
    if (text.optimum) results.add("optimum: the chain itself, on these tokens", *text.optimum);
    results.section("B. " + name);
    results.add("perplexity of that", std::exp(best.test));
    if (above) {
        results.add("one layer and a softmax above counted bigrams, training", *above, "nats",
                    within(0, 0.002));
    }

    report.page.heading(fmt::format("Counting {}", name));
    size_t characters = 0, tested = 0, held_out = 0;
    for (const Ids document : text.train) characters += document.size();
    for (const Ids document : text.test) tested += document.size();
    for (const Ids document : text.held_out) held_out += document.size();
    report.page.text(fmt::format(
        "{} characters in {} documents to count, {} in {} to test; {} different ones. α, the order "
        "and the smoothing were chosen on {} characters of the training text, held out from {}.",
        report::number(static_cast<double>(characters)), text.train.size(),
        report::number(static_cast<double>(tested)), text.test.size(), text.vocab(),
        report::number(static_cast<double>(held_out)),
        report::number(static_cast<double>(characters - held_out))));
    const report::Table table = table_of(text, lines);
    report.page.table(table);
    draw_orders(report, text, lines);
    draw_sparsity(report, text);
    draw_bigrams(report, text);
    fmt::print("{}\n", table.text());
    show_samples(report, text, lines, options.seed);
    fmt::print(
        "\nThe line that every later model has to beat on {}: {:.4f} nats per character, {}, "
        "perplexity {:.3f}.\n\n",
        name, best.test, ours, std::exp(best.test));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
    results.add("time", taken.count(), "s");
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--alpha", settings.alpha, "For add-α, instead of the one that suits best")
            ->check(lesson::positive);
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 04: counting",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
