#include "lessons/common.h"

#include <doctest/doctest.h>
#include <omp.h>
#include <signal.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "autograd/error.h"

using namespace gradus;
using lesson::Options;
using lesson::Results;
namespace fs = std::filesystem;

namespace {
Options parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "lesson-03");
    return Options::parse(static_cast<int>(arguments.size()), arguments.data(),
                          "Lesson 03: training");
}

int status_of(std::vector<const char*> arguments) {
    try {
        parse(std::move(arguments));
    } catch (const lesson::LeaveEarly& leave) {
        return leave.status;
    }
    return -1;
}

fs::path temporary(const std::string& name, const std::string& text) {
    const fs::path path = fs::temp_directory_path() / ("gradus-test-" + name);
    std::ofstream(path) << text;
    return path;
}

std::string read(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}
}  // namespace

TEST_CASE("lesson: options have defaults, and are read") {
    const Options plain = parse({});
    CHECK(plain.number == "03");
    CHECK(plain.seed == 1);
    CHECK(plain.is_default_run());
    CHECK(plain.epochs_or(10, 1) == 10);
    CHECK(plain.report.filename() == "03.html");
    CHECK(plain.checkpoint().filename() == "03.safetensors");

    const int threads = omp_get_max_threads();
    const Options given =
        parse({"--seed", "7", "--threads", "1", "--epochs", "3", "--quick", "--data", "generated",
               "--report", "r.html", "--save", "s.safetensors"});
    CHECK(omp_get_max_threads() == 1);
    omp_set_num_threads(threads);
    CHECK(given.seed == 7);
    CHECK(given.threads == 1);
    CHECK(given.epochs_or(10, 1) == 3);
    CHECK_FALSE(given.is_default_run());
    CHECK(given.data == "generated");
    CHECK(given.checkpoint() == "s.safetensors");
    CHECK(parse({"--quick"}).epochs_or(10, 1) == 1);
}

TEST_CASE("lesson: wrong options leave with status 2, help with 0") {
    CHECK(status_of({"--threads", "0"}) == 2);
    CHECK(status_of({"--epochs", "0"}) == 2);
    CHECK(status_of({"--epochs", "many"}) == 2);
    CHECK(status_of({"--seed", "-1"}) == 2);
    CHECK(status_of({"--resume", "no/such/file"}) == 2);
    CHECK(status_of({"--unknown"}) == 2);
    CHECK(status_of({"--help"}) == 0);
}

TEST_CASE("lesson: pass marks decide, NaN never passes") {
    Results results(parse({}));
    results.section("mnist accuracy", "%");
    results.add("chance", 0.1);
    results.add("ours", 0.981, lesson::at_least(0.975));
    CHECK(results.passed());
    CHECK(contains(results.table().text(), "98.10 %   ≥ 97.5 %   ✓ pass"));
    results.section("bowl");
    results.add("rate", 0.9805, lesson::within(0.98, 0.001));
    results.add("time", 61, "s", lesson::at_most(60));
    CHECK_FALSE(results.passed());
    CHECK(contains(results.table().text(), "0.98 ± 0.001"));
    CHECK(contains(results.table().text(), "61 s"));
    CHECK_FALSE(lesson::at_most(1).met(std::nan("")));
    CHECK_FALSE(lesson::at_least(1).met(std::nan("")));
    CHECK_THROWS_AS(results.add("rate", 1), Error);
}

TEST_CASE("lesson: figures are compared with the bands of expected.json") {
    const fs::path file = temporary("expected.json", R"({
        "title": "Training",
        "figures": {"accuracy: ours": {"low": 0.979, "high": 0.983, "unit": "%"},
                    "accuracy: linear": {"low": 0.92, "high": 0.93, "unit": "%"}}})");
    const auto table_of = [&](const Options& options) {
        Results results(options);
        results.read_bands(file);
        results.section("accuracy", "%");
        results.add("ours", 0.981);
        results.add("linear", 0.5);
        return results.table().text();
    };
    CHECK(contains(table_of(parse({})), "97.90 – 98.30 %\n"));
    CHECK(contains(table_of(parse({})), "92.00 – 93.00 %  (outside)"));
    CHECK_FALSE(contains(table_of(parse({"--quick"})), "97.90"));
    CHECK(contains(table_of(parse({"--quick"})), "not compared"));
    for (const char* text : {"{", "[1]", R"({"figures": {"a": {"low": 1}}})",
                             R"({"figures": {"a": {"low": 2, "high": 1}}})"}) {
        const fs::path bad = temporary("bad.json", text);
        CHECK_THROWS_AS(Results(parse({})).read_bands(bad), Error);
        fs::remove(bad);
    }
    fs::remove(file);
}

TEST_CASE("lesson: the end is a table, a report and a status") {
    const fs::path report = temporary("report.html", ""), figures = temporary("figures.json", "");
    Options options = parse({});
    options.report = report;
    options.figures = figures;
    Results results(options);
    results.add("loss", 2.3, lesson::at_most(2.4));
    report::Page page("t");
    CHECK(results.finish(page) == 0);
    CHECK(contains(read(report), "✓ pass"));
    CHECK(contains(read(figures), "\"loss\""));
    results.add("error", 1, lesson::at_most(0));
    report::Page again("t");
    CHECK(results.finish(again) == 1);
    fs::remove(report);
    fs::remove(figures);
}

TEST_CASE("lesson: what a lesson throws becomes a message and status 1") {
    const char* arguments[] = {"lesson-03"};
    CHECK(lesson::run(1, arguments, "Lesson 03: training",
                      [](const Options&) -> int { throw Error("data: no such file"); }) == 1);
    CHECK(lesson::run(1, arguments, "Lesson 03: training", [](const Options&) { return 0; }) == 0);
}

TEST_CASE("lesson: the first Ctrl-C asks, the second would end") {
    parse({});
    CHECK_FALSE(lesson::interrupted());
    raise(SIGINT);
    CHECK(lesson::interrupted());
    struct sigaction now = {};
    sigaction(SIGINT, nullptr, &now);
    const bool usual = now.sa_handler == SIG_DFL;
    CHECK(usual);
    CHECK(lesson::stopped(parse({"--seed", "7"}), "build/03.safetensors") == 130);
}
