// What every lesson.cpp shares: options, Ctrl-C, results with their pass marks.
//
//     int main(int argc, char** argv) {
//         return lesson::run(argc, argv, "Lesson 03: training", [](const lesson::Options& options) {
//             report::Page page("Lesson 03 · training");
//             lesson::Results results(options);
//             results.section("mnist accuracy", "%");
//             results.add("chance", 0.1);
//             results.add("ours: 784-256-10", accuracy, lesson::at_least(0.975));
//             return results.finish(page);     // prints, saves the report, gives the exit status
//         });
//     }
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/html.h"
#include "report/table.h"

namespace CLI {
class App;
}

namespace gradus::lesson {

// Adds a lesson's own options to the common ones.
using OptionHook = std::function<void(CLI::App&)>;

// The command line, as `--help` lists it.
struct Options {
    std::string title;          // "Lesson 03: training"
    std::string number;         // "03"; from the title
    std::uint64_t seed = 1;     // another seed gives other weights and other generated data
    int threads = 0;            // after parse(): as many as OpenMP uses
    std::optional<int> epochs;  // not given: the lesson's own number
    bool quick = false;         // shortened, for CI; pass marks of a full run do not apply
    std::string data;           // empty: the lesson's own choice; else a path, a name, "generated"
    std::filesystem::path report;        // after parse(): never empty
    std::filesystem::path save;          // empty unless given
    std::filesystem::path resume;        // empty unless given
    std::filesystem::path figures;       // where Results writes its figures as JSON; empty: nowhere
    std::vector<std::string> arguments;  // as given, for the line that says how to resume

    // Reads and checks the command line, sets OpenMP's threads, and starts watching for Ctrl-C.
    // Throws LeaveEarly after printing help (status 0) or what is wrong with an option (status 2).
    static Options parse(int argc, const char* const* argv, const std::string& title,
                         const OptionHook& more = {});

    int epochs_or(int full, int shortened) const;

    // Where to save: --save, else the checkpoint beside the report: build/reports/03.safetensors.
    std::filesystem::path checkpoint() const;

    // Given options that change the figures (--epochs, --seed, --quick, --data)?
    bool is_default_run() const;
};

// Thrown by Options::parse when there is nothing to run.
struct LeaveEarly {
    int status;
};

// Parses, runs the lesson and turns what it throws into "error: ..." and status 1.
int run(int argc, const char* const* argv, const std::string& title,
        const std::function<int(const Options&)>& body, const OptionHook& more = {});

// Has Ctrl-C been pressed? A training loop asks after each step, then saves and leaves. A second
// Ctrl-C ends the program at once.
bool interrupted();

// Says where the checkpoint is and with which command the run goes on; gives the exit status 130.
int stopped(const Options& options, const std::filesystem::path& checkpoint);

// build/reports/ of the source tree, else (with the tree gone) the current folder.
std::filesystem::path report_folder();

// Where --data points to: a path, or a name that `./run data` knows. Throws Error, with what to do,
// where nothing is there.
std::filesystem::path data_path(const std::string& data);

// A condition that a figure has to meet.
struct Requirement {
    double low;
    double high;
    std::string text(const std::string& unit) const;  // "≥ 97.5 %"
    bool met(double value) const;                     // a NaN never meets it
};
Requirement at_least(double low);
Requirement at_most(double high);
Requirement within(double target, double tolerance);

// One figure of a run. `key` is its name in expected.json: "section: name", or the name alone
// outside a section.
struct Figure {
    std::string key, section, name, unit;
    double value;
    std::optional<Requirement> requirement;
};

// The figures of a run: printed as a table, checked against their pass marks, and compared with the
// bands of expected.json, which lies beside lesson.cpp:
//
//     {
//       "title": "Training",
//       "minutes": 2,
//       "reaches": "98 % of MNIST's test digits in a minute",
//       "data": "mnist|fashion",
//       "smoke": "digits",
//       "machine": "2 cores of an AMD EPYC, 8 GB",
//       "seeds": [1, 2, 3, 4, 5],
//       "figures": {
//         "mnist accuracy: ours: 784-256-10": {"low": 0.979, "high": 0.983, "unit": "%"}
//       }
//     }
//
// "title", "minutes", "reaches" and "data" stand on a line each, in this form: `run` reads them line
// by line. "data" names what the lesson can run on, best first; "smoke", where there is
// one, the small real set that the tests run it on. "low" and "high" are the smallest
// and the largest value over the seeds, in the value's own size: 0.979 for the unit "%", which is
// shown as 97.9 %. Figures of `--figures FILE` over the seeds are the way to make it.
//
// A pass mark decides the exit status. A band does not: it tells a reader whether the figure is what
// others saw, and is compared only in a full run without --epochs.
class Results {
public:
    // `lesson_file` is the calling source file. (clang 14 has no std::source_location.)
    explicit Results(const Options& options, const char* lesson_file = __builtin_FILE());

    // Takes the bands from another file. A malformed one is an Error, a missing one has no bands.
    void read_bands(const std::filesystem::path& file);

    // The figures that follow stand under this heading and have this unit ("" for none).
    void section(const std::string& heading, const std::string& unit = "");

    // A figure to be known, or one with a pass mark. A name twice in a section is an Error.
    void add(const std::string& name, double value);
    void add(const std::string& name, double value, const Requirement& requirement);

    // As add, in a unit of its own.
    void add(const std::string& name, double value, const std::string& unit);
    void add(const std::string& name, double value, const std::string& unit,
             const Requirement& requirement);

    report::Table table() const;
    bool passed() const;  // every pass mark met
    const std::vector<Figure>& figures() const { return figures_; }

    // Prints the table, puts it on top of the page, saves the page (and --figures), says where it
    // is, and gives the exit status: 0 if every pass mark was met, else 1.
    int finish(report::Page& page) const;

private:
    struct Band {
        double low, high;
        std::string unit;
    };
    void add_figure(const std::string& name, double value, const std::string& unit,
                    std::optional<Requirement> requirement);
    std::string compared(const Figure& figure) const;

    Options options_;
    std::string section_, unit_;
    std::vector<Figure> figures_;
    std::map<std::string, Band> bands_;
};

}  // namespace gradus::lesson
