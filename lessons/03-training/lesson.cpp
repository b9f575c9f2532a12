// Lesson 03: training. Stage A (proof.h) holds what theory says against what the library does; stage B
// trains a network with one hidden layer on real pictures.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>

#include "data/batches.h"
#include "data/images.h"
#include "lessons/03-training/proof.h"
#include "lessons/numbers.h"
#include "nn/checkpoint.h"
#include "nn/schedule.h"
#include "report/heatmap.h"
#include "report/images.h"
#include "report/progress.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson03;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    std::string optimizer = "adamw";  // adamw, adam, momentum, sgd
    std::string init = "torch";       // torch (uniform ± 1/√in), kaiming, normal (N(0, 1))
    double lr = 0;                    // 0: what suits the optimizer
    double warmup = 0.05;             // share of all steps
    double dropout = 0.2;
    int64_t batch = 128;
    std::filesystem::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        const Settings own;
        return optimizer != own.optimizer || init != own.init || lr != own.lr ||
               warmup != own.warmup || dropout != own.dropout || batch != own.batch;
    }
};

// ---- stage B: real pictures ---------------------------------------------------------------------

struct Task {
    std::string name;
    data::Images train, test;
    std::vector<std::string> classes;
};

Task load(const lesson::Options& options) {
    Task task;
    task.name = options.data.empty() ? "mnist" : options.data;
    if (task.name == "generated") {
        const int64_t train = options.quick ? 3000 : 12000, test = options.quick ? 1000 : 4000;
        const data::Images all = data::procedural_digits(train + test, {.seed = options.seed});
        task.train = data::slice(all, 0, train);
        task.test = data::slice(all, train, train + test);
    } else {
        namespace fs = std::filesystem;
        fs::path path = task.name;
        if (!fs::exists(path) && !path.has_parent_path()) {  // a name: where ./run data puts it
            path = lesson::report_folder().parent_path().parent_path() / ".data" / path;
        }
        check(fs::exists(path), "data",
              "there is nothing at {}. Fetch it with ./run data mnist, give a file or folder of "
              "your own with --data PATH, or go on with --data generated",
              path.string());
        auto [train, test] = data::load_images(path);
        task.train =
            options.quick ? data::slice(train, 0, std::min<int64_t>(6000, train.size())) : train;
        task.test =
            options.quick ? data::slice(test, 0, std::min<int64_t>(2000, test.size())) : test;
        task.name = (path.has_filename() ? path : path.parent_path()).filename().string();
    }
    for (int c = 0; c < task.train.classes; ++c) task.classes.push_back(std::to_string(c));
    if (task.name == "fashion") {
        task.classes = {"T-shirt", "trousers", "pullover", "dress", "coat",
                        "sandal",  "shirt",    "sneaker",  "bag",   "boot"};
    }
    return task;
}

// What can be read off a model without training it.
struct Reading {
    Tensor probabilities;  // [N, C]
    double loss, accuracy;
};

Reading read(nn::Layer& model, const data::Images& images) {
    model.eval();
    std::vector<Tensor> portions;
    for (const Tensor& x : split(images.pixels, 2000)) portions.push_back(log_softmax(model(x)));
    const Tensor log_p = concat(portions);
    const Tensor guess = argmax(log_p);
    int64_t right = 0;
    double nats = 0;
    for (int64_t i = 0; i < images.size(); ++i) {
        const auto label = static_cast<int64_t>(images.labels.at(i));
        right += static_cast<int64_t>(guess.at(i)) == label;
        nats -= log_p.at(i * log_p.size(1) + label);
    }
    const double n = static_cast<double>(images.size());
    return {exp(log_p), nats / n, static_cast<double>(right) / n};
}

// The course of a training. It is kept in the checkpoint, so that the report of a resumed run tells
// the whole story.
struct History {
    Values losses;                      // of each step's batch
    Values test_losses, test_accuracy;  // before the first step, then after each epoch
    double seconds = 0;

    void write(nn::Metadata& notes) const {
        notes["losses"] = fmt::format("{}", fmt::join(losses, " "));
        notes["test losses"] = fmt::format("{}", fmt::join(test_losses, " "));
        notes["test accuracy"] = fmt::format("{}", fmt::join(test_accuracy, " "));
        notes["seconds"] = fmt::format("{}", seconds);
    }
    void read(const nn::Metadata& notes) {
        const auto numbers = [&](const char* name) {
            const std::string& text = notes.at(name);
            Values values;
            char* next = nullptr;
            for (const char* at = text.c_str(); *at != 0; at = next) {
                values.push_back(std::strtod(at, &next));
                check(next != at, "resume", "\"{}\" in the checkpoint is no list of numbers", name);
            }
            return values;
        };
        losses = numbers("losses");
        test_losses = numbers("test losses");
        test_accuracy = numbers("test accuracy");
        seconds = numbers("seconds").at(0);
    }
};

// How a model is trained, which is all that a step's number needs to decide its batch and rate.
struct Course {
    int64_t batch, steps;
    uint64_t seed;
    nn::WarmupCosine rate;
};

// Trains to the end of the course or to Ctrl-C; true where it came to the end.
bool fit(const std::string& label, nn::Layer& model, nn::Training& training, History& history,
         const Course& course, const Task& task) {
    data::Batches batches(task.train.pixels, task.train.labels, course.batch,
                          {.seed = course.seed});
    const auto evaluate = [&] {
        const Reading now = read(model, task.test);
        history.test_losses.push_back(now.loss);
        history.test_accuracy.push_back(now.accuracy);
    };
    report::ProgressOptions from;
    from.start = training.step;
    report::Progress bar(label, course.steps, from);
    const auto began = std::chrono::steady_clock::now();
    const double before = history.seconds;
    if (history.test_losses.empty()) evaluate();

    while (training.step < course.steps && !lesson::interrupted()) {
        model.train();
        const auto [x, y] = batches.at(training.step);  // [B, H W], [B]
        training.optimizer.zero_grad();
        {
            Tape tape;
            const Tensor loss = nn::cross_entropy(model(x), y);
            tape.backward(loss);
            history.losses.push_back(loss.item());
        }
        training.optimizer.set_lr(course.rate(training.step));
        training.optimizer.step();
        ++training.step;

        if (training.step % batches.per_epoch() == 0) evaluate();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
        history.seconds = before + taken.count();
        const auto seen = static_cast<double>((training.step - from.start) * course.batch);
        bar.update(training.step, {{"loss", history.losses.back()},
                                   {"test %", 100 * history.test_accuracy.back()},
                                   {"images/s", seen / taken.count()}});
    }
    bar.finish();
    return training.step == course.steps;
}

std::unique_ptr<nn::Optimizer> make_optimizer(const Settings& settings, nn::Module& model) {
    const auto parameters = model.parameters();
    if (settings.optimizer == "sgd") return std::make_unique<nn::SGD>(parameters);
    if (settings.optimizer == "momentum")
        return std::make_unique<nn::SGD>(parameters, nn::SgdOptions{.momentum = 0.9});
    if (settings.optimizer == "adam") return std::make_unique<nn::Adam>(parameters);
    return std::make_unique<nn::AdamW>(parameters, nn::AdamWOptions{.weight_decay = 0.01});
}

double peak_rate(const Settings& settings) {
    if (settings.lr > 0) return settings.lr;
    if (settings.optimizer == "sgd") return 0.5;
    if (settings.optimizer == "momentum") return 0.05;
    return 2e-3;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

void show_training(Report& report, const History& ours, const History& logistic, int64_t per_epoch,
                   const nn::Schedule& schedule) {
    Values at, rate_at, rates;  // in epochs
    for (size_t i = 0; i < ours.losses.size(); ++i) {
        at.push_back(static_cast<double>(i) / static_cast<double>(per_epoch));
        if (i % (ours.losses.size() / 200 + 1) != 0) continue;
        rate_at.push_back(at.back());
        rates.push_back(schedule(static_cast<int64_t>(i)));
    }
    const Values epochs = counting(ours.test_losses.size());
    report::Plot loss("Loss", "epoch", "loss (nats)");
    loss.noisy_line("ours, training", at, ours.losses).line("ours, test", epochs, ours.test_losses);
    loss.line("logistic regression, test", epochs, logistic.test_losses).log_y();
    report.figure(loss, "Training loss of each batch, with dropout; test loss without.");

    const auto trained = [](const Values& v) { return std::span(v).subspan(1); };
    report::Plot accuracy("Test accuracy", "epoch", "share that is right");
    accuracy.line("ours", trained(epochs), trained(ours.test_accuracy));
    accuracy.line("logistic regression", trained(epochs), trained(logistic.test_accuracy));
    report.figure(accuracy, "Measured after each epoch; no epoch was selected by it.", "accuracy");

    report::Plot rate("Learning rate", "epoch", "learning rate");
    report.figure(rate.line("warm-up, cosine", rate_at, rates).size(760, 260),
                  "A short line up, half a cosine down.");
}

void show_reading(Report& report, const Task& task, const Reading& reading, const Tensor& weights) {
    const int h = task.test.height, w = task.test.width;
    const int64_t n = task.test.size(), classes = reading.probabilities.size(1), area = h * w;
    const auto picture = [&](const Tensor& rows, int64_t i) {
        Values pixels;
        for (int64_t k = 0; k < area; ++k) pixels.push_back(rows.at(i * area + k));
        return pixels;
    };
    const Tensor guess = argmax(reading.probabilities);
    std::vector<std::pair<double, int64_t>> wrong;  // how sure it was, which picture
    Values confused(static_cast<size_t>(classes * classes), 0);
    for (int64_t i = 0; i < n; ++i) {
        const auto label = static_cast<int64_t>(task.test.labels.at(i));
        const auto read_as = static_cast<int64_t>(guess.at(i));
        if (label == read_as) continue;
        wrong.push_back({reading.probabilities.at(i * classes + read_as), i});
        confused[static_cast<size_t>(label * classes + read_as)] += 1;
    }
    std::sort(wrong.rbegin(), wrong.rend());

    report.page.heading("What it gets wrong");
    report::Images misread("Misread, the surest first");
    for (size_t k = 0; k < std::min<size_t>(wrong.size(), 28); ++k) {
        const auto [sure, i] = wrong[k];
        const auto name = [&](double c) { return task.classes[static_cast<size_t>(c)]; };
        misread.add(picture(task.test.pixels, i), h, w,
                    fmt::format("{} read as {}: {}", name(task.test.labels.at(i)),
                                name(guess.at(i)), percent(sure)),
                    report::Mark::fail);
    }
    report.page.figure(
        misread.display_size(84).html(),
        fmt::format("{} of {} test pictures are misread. Below each what it is, what "
                    "it was read as, and the probability of that.",
                    wrong.size(), report::number(static_cast<double>(n))));
    report::Heatmap map("Which is taken for which", confused, static_cast<size_t>(classes));
    map.labels(task.classes, task.classes).axes("is", "read as");
    report.page.figure(map.svg(), "Test pictures, wrong ones only.");

    report.page.heading("What it looks at");
    report::Images filters("Weights into the first 49 hidden units");
    for (int64_t unit = 0; unit < std::min<int64_t>(49, weights.size(0)); ++unit) {
        const Values pixels = picture(weights, unit);
        const double most =
            std::abs(*std::max_element(pixels.begin(), pixels.end(), [](double a, double b) {
                return std::abs(a) < std::abs(b);
            }));
        filters.add(pixels, h, w, "", report::Mark::none, -most, most);
    }
    report.page.figure(filters.display_size(64).html(),
                       "White: ink here speaks for the unit; black: against it.");
}

// The accuracy that a full run has to reach, on data that we know.
std::optional<double> pass_mark(const std::string& data) {
    if (data == "mnist") return 0.975;
    if (data == "fashion") return 0.88;
    if (data == "digits") return 0.9;
    if (data == "generated") return 0.96;
    return {};
}

// The accuracy on the test set of always saying the training set's most frequent class.
double most_frequent(const Task& task) {
    const auto count = [&](const data::Images& images, int32_t label) {
        const auto labels = images.labels.values<int32_t>();
        return std::count(labels.begin(), labels.end(), label);
    };
    int32_t best = 0;
    for (int32_t label = 1; label < task.train.classes; ++label)
        if (count(task.train, label) > count(task.train, best)) best = label;
    return static_cast<double>(count(task.test, best)) / static_cast<double>(task.test.size());
}

// Chance, trivial, classical, ours; and what the training was like. A shortened run only has to beat
// the classical line, one with settings of its own has no marks.
void judge(lesson::Results& results, const lesson::Options& options, const Settings& settings,
           const Task& task, const std::string& sizes, const Reading& reading, const History& ours,
           const History& logistic) {
    const double line = logistic.test_accuracy.back();
    const bool judged = !settings.ablated() && !options.epochs;
    const bool full = judged && !options.quick;
    results.section("B. " + task.name + ", test accuracy", "%");
    results.add("chance", 1.0 / task.train.classes);
    results.add("trivial baseline: always the most frequent class", most_frequent(task));
    results.add("best classical: logistic regression", line);
    if (judged) {
        results.add("ours: " + sizes, reading.accuracy,
                    at_least(full ? pass_mark(task.name).value_or(line) : line));
    } else {
        results.add("ours: " + sizes, reading.accuracy);
    }
    results.section("B. " + task.name + ", training");
    results.add("loss at step 0", ours.test_losses.front());
    results.add("test loss, logistic regression", logistic.test_losses.back());
    results.add("test loss, ours", reading.loss);
    if (full && task.name == "mnist")
        results.add("time", ours.seconds, "s", at_most(60));
    else
        results.add("time", ours.seconds, "s");
}

int run(const lesson::Options& options, const Settings& settings) {
    const Task task = load(options);
    const int64_t pixels = task.train.pixels.size(1), classes = task.train.classes;
    const std::string sizes = fmt::format("{}-256-{}", pixels, classes);
    Report report{report::Page{"Lesson 03 · Training", "From a random network to one that reads."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.ablated()) results.read_bands({});  // other settings, other figures
    prove(results, report, options.seed);

    // At least about 2,000 steps, however small the data.
    const int64_t per_epoch = std::max<int64_t>(1, task.train.size() / settings.batch);
    const int epochs = static_cast<int>(std::max<int64_t>(15, 2000 / per_epoch));
    const int64_t steps = per_epoch * options.epochs_or(epochs, std::max(3, epochs / 10));
    const auto warmup = static_cast<int64_t>(settings.warmup * static_cast<double>(steps));
    const Course course{settings.batch,
                        steps,
                        options.seed,
                        {.peak = peak_rate(settings), .warmup = warmup, .total = steps}};

    nn::manual_seed(options.seed);
    models::MLP model({pixels, 256, classes}, {.dropout = settings.dropout});
    for (const Tensor& p : model.parameters()) {
        if (p.rank() == 2 && settings.init == "kaiming") nn::init::kaiming_normal(p);
        if (p.rank() == 2 && settings.init == "normal") nn::init::normal(p, 0, 1);
    }
    const auto optimizer = make_optimizer(settings, model);
    nn::Training training{model, *optimizer};
    History ours, logistic;

    const std::string command = fmt::format(
        "{} pictures of {}, seed {}, {} steps of {} pictures, {} with a rate up to {}, warm-up {}, "
        "dropout {}, init {}",
        task.train.size(), task.name, options.seed, steps, settings.batch, settings.optimizer,
        course.rate.peak, settings.warmup, settings.dropout, settings.init);
    if (!options.resume.empty()) {
        nn::load_checkpoint(options.resume, training);
        const std::string& saved = training.notes["command"];
        check(saved == command, "resume",
              "{} holds a run with\n  {}\nbut this one is to have\n  {}\nGive it the same options",
              options.resume.string(), saved, command);
        ours.read(training.notes);
    }
    const auto save = [&] {
        training.notes["command"] = command;
        ours.write(training.notes);
        nn::save_checkpoint(options.checkpoint(), training);
    };
    const auto stopped = [&] {
        save();
        return lesson::stopped(options, options.checkpoint());
    };
    if (!fit(sizes, model, training, ours, course, task)) return stopped();
    if (!options.save.empty()) save();

    // The classical line: one linear layer, trained in the same way. Its loss has one minimum.
    models::MLP linear_model({pixels, classes});
    nn::AdamW linear_optimizer(linear_model.parameters());
    nn::Training linear{linear_model, linear_optimizer};
    Course its_course = course;
    its_course.rate.peak = 5e-3;
    if (!fit("logistic", linear_model, linear, logistic, its_course, task)) return stopped();

    const Reading reading = read(model, task.test);
    judge(results, options, settings, task, sizes, reading, ours, logistic);
    report.page.heading("Training on " + task.name);
    report.page.text(fmt::format("A {} network, {} parameters: {}.", sizes,
                                 report::number(static_cast<double>(model.parameter_count())),
                                 command));
    show_training(report, ours, logistic, per_epoch, course.rate);
    show_reading(report, task, reading, model.parameters().front());
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--optimizer", settings.optimizer, "Instead of AdamW")
            ->check(CLI::IsMember({"adamw", "adam", "momentum", "sgd"}))
            ->capture_default_str();
        app.add_option("--init", settings.init, "Weights: uniform ± 1/√in, Kaiming, or N(0, 1)")
            ->check(CLI::IsMember({"torch", "kaiming", "normal"}))
            ->capture_default_str();
        app.add_option("--lr", settings.lr,
                       "Peak of the learning rate, instead of the optimizer's own")
            ->check(lesson::positive);
        app.add_option("--warmup", settings.warmup, "Share of the steps in which the rate rises")
            ->check(CLI::Range(0.0, 0.9))
            ->capture_default_str();
        app.add_option("--dropout", settings.dropout, "Probability")
            ->check(CLI::Range(0.0, 0.95))
            ->capture_default_str();
        app.add_option("--batch", settings.batch, "Pictures a step")
            ->check(CLI::Range(1, 100000))
            ->capture_default_str();
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 03: training",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
