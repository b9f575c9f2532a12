// Lesson 02: tensors. Stage A: every op's gradient against differences, cross-entropy by hand, and
// where its exponentials break. Stage B: how fast two matrices can be multiplied.
#include <fmt/format.h>
#include <omp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/ops.h"
#include "lessons/02-tensors/every_op.h"
#include "lessons/02-tensors/exponentials.h"
#include "lessons/02-tensors/products.h"
#include "lessons/02-tensors/run.h"
#include "lessons/common.h"
#include "nn/safetensors.h"
#include "report/heatmap.h"
#include "report/plot.h"
#include "report/progress.h"
#include "report/text.h"

namespace gradus::tensors_lesson {
namespace {

// A. Every gradient against differences --------------------------------------------------------------

// "[3, 5] [5] · [7] []": the inputs of each trial; trials on the same shapes are named once.
std::string shapes_of(const TriedOp& op) {
    std::vector<std::string> all;
    for (const Trial& trial : op.trials) {
        std::vector<std::string> shapes;
        for (const Tensor& x : trial.inputs) {  // no line break inside of a shape
            shapes.push_back(
                fmt::format("[{}]", fmt::join(x.shape().begin(), x.shape().end(), ",\u00a0")));
        }
        const std::string text = fmt::format("{}", fmt::join(shapes, "\u00a0"));
        if (all.empty() || all.back() != text) all.push_back(text);
    }
    return fmt::format("{}", fmt::join(all, " · "));
}

// What the table of all ops says, and under which lines.
struct Gradients {
    report::Table table;
    std::string text;
};

Gradients every_gradient(const Run& run) {
    constexpr double kLimit = 1e-6;
    report::Table table("Every op of autograd/ops.h",
                        {"op", "shapes of its inputs", "elements", "worst error"});
    double worst_of_all = 0, ops = 0, elements = 0;
    run.results.section("A: gradients against central differences, worst error");
    for (const Family& family : every_op(run.options.seed)) {
        table.section(family.name);
        double worst_of_family = 0;
        std::string shapes_above;
        for (const TriedOp& op : family.ops) {
            double worst = 0, tried = 0;
            for (const Trial& trial : op.trials) {
                const GradcheckResult result = gradcheck(trial.f, trial.inputs);
                worst = result.worst <= worst ? worst : result.worst;
                if (!result.ok) fmt::print(stderr, "{}: {}\n", op.name, result.message);
                for (const Tensor& x : trial.inputs) tried += static_cast<double>(x.size());
            }
            const std::string shapes = shapes_of(op);
            table.row({op.name, shapes == shapes_above ? "\"" : shapes, report::number(tried),
                       report::number(worst, 2)},
                      worst <= kLimit ? report::Mark::pass : report::Mark::fail);
            shapes_above = shapes;
            worst_of_family = worst <= worst_of_family ? worst_of_family : worst;
            elements += tried;
            ++ops;
        }
        run.results.add(fmt::format("{}, {} ops", family.name, family.ops.size()), worst_of_family,
                        lesson::at_most(kLimit));
        worst_of_all = worst_of_family <= worst_of_all ? worst_of_all : worst_of_family;
    }
    fmt::print("{} elements of {} ops' gradients: worst error {}\n", report::number(elements), ops,
               report::number(worst_of_all, 2));
    return {table,
            fmt::format(
                "Each op runs in float64 on small tensors: scalars, size 1, primes, empty ones, "
                "pairs that broadcast. Each element of each input is moved up and down by 0.00001, "
                "and the slope that comes out is held against the gradient from the tape: {} "
                "elements in all. An error is |expected − received| / max(1, |expected|), and 1e-6 "
                "is the limit.",
                report::number(elements))};
}

// A. Broadcasting, there and back --------------------------------------------------------------------

std::string map_of(const std::string& title, const Tensor& x, std::size_t columns) {
    Numbers numbers;
    for (int64_t i = 0; i < x.size(); ++i) numbers.push_back(x.at(i));
    return report::Heatmap(title, numbers, columns).range(-8, 8).cell_size(26).svg();
}

void broadcasting(const Run& run) {
    Tensor a = Tensor::from<double>({-3, -1, 1, 3}, {4, 1});
    Tensor b = Tensor::from<double>({-4, -2, 0, 1, 3, 5}, {1, 6});
    a.requires_grad();
    b.requires_grad();
    Tape tape;
    const Tensor y = a + b;
    Tensor dy = Tensor::zeros(y.shape(), Dtype::f64);
    for (int64_t i = 0; i < dy.size(); ++i) {
        const int64_t row = i / 6, column = i % 6;
        dy.set(i, column < row ? -1 : column == row ? 2 : 1);
    }
    tape.backward(y, dy);
    const std::vector<std::string> there = {map_of("a [4, 1]", a, 1), map_of("b [1, 6]", b, 6),
                                            map_of("a + b [4, 6]", y, 6)};
    const std::vector<std::string> back = {map_of("dy [4, 6]", dy, 6),
                                           map_of("da [4, 1]", a.grad(), 1),
                                           map_of("db [1, 6]", b.grad(), 6)};
    run.draw("broadcast-dy", back[0]);
    run.draw("broadcast-da", back[1]);
    run.draw("broadcast-db", back[2]);
    run.page.heading("Broadcasting, there and back")
        .figures(there,
                 "There: the column is read once for each of six columns, the row once for each of "
                 "four rows.")
        .figures(back,
                 "Back: an element that was read six times gets the sum of six gradients. da sums "
                 "dy along its rows, db down its columns.");
}

// B. How fast two matrices can be multiplied ---------------------------------------------------------

struct Way {
    std::string name;
    void (*loops)(int64_t n, const float* a, const float* b, float* c);  // null: matmul
    int threads;
};

// The best times so far: what --save keeps and --resume goes on from.
struct Times {
    std::vector<Way> ways;
    std::vector<int64_t> sizes;
    Tensor seconds;  // [ways, sizes]
    int rounds = 0;  // done

    double gflops(std::size_t way, std::size_t size) const {
        const double n = static_cast<double>(sizes[size]);
        return 2e-9 * n * n * n / seconds.at(position(way, size));
    }
    int64_t position(std::size_t way, std::size_t size) const {
        return static_cast<int64_t>(way * sizes.size() + size);
    }
    nn::Metadata identity() const {  // what two runs must share for their times to be compared
        return {{"lesson", "02"},
                {"sizes", fmt::format("{}", fmt::join(sizes, " "))},
                {"threads", fmt::format("{}", ways.back().threads)}};
    }
    void save(const std::filesystem::path& file) const {
        const Tensor done = Tensor::full({}, rounds, Dtype::i32);
        nn::save_safetensors(file, {{"seconds", seconds}, {"rounds", done}}, identity());
    }
    void load(const std::filesystem::path& file) {
        const nn::TensorFile found = nn::load_safetensors(file);
        for (const auto& [name, expected] : identity()) {
            const auto note = found.metadata.find(name);
            check(
                note != found.metadata.end() && note->second == expected, "--resume",
                "{}: {} is \"{}\", this run has \"{}\"; give the options of the run that was saved",
                file.string(), name, note == found.metadata.end() ? "missing" : note->second,
                expected);
        }
        const Tensor done = Tensor::zeros({}, Dtype::i32);
        nn::assign("--resume", {{"seconds", seconds}, {"rounds", done}}, found.tensors);
        rounds = static_cast<int>(done.item());
    }
};

Times ways_and_sizes(const lesson::Options& options) {
    Times times;
    times.ways = {{"textbook, i-j-k", textbook, 1},
                  {"reordered, i-k-j", reordered, 1},
                  {"blocked by hand", blocked, 1},
                  {"matmul", nullptr, 1}};
    if (options.threads > 1) {
        times.ways.push_back(
            {fmt::format("matmul, {} threads", options.threads), nullptr, options.threads});
    }
    times.sizes = {64, 100, 128, 200, 256, 400, 512, 700, 1000, 1024};
    if (options.quick) times.sizes = {64, 128, 256, 500, 512};
    times.seconds = Tensor::full(
        {static_cast<int64_t>(times.ways.size()), static_cast<int64_t>(times.sizes.size())},
        std::numeric_limits<double>::infinity(), Dtype::f64);
    return times;
}

// Adds rounds up to `rounds`; false where Ctrl-C came in between. `apart` becomes the largest
// difference of a product from matmul's.
bool measure(const Run& run, Times& times, int rounds, double& apart) {
    const auto steps = static_cast<int64_t>(times.sizes.size() * times.ways.size());
    report::ProgressOptions from_there;
    from_there.start = times.rounds * steps;
    report::Progress bar("matrix products", rounds * steps, from_there);
    Rng rng(run.options.seed);
    for (; times.rounds < rounds; ++times.rounds) {
        for (std::size_t s = 0; s < times.sizes.size(); ++s) {
            const int64_t n = times.sizes[s];
            const Tensor a = rng.normal({n, n}), b = rng.normal({n, n});
            const Tensor expected = matmul(a, b);
            for (std::size_t w = 0; w < times.ways.size(); ++w) {
                if (lesson::interrupted()) return false;
                const Way& way = times.ways[w];
                const double before = times.seconds.at(times.position(w, s));
                // What takes seconds is timed in one round: one thread's own clock needs no luck.
                if (!(before > 2 && std::isfinite(before))) {
                    Tensor c = Tensor::zeros({n, n});
                    float* out = c.data<float>();
                    const auto call = [&] {
                        if (way.loops)
                            way.loops(n, a.data<float>(), b.data<float>(), out);
                        else
                            c = matmul(a, b);
                    };
                    omp_set_num_threads(way.threads);
                    const double now =
                        seconds_of(call, way.threads == 1 ? Clock::thread : Clock::wall);
                    omp_set_num_threads(run.options.threads);
                    apart = std::fmax(apart, max(abs(c - expected)).item());
                    times.seconds.set(times.position(w, s), std::min(before, now));
                }
                bar.update(
                    times.rounds * steps + static_cast<int64_t>(s * times.ways.size() + w) + 1,
                    {{"n", static_cast<double>(n)}, {"GFLOP/s", times.gflops(w, s)}});
            }
        }
    }
    bar.finish();
    return true;
}

void draw_speeds(const Run& run, const Times& times, double peak) {
    report::Plot plot("Product of two n x n float matrices", "n", "GFLOP/s");
    Numbers sizes(times.sizes.begin(), times.sizes.end());
    std::vector<std::string> headers = {"n"};
    for (std::size_t w = 0; w < times.ways.size(); ++w) {
        Numbers speeds;
        for (std::size_t s = 0; s < sizes.size(); ++s) speeds.push_back(times.gflops(w, s));
        plot.line(times.ways[w].name, sizes, speeds);
        headers.push_back(times.ways[w].name);
    }
    report::Table table("GFLOP/s", headers);
    for (std::size_t s = 0; s < sizes.size(); ++s) {
        std::vector<std::string> cells = {report::number(sizes[s])};
        for (std::size_t w = 0; w < times.ways.size(); ++w) {
            cells.push_back(report::number(times.gflops(w, s), 3));
        }
        table.row(cells);
    }
    run.page.heading("Four ways to one product")
        .text(
            "All of them make the same n³ multiplications and n³ additions; only the order "
            "differs, "
            "and with it what the processor waits for. A GFLOP/s is 2n³ / 10⁹ operations a second. "
            "One thread is timed by its own clock, so that other programs' turns do not count; "
            "several threads by the clock on the wall, which knows no such mercy.");
    run.figure("gflops", plot.hline("one thread's peak", peak).log_x().log_y().size(760, 460).svg(),
               "The textbook's line falls as its column of B leaves one cache after the other, and "
               "dives where n is a power of two: there a column's numbers all compete for the same "
               "few places of the cache. The peak is what one thread does when it multiplies and "
               "adds in registers alone, with the instructions that this program was built for.");
    run.page.table(table);
}

void add_speeds(const Run& run, const Times& times, double peak, double apart) {
    const std::size_t last = times.sizes.size() - 1, typical = last - 1;
    const auto n_by_n = [&](std::size_t s) { return fmt::format("{0} x {0}", times.sizes[s]); };
    run.results.section(fmt::format("B: product of float matrices, {}", n_by_n(typical)),
                        "GFLOP/s");
    run.results.add("trivial baseline: textbook, i-j-k", times.gflops(0, typical));
    run.results.add("the same reordered, i-k-j", times.gflops(1, typical));
    run.results.add("best classical: blocked by hand", times.gflops(2, typical));
    run.results.add("ours: matmul", times.gflops(3, typical));
    run.results.add("optimum: in registers alone", peak);
    if (times.ways.size() > 4) {
        run.results.section("B: the same on all threads", "GFLOP/s");
        run.results.add("ours: matmul", times.gflops(4, typical));
        run.results.add("optimum: in registers alone", peak_of_all_threads() * 1e-9);
    }
    run.results.section("B: matmul over the textbook's loops", "times");
    for (const std::size_t s : {typical, last}) {
        run.results.add(n_by_n(s), times.gflops(3, s) / times.gflops(0, s), lesson::at_least(20));
    }
    run.results.add("how far apart the products are", apart, "", lesson::at_most(1e-3));
}

int lesson_02(const lesson::Options& options, const std::filesystem::path& drawings) {
    check(options.data.empty() || options.data == "generated", "lesson 02",
          "--data {}: this lesson multiplies random matrices and reads no data; leave --data out",
          options.data);
    report::Page page("Lesson 02 · Tensors", "Gradients of whole arrays, and what makes them fast");
    lesson::Results results(options);
    const Run run{options, results, page, drawings};
    Times times = ways_and_sizes(options);
    if (!options.resume.empty()) times.load(options.resume);

    const Gradients gradients = every_gradient(run);
    broadcasting(run);
    cross_entropy_by_hand(run);
    without_the_shift(run);

    double apart = 0;
    if (!measure(run, times, options.epochs_or(3, 1), apart)) {
        times.save(options.checkpoint());
        return lesson::stopped(options, options.checkpoint());
    }
    if (!options.save.empty()) times.save(options.save);
    const double peak = peak_of_this_thread() * 1e-9;
    draw_speeds(run, times, peak);
    add_speeds(run, times, peak, apart);
    page.heading("Every gradient against differences").text(gradients.text).table(gradients.table);
    return results.finish(page);
}

}  // namespace
}  // namespace gradus::tensors_lesson

int main(int argc, char** argv) {
    std::filesystem::path drawings;
    return gradus::lesson::run(
        argc, argv, "Lesson 02: tensors",
        [&](const gradus::lesson::Options& options) {
            return gradus::tensors_lesson::lesson_02(options, drawings);
        },
        [&](CLI::App& app) {
            app.add_option("--drawings", drawings, "Write each drawing here, as SVG")
                ->type_name("FOLDER");
            app.get_option("--epochs")->description("Rounds of timing, instead of 3 (--quick: 1)");
        });
}
