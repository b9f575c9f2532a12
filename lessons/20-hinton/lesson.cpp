// Lesson 20: distillation. Stage A (proof.h) holds what theory says of the loss against what the library does;
// stage B (pictures.h, sides.h) repeats the experiment of Hinton, Vinyals and Dean (2015) on real digits, at rates
// that choice.h finds; stage C (text.h) does the same with words.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "lessons/20-hinton/choice.h"
#include "lessons/20-hinton/sides.h"
#include "lessons/20-hinton/text.h"
#include "lessons/numbers.h"
#include "report/heatmap.h"
#include "report/images.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson20;
namespace fs = std::filesystem;

// What can be changed from the command line beside the common options: one ablation each.
struct Settings {
    bool full = false, text = false, proof = false, choose = false;
    double temperature = kDefault.temperature, weight = kDefault.weight;
    double rate = 0;    // of students under a teacher; 0: the course's own
    int passes = 0;     // of the large students; 0: the course's own number
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        return temperature != kDefault.temperature || weight != kDefault.weight || rate > 0 ||
               passes > 0;
    }
};

Course course_of(const lesson::Options& options, const Settings& settings) {
    Course course = options.quick ? kQuick : settings.full ? kFull : kDefault;
    course.temperature = settings.temperature;
    course.weight = settings.weight;
    if (settings.rate > 0) course.distilled.rate = settings.rate;
    if (settings.passes > 0)
        for (Pace* pace : {&course.plain, &course.smoothed, &course.distilled})
            pace->epochs = settings.passes;
    return course;
}

// Errors of always saying the training set's most frequent class.
double most_frequent(const Pictures& pictures) {
    const auto count = [](const data::Images& images, int label) {
        const auto labels = images.labels.values<int32_t>();
        return std::count(labels.begin(), labels.end(), label);
    };
    int best = 0;
    for (int label = 1; label < pictures.train.classes; ++label)
        if (count(pictures.train, label) > count(pictures.train, best)) best = label;
    return static_cast<double>(pictures.test.size() - count(pictures.test, best));
}

// For some test digits, what the teacher says beside its first choice, at several temperatures.
void show_dark_knowledge(Report& report, const Pictures& pictures, const Tensor& logits) {
    const data::Images& test = pictures.test;
    const int64_t C = logits.size(1), area = test.pixels.size(1);
    const double temperatures[] = {1, 5, 20};
    // Of each class the picture whose second choice is the strongest, among those that are read rightly.
    std::vector<int64_t> shown;
    const Tensor p = softmax(logits), guess = argmax(logits);
    for (int64_t c = 0; c < C; ++c) {
        int64_t best = -1;
        double doubt = -1;
        for (int64_t i = 0; i < test.size(); ++i) {
            if (test.labels.at(i) != static_cast<double>(c) ||
                guess.at(i) != static_cast<double>(c))
                continue;
            if (1 - p.at(i * C + c) > doubt) doubt = 1 - p.at(i * C + c), best = i;
        }
        if (best >= 0) shown.push_back(best);
    }
    report.page.heading("Dark knowledge");
    report::Images images("What the teacher says beside its first choice");
    std::vector<std::string> classes, rows;
    for (int64_t c = 0; c < C; ++c) classes.push_back(std::to_string(c));
    std::vector<Values> cells(std::size(temperatures));
    for (const int64_t i : shown) {
        Values pixels;
        for (int64_t k = 0; k < area; ++k) pixels.push_back(test.pixels.at(i * area + k));
        rows.push_back(fmt::format("a {}", test.labels.at(i)));
        std::string caption = rows.back();
        for (size_t t = 0; t < std::size(temperatures); ++t) {
            const Tensor q =
                nn::soft_targets(logits.view({1, C}, i * C), temperatures[t]);  // [1, C]
            std::vector<int64_t> order;
            for (int64_t c = 0; c < C; ++c) {
                order.push_back(c);
                cells[t].push_back(q.at(c));
            }
            std::sort(order.begin(), order.end(),
                      [&](int64_t a, int64_t b) { return q.at(a) > q.at(b); });
            caption += fmt::format("; T = {}: {} {:.2g}, {} {:.2g}", temperatures[t], order[1],
                                   q.at(order[1]), order[2], q.at(order[2]));
        }
        images.add(pixels, test.height, test.width, caption);
    }
    report.page.figure(
        images.display_size(96).html(),
        "Of each digit the test picture that was read rightly with the most doubt: its second "
        "and third choice, with their probabilities.");
    for (size_t t = 0; t < std::size(temperatures); ++t) {
        report::Heatmap map(fmt::format("Soft targets of the same, T = {}", temperatures[t]),
                            cells[t], static_cast<size_t>(C));
        map.labels(rows, classes).axes("is", "read as").range(0, 1);
        report.figure(map, "Of ten test pictures, one of each digit.",
                      fmt::format("dark-{}", temperatures[t]));
    }
}

// The five rows, and what stands around them. Null pointers where Ctrl-C came first.
struct Main {
    std::unique_ptr<Trained> linear, plain, smoothed, distilled, from_ensemble, plain_moved,
        unlabelled;
    std::vector<std::unique_ptr<Trained>> teachers;
    std::vector<Tensor> said;  // of the training pictures, by each teacher
    int64_t ensemble_wrong = 0;
};

bool learn(Main& all, Class& school) {
    const Course& course = school.course();
    const Pictures& pictures = school.pictures();
    const data::Images& train = pictures.train;
    for (int64_t member = 0; member < course.teachers; ++member) {
        all.teachers.push_back(school.teacher(member, course.teacher));
        if (!all.teachers.back()) return false;
        all.said.push_back(nn::teacher_logits(all.teachers.back()->model, train.pixels));
    }
    std::vector<Tensor> tested;
    for (const auto& teacher : all.teachers) tested.push_back(teacher->logits);
    all.ensemble_wrong = errors(nn::soft_targets(tested, 1), pictures.test.labels);

    const auto sizes = school.sizes(course.student_hidden);
    const Class::Lessons lessons{course.temperature, course.weight};
    all.linear =
        school.plain("logistic", {train.pixels.size(1), train.classes}, train, course.small);
    if (!all.linear) return false;
    all.plain = school.plain("plain", sizes, train, course.plain);
    if (!all.plain) return false;
    all.smoothed = school.plain("smoothed", sizes, train, course.smoothed, course.smoothing);
    if (!all.smoothed) return false;
    all.distilled = school.distilled(
        "distilled", sizes, {train.pixels, {all.said[0]}, train.labels}, course.distilled, lessons);
    if (!all.distilled) return false;
    all.from_ensemble = school.distilled(
        "from-ensemble", sizes, {train.pixels, all.said, train.labels}, course.distilled, lessons);
    if (!all.from_ensemble) return false;
    const data::Images copies = moved(train, course.copies, school.seed());
    all.plain_moved = school.plain("plain-moved", sizes, copies, course.plain);
    if (!all.plain_moved) return false;
    const Tensor v = nn::teacher_logits(all.teachers[0]->model, copies.pixels);
    all.unlabelled = school.distilled("unlabelled", sizes, {copies.pixels, {v}}, course.distilled,
                                      {course.temperature, 1});
    return all.unlabelled != nullptr;
}

// Chance, trivial, classical, and the five rows. `judged`: these are the data and settings of the marks.
void judge(lesson::Results& results, const Main& all, const Pictures& pictures, bool judged,
           bool full) {
    const auto wrong = [](const auto& net) { return static_cast<double>(net->wrong); };
    const Trained &teacher = *all.teachers[0], &plain = *all.plain, &distilled = *all.distilled;
    const auto n = static_cast<double>(pictures.test.size());
    results.section(
        fmt::format("B. {}, errors of {} test pictures", pictures.name, report::number(n)));
    results.add("chance", n * (1 - 1.0 / pictures.train.classes));
    results.add("trivial baseline: always the most frequent class", most_frequent(pictures));
    results.add("best classical: logistic regression", wrong(all.linear));
    results.add("teacher, dropout and jitter", wrong(all.teachers[0]));
    results.add(fmt::format("ensemble of {} such", all.teachers.size()),
                static_cast<double>(all.ensemble_wrong));
    results.add("student, plain", wrong(all.plain));
    results.add("student, label smoothing", wrong(all.smoothed));
    results.add("student, distilled", wrong(all.distilled));
    results.add("student, distilled from the ensemble", wrong(all.from_ensemble));
    results.add("student, plain, on moved copies", wrong(all.plain_moved));
    results.add("student, distilled, on moved copies without labels", wrong(all.unlabelled));
    const double gap = wrong(all.plain) - wrong(all.teachers[0]);
    const double share = (wrong(all.plain) - wrong(all.distilled)) / gap;
    results.section(fmt::format("B. {}, the gap between plain student and teacher", pictures.name));
    const auto add = [&](const std::string& name, double value, const std::string& unit,
                         bool marked, const lesson::Requirement& mark) {
        marked ? results.add(name, value, unit, mark) : results.add(name, value, unit);
    };
    add("errors that the teacher makes less than the distilled",
        static_cast<double>(distilled.wrong - teacher.wrong), "", judged, at_least(1));
    add("errors that the distilled makes less than the plain",
        static_cast<double>(plain.wrong - distilled.wrong), "", judged, at_least(1));
    add("closed by distillation", share, "%", judged && full, at_least(0.7));
    results.add("closed by label smoothing", (wrong(all.plain) - wrong(all.smoothed)) / gap, "%");
    results.add("closed by the ensemble", (wrong(all.plain) - wrong(all.from_ensemble)) / gap, "%");
    results.add("closed by moved copies and their labels",
                (wrong(all.plain) - wrong(all.plain_moved)) / gap, "%");
    results.add("closed by distillation on moved copies",
                (wrong(all.plain) - wrong(all.unlabelled)) / gap, "%");
    results.section(fmt::format("B. {}, sizes", pictures.name));
    results.add("teacher: parameters", teacher.parameters() / 1e6, "million");
    results.add("student: parameters", plain.parameters() / 1e6, "million");
}

void show(Report& report, const Main& all, const Pictures& pictures) {
    report.page.heading("Teacher and students: " + pictures.name);
    report::Table table("Five rows, and what they cost",
                        {"", "sizes", "parameters", "test errors", "seconds of training"});
    const std::vector<const Trained*> rows{
        all.teachers[0].get(),   all.plain.get(),       all.smoothed.get(),  all.distilled.get(),
        all.from_ensemble.get(), all.plain_moved.get(), all.unlabelled.get()};
    for (const Trained* net : rows)
        table.row({net->name, fmt::format("{}", fmt::join(net->sizes, "-")),
                   report::number(net->parameters()),
                   report::number(static_cast<double>(net->wrong)),
                   fmt::format("{:.1f}", net->history.seconds)});
    report.page.table(table);
    report::Plot plot("Loss on test pictures", "share of the training", "nats");
    for (const Trained* net : rows) {
        Values at;
        for (const double step : net->history.test_steps)
            at.push_back(step / static_cast<double>(net->history.losses.size()));
        plot.line(net->name, at, net->history.test_losses);
    }
    report.figure(plot.log_y(), "Measured on 1,000 of them, on the way, at temperature 1.");
}

int run(const lesson::Options& options, const Settings& settings) {
    Report report{report::Page{"Lesson 20 · Distillation",
                               "What a network knows is in all its answers, not in the first one."},
                  settings.drawings};
    lesson::Results results(options);
    if (settings.full || settings.choose || settings.ablated())
        results.read_bands({});  // other settings, other figures
    prove(results, report, options.seed);
    if (settings.proof) return results.finish(report.page);

    if (settings.text)
        return distil_text(results, report, options)
                   ? results.finish(report.page)
                   : lesson::stopped(options, checkpoint_of(options));

    const Course course = course_of(options, settings);
    const Pictures pictures = load(options);
    if (settings.choose) {
        const Pictures some = set_aside(pictures);
        Class school(some, course, options);
        if (!choose(results, school)) return lesson::stopped(options, school.file());
        return results.finish(report.page);
    }
    Class school(pictures, course, options);
    const bool judged =
        pictures.name == "mnist" && !settings.ablated() && !options.epochs && !options.quick;
    Main all;
    if (!learn(all, school)) return lesson::stopped(options, school.file());
    judge(results, all, pictures, judged, settings.full);
    show(report, all, pictures);
    show_dark_knowledge(report, pictures, all.teachers[0]->logits);
    report.page.heading("A student that is too small");
    if (!small_students(results, report, school, all.said[0]) ||
        !leave_out(results, school, all.teachers[0]->model, judged))
        return lesson::stopped(options, school.file());
    return results.finish(report.page);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    const auto own_options = [&](CLI::App& app) {
        app.add_flag("--full", settings.full, "More passes: up to an hour");
        app.add_flag("--choose", settings.choose,
                     "Only try rates, judged by training pictures that are set aside");
        app.add_flag("--text", settings.text,
                     "Distil a language model instead of pictures' networks");
        app.add_flag("--proof", settings.proof, "Stop after stage A");
        app.add_option("--temperature", settings.temperature, "Of the soft targets")
            ->check(lesson::positive)
            ->capture_default_str();
        app.add_option("--weight", settings.weight, "Of the teacher; the labels have what is left")
            ->check(CLI::Range(0.0, 1.0))
            ->capture_default_str();
        app.add_option("--rate", settings.rate, "Peak of the learning rate under a teacher")
            ->check(lesson::positive);
        app.add_option("--passes", settings.passes, "Of the large students, over their pictures")
            ->check(CLI::Range(1, 1000));
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
    };
    return lesson::run(
        argc, argv, "Lesson 20: distillation",
        [&](const lesson::Options& options) { return run(options, settings); }, own_options);
}
