// Lesson 01: the tape. A: what it finds against what is known: thirty closed forms, and the cases that
// go wrong elsewhere. B: what gradients are for: three ways down Rosenbrock's valley.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "lessons/01-tape/functions.h"
#include "lessons/01-tape/rosenbrock.h"
#include "lessons/common.h"
#include "nn/safetensors.h"
#include "report/graph.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/progress.h"
#include "report/svg.h"
#include "report/table.h"
#include "report/text.h"

namespace gradus::tape_lesson {
namespace {

constexpr double kTolerance = 1e-8;  // the length of a gradient that counts as flat
constexpr double kRate = 0.001;
constexpr double kNever = std::numeric_limits<double>::infinity();

// What the parts of a run share.
struct Run {
    const lesson::Options& options;
    lesson::Results& results;
    report::Page& page;
    std::filesystem::path drawings;  // empty: the report alone

    void figure(const std::string& name, const std::string& svg, const std::string& caption) const {
        page.figure(svg, caption);
        if (!drawings.empty()) report::save_svg(drawings / (name + ".svg"), svg);
    }
};

// A. Closed forms -------------------------------------------------------------------------------------

void closed_forms(const Run& run) {
    Rng rng(run.options.seed);
    report::Table table("Thirty gradients: the largest error at 32 places",
                        {"f(x)", "f′(x)", "one-sided", "central", "tape"});
    double one_sided = 0, central = 0, tape = 0;
    for (const Function& f : thirty_functions()) {
        const Tensor places = rng.uniform({32}, f.low, f.high, Dtype::f64);
        const auto numbers = places.values<double>();
        const Numbers x(numbers.begin(), numbers.end()), expected = f.gradient(x);
        const double errors[] = {largest_error(differences(f, x, 1e-8, false), expected),
                                 largest_error(differences(f, x, 1e-5, true), expected),
                                 largest_error(by_tape(f, x), expected)};
        one_sided = std::fmax(one_sided, errors[0]);
        central = std::fmax(central, errors[1]);
        tape = std::fmax(tape, errors[2]);
        table.row({f.formula, f.derivative, report::number(errors[0], 2),
                   report::number(errors[1], 2), report::number(errors[2], 2)});
    }
    fmt::print("{}\n", table.text());
    run.results.section("A. thirty gradients, largest error against the closed forms");
    run.results.add("trivial baseline: one-sided differences", one_sided);
    run.results.add("best classical: central differences", central);
    run.results.add("ours: the tape", tape, lesson::at_most(1e-9));
    run.results.add("optimum: the closed form", 0);
    run.page.heading("Thirty gradients")
        .text(
            "Each function is tried at 32 random places. An error is |received − expected| / "
            "max(1, |expected|), where the closed form says what is expected. Differences lose "
            "half of the sixteen digits of a double, or a third of them; the tape loses none but "
            "to rounding.")
        .table(table);
}

// The error of both differences of eˣ at 1 for steps from 0.1 to 10⁻¹⁵.
void steps_of_differences(const Run& run) {
    std::vector<double> steps, one_sided, central;
    for (double exponent = -1; exponent > -15.05; exponent -= 0.1) {
        const double h = std::pow(10, exponent), e = std::exp(1);
        steps.push_back(h);
        one_sided.push_back(std::abs((std::exp(1 + h) - e) / h - e));
        central.push_back(std::abs((std::exp(1 + h) - std::exp(1 - h)) / (2 * h) - e));
    }
    report::Plot plot("Differences of eˣ at x = 1", "step h", "error");
    plot.line("one-sided", steps, one_sided).line("central", steps, central).log_x().log_y();
    run.figure(
        "differences", plot.svg(),
        "From the right: a smaller step helps, ten times or a hundred times for each decade, "
        "until rounding takes over and each decade costs a digit. The tape's error here is 0.");
}

// The drawn tape --------------------------------------------------------------------------------------

void drawn_tape(const Run& run) {
    const Tensor x = variable(-1.2), y = variable(1);
    Tape tape;
    const Tensor a = x - 1, b = square(a);
    const Tensor c = square(x), d = y - c, e = square(d), g = 100 * e;
    const Tensor f = b + g;
    const std::vector<Tape::Entry> entries = tape.entries();
    const std::vector<Tensor> values = {x, a, b, c, y, d, e, g, f};  // in the order of the entries
    const std::vector<Tensor> gradients = tape.gradients(f, values);
    const std::map<std::size_t, std::string> labels = {
        {0, "x"}, {1, "x − 1"}, {4, "y"}, {7, "· 100"}, {8, "add: f"}};
    std::vector<report::GraphNode> nodes;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto label = labels.find(i);
        nodes.push_back({label == labels.end() ? entries[i].op : label->second,
                         fmt::format("{}, ∂ {}", report::short_number(values[i].item()),
                                     report::short_number(gradients[i].item())),
                         entries[i].inputs, report::GraphKind::op});
        if (entries[i].inputs.empty()) nodes.back().kind = report::GraphKind::leaf;
    }
    nodes.back().kind = report::GraphKind::output;
    run.page.heading("The tape")
        .text(
            "What was recorded while f(x, y) = (x − 1)² + 100 (y − x²)² was computed at (−1.2, 1). "
            "Numbers flow down; gradients flow back up, and each op multiplies by its own slope.")
        .preformatted(
            "const Tensor a = x - 1, b = square(a);\n"
            "const Tensor c = square(x), d = y - c, e = square(d), g = 100 * e;\n"
            "const Tensor f = b + g;");
    run.figure("tape", report::graph_svg("f(x, y) = (x − 1)² + 100 (y − x²)²", nodes),
               "Each box: its number, and ∂, the slope of f towards it. Two arrows leave x, so its "
               "gradient is a sum of two contributions: −4.4 − 211.2 = −215.6.");
}

// Cases that go wrong elsewhere -----------------------------------------------------------------------

// tanh with a slip in its gradient: 1 − y where 1 − y² belongs.
Tensor wrong_tanh(const Tensor& X) {
    return elementwise(
        "wrong_tanh", X, [](auto x) { return tanh(x); },
        [](Unused /*x*/, auto y, auto dy) { return dy * (as(y, 1) - y); });
}

void special_cases(const Run& run) {
    run.results.section("A. where gradients go wrong");
    {
        const Tensor a = variable(5);
        Tape tape;
        const Tensor b = a + a, c = b + b;
        tape.backward(c);
        run.results.add("b = a + a, c = b + b: dc/da", a.grad().item(), lesson::within(4, 0));
    }
    {
        const Tensor x = variable(0);
        Tape tape;
        tape.backward(relu(x));
        run.results.add("relu at 0: the tape's slope", x.grad().item(), lesson::within(0, 0));
        const Function kinked = {"max(0, x)", "undefined at 0", 0, 0, relu, {}};
        run.results.add("relu at 0: the central difference",
                        differences(kinked, {0}, 1e-5, true)[0], lesson::within(0.5, 1e-9));
    }
    {
        const Tensor x = variable(0.7);
        Tape tape;
        Tensor y = sin(x);
        for (int i = 0; i < 4; ++i) y = tape.gradients(y, {x})[0];
        run.results.add("an op of our own: |d⁴ sin x / dx⁴ − sin x|",
                        std::abs(y.item() - std::sin(0.7)), lesson::at_most(1e-15));
    }
    const auto judged = [](Tensor (*op)(const Tensor&), const Numbers& at) {
        return gradcheck([op](const auto& inputs) { return op(inputs[0]); }, {Tensor::from(at)});
    };
    const Numbers places = {-2, -0.5, 0.3, 1.4};
    const GradcheckResult right = judged(tanh, places), wrong = judged(wrong_tanh, places);
    const GradcheckResult kink = judged(relu, {0});
    run.results.add("gradcheck of tanh: error", right.worst, lesson::at_most(1e-6));
    run.results.add("gradcheck of a wrong tanh: error", wrong.worst, lesson::at_least(0.1));
    fmt::print("What gradcheck says of tanh with a wrong gradient, and of relu at 0:\n{}\n{}\n",
               wrong.message, kink.message);
    const auto two_lines = [](std::string message) {
        return message.insert(message.find("expected"), "\n    ");
    };
    run.page.heading("A wrong gradient, caught")
        .text(
            "The first op is tanh with a slip: its gradient says 1 − y where 1 − y² belongs. The "
            "second is no mistake. ReLU has no derivative at 0; the engine says 0 by convention, "
            "the central difference 1/2. Check gradients away from kinks. (Both numbers of a "
            "line are weighed by a fixed factor between 1/2 and 3/2, so that each element of a "
            "result counts for itself.)")
        .preformatted(two_lines(wrong.message) + "\n\n" + two_lines(kink.message));
    run.page.heading("Why not differences?")
        .text(
            "A difference subtracts two values of f that nearly agree, and digits go. It also "
            "calls f twice for each number of x; one way back serves all of them.");
    steps_of_differences(run);
}

// B. Rosenbrock's valley ------------------------------------------------------------------------------

std::vector<Method> methods() {
    return {descent("fixed rate", kRate, 0), descent("momentum 0.96", kRate, 0.96),
            newton("Newton by hand", slopes_by_hand), newton("Newton by tape", slopes_by_tape)};
}

Tensor as_tensor(const std::vector<Point>& points) {
    Tensor table = Tensor::empty({static_cast<int64_t>(points.size()), 2}, Dtype::f64);
    double* next = table.data<double>();
    for (const Point& p : points) {
        *next++ = p.x;
        *next++ = p.y;
    }
    return table;
}

void save(const std::filesystem::path& file, const std::map<std::string, Walk>& walks) {
    nn::StateDict state;
    for (const auto& [name, walk] : walks) {
        state[name + "/path"] = as_tensor(walk.path);
        state[name + "/norms"] = Tensor::from(walk.norms);
        state[name + "/last_step"] = as_tensor({walk.last_step});
    }
    nn::save_safetensors(file, state, {{"lesson", "01"}});
}

std::map<std::string, Walk> load(const std::filesystem::path& file) {
    const nn::StateDict state = nn::load_safetensors(file).tensors;
    std::map<std::string, Walk> walks;
    for (const Method& method : methods()) {
        const auto part = [&](const std::string& what, const Shape& shape) {
            const auto found = state.find(method.name + "/" + what);
            const bool fits = found != state.end() && found->second.dtype() == Dtype::f64 &&
                              found->second.shape() == shape;
            check(fits, "resume",
                  "{}: no {}/{} of shape {}; a file that lesson 01 saved is expected",
                  file.string(), method.name, what, shape);
            return found->second.values<double>();
        };
        const auto norms = state.find(method.name + "/norms");
        const int64_t count = norms == state.end() ? 0 : norms->second.size();
        check(count > 0, "resume",
              "{} holds no path of {}; a file that lesson 01 saved is expected", file.string(),
              method.name);
        const auto path = part("path", {count, 2}), last = part("last_step", {1, 2});
        const auto lengths = part("norms", {count});
        Walk& walk = walks[method.name];
        walk.norms.assign(lengths.begin(), lengths.end());
        walk.last_step = {last[0], last[1]};
        walk.path.clear();
        for (std::size_t i = 0; i < path.size(); i += 2)
            walk.path.push_back({path[i], path[i + 1]});
    }
    return walks;
}

// Walks one method to its end, or until Ctrl-C.
void walk_down(Walk& walk, const Method& method, int most) {
    report::Progress progress(method.name, 0);
    const auto show = [&](const Walk& now) {
        progress.update(static_cast<int64_t>(now.steps()), {{"|gradient|", now.norms.back()}});
    };
    go_on(walk, method, most, kTolerance, [&](const Walk& now) {
        show(now);
        return lesson::interrupted();
    });
    show(walk);
    progress.finish();
}

double steps_needed(const Walk& walk) { return walk.arrived ? walk.steps() : kNever; }

// Points that are at least `apart` from each other, and the last.
void thin(const std::vector<Point>& path, double apart, std::vector<double>& xs,
          std::vector<double>& ys) {
    Point last = {kNever, 0};
    for (const Point& p : path) {
        if (&p != &path.back() && length(p + -1.0 * last) < apart) continue;
        xs.push_back(p.x);
        ys.push_back(p.y);
        last = p;
    }
}

void draw_walks(const Run& run, const std::map<std::string, Walk>& walks) {
    const auto f = [](double x, double y) { return rosenbrock(Point{x, y}); };
    report::Plot valley("Three ways down Rosenbrock's valley", "x", "y");
    report::Plot norms("How steep it still is", "step", "|∇f|");
    valley.contours(report::sample(f, -1.6, 1.6, -3.4, 2.2, 72, 72),
                    {3, 10, 30, 100, 300, 600, 1000, 1500, 2000});
    for (const Method& method : methods()) {
        if (method.name == "Newton by hand") continue;  // under the tape's: they are the same
        const Walk& walk = walks.at(method.name);
        std::vector<double> xs, ys, steps;
        thin(walk.path, method.name == "Newton by tape" ? 0 : 0.02, xs, ys);
        if (method.name == "Newton by tape")
            valley.path(method.name, xs, ys);
        else
            valley.line(method.name, xs, ys);
        std::vector<double> shown;
        for (std::size_t i = 0; i < walk.norms.size(); i += 1 + i / 50) {  // as dense on a log axis
            steps.push_back(static_cast<double>(i + 1));
            shown.push_back(walk.norms[i]);
        }
        norms.line(method.name, steps, shown);
    }
    run.page.heading("Rosenbrock's valley")
        .text(
            "f(x, y) = (1 − x)² + 100 (y − x²)² from (−1.2, 1) to its lowest point (1, 1). A fixed "
            "rate has to suit the steep sides, and so crawls along the flat floor. Momentum "
            "gathers speed along the floor. Newton's method divides by the curvature, which the "
            "tape gives by going back over its own way back.");
    run.figure("valley", valley.size(760, 520).svg(),
               "Shades are level sets. Newton's second step leaves the valley and climbs from "
               "f = 4.7 to f = 1,412 before it jumps to the end.");
    run.page.figure(
        norms.log_x().log_y().hline("flat", kTolerance).svg(),
        "Near the end a fixed rate gains a constant factor each step; Newton's method doubles "
        "the number of right digits. The first point stands at 1.");
}

// How the momentum changes the number of steps, all else the same.
void ablation(const Run& run, int most) {
    const std::vector<double> momenta = {0, 0.5, 0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99};
    std::vector<std::string> labels;
    std::vector<double> steps;
    run.results.section("B. ablation: the momentum", "steps");
    for (const double momentum : momenta) {
        Walk walk;
        go_on(walk, descent("", kRate, momentum), most, kTolerance,
              [](const Walk&) { return lesson::interrupted(); });
        labels.push_back(report::short_number(momentum));
        steps.push_back(steps_needed(walk));
        run.results.add(labels.back(), steps.back());
    }
    report::Plot plot("Steps until |∇f| < 10⁻⁸, by momentum", "momentum", "steps");
    run.page.heading("Ablation: the momentum");
    run.figure(
        "momentum", plot.bars(labels, steps).log_y().svg(),
        "Rate 0.001 throughout. Too little momentum crawls, too much overshoots and swings.");
}

int lesson_01(const lesson::Options& options, const std::filesystem::path& drawings) {
    check(options.data.empty() || options.data == "generated", "lesson 01",
          "--data {}: this lesson works on functions and reads no data; leave --data out",
          options.data);
    report::Page page("Lesson 01 · The tape", "Gradients, and what they are for");
    lesson::Results results(options);
    const Run run{options, results, page, drawings};
    drawn_tape(run);
    closed_forms(run);
    special_cases(run);

    const int most = options.epochs_or(100000, 100000);  // --quick: 0.3 s is quick
    auto walks = options.resume.empty() ? std::map<std::string, Walk>() : load(options.resume);
    for (const Method& method : methods()) walk_down(walks[method.name], method, most);

    const Walk &fixed = walks["fixed rate"], &heavy = walks["momentum 0.96"];
    const Walk &by_hand = walks["Newton by hand"], &by_tape = walks["Newton by tape"];
    results.section("B. Rosenbrock, steps until |∇f| < 1e-8", "steps");
    results.add("trivial baseline: fixed rate 0.001", steps_needed(fixed));
    results.add("the same with momentum 0.96", steps_needed(heavy));
    results.add("best classical: Newton, Hessian by hand", steps_needed(by_hand));
    results.add("ours: Newton, Hessian by the tape", steps_needed(by_tape), lesson::at_most(6));
    double apart = by_hand.path.size() == by_tape.path.size() ? 0 : kNever;
    for (std::size_t i = 0; i < by_tape.path.size() && apart < kNever; ++i)
        apart = std::fmax(apart, length(by_tape.path[i] + -1.0 * by_hand.path[i]));
    results.add("how far apart both of Newton's paths are", apart, "", lesson::at_most(1e-9));
    results.section("B. Rosenbrock, f where it ends");
    results.add("chance: staying at (−1.2, 1)", rosenbrock(Point{-1.2, 1}));
    results.add("trivial baseline: fixed rate 0.001", rosenbrock(fixed.end()));
    results.add("the same with momentum 0.96", rosenbrock(heavy.end()));
    results.add("best classical: Newton, Hessian by hand", rosenbrock(by_hand.end()));
    results.add("ours: Newton, Hessian by the tape", rosenbrock(by_tape.end()),
                lesson::at_most(1e-18));
    results.add("optimum: at (1, 1)", rosenbrock(Point{1, 1}));
    draw_walks(run, walks);
    ablation(run, most);
    if (lesson::interrupted()) {
        save(options.checkpoint(), walks);
        return lesson::stopped(options, options.checkpoint());
    }
    if (!options.save.empty()) save(options.save, walks);
    return results.finish(page);
}

}  // namespace
}  // namespace gradus::tape_lesson

int main(int argc, char** argv) {
    std::filesystem::path drawings;
    return gradus::lesson::run(
        argc, argv, "Lesson 01: the tape",
        [&](const gradus::lesson::Options& options) {
            return gradus::tape_lesson::lesson_01(options, drawings);
        },
        [&](CLI::App& app) {
            app.add_option("--drawings", drawings, "Write each drawing here, as SVG")
                ->type_name("FOLDER");
        });
}
