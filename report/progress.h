// A progress bar on a terminal, plain lines in a pipe or log file.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::report {

// A named figure beside the bar, such as {"loss", 0.31}.
struct Field {
    std::string_view name;
    double value;
};

// Where and how a Progress writes; the default suits a program, the rest is for tests.
struct ProgressOptions {
    std::int64_t start = 0;         // steps already done, when a run is resumed
    std::FILE* out = stderr;        // standard output stays free for results
    std::optional<bool> terminal;   // redraw one line? Asked of `out` and TERM if not given
    std::optional<bool> colour;     // escape codes? Asked of NO_COLOR if not given
    std::optional<int> columns;     // asked of the terminal at each redraw if not given
    std::function<double()> clock;  // seconds; a steady clock if not given
};

// Shows how far a loop is, its figures, the time gone and the time left.
//
//     Progress bar("train", steps);
//     for (std::int64_t step = 1; step <= steps; ++step) {
//         ...
//         bar.update(step, {{"loss", loss}, {"tokens/s", rate}});
//     }
//     bar.finish();
//
// A terminal gets one line, redrawn at most ten times a second and never wider than the window;
// anything else gets a line every 5 % at most, and at least two seconds apart. An update that draws
// nothing costs one look at the clock. With TERM=dumb the output is plain lines; with NO_COLOR the
// line is redrawn without escape codes. A `total` of 0 means unknown: no percentage, no time left.
class Progress {
public:
    Progress(std::string label, std::int64_t total, ProgressOptions options = {});
    ~Progress();  // leaves the cursor on a fresh line, as after an exception or Ctrl-C
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `step` of `total` steps are done.
    void update(std::int64_t step, std::initializer_list<Field> fields = {});
    void update(std::int64_t step, std::span<const Field> fields);

    // Prints a line of its own, above the bar: an epoch's test accuracy, say.
    void note(std::string_view line);

    // Draws the last state once more, with the time that all of it took. Later calls do nothing.
    void finish();

private:
    std::string render(int columns) const;  // the terminal's line, without escape codes
    std::string plain_line() const;
    std::string tail() const;  // fields and times
    void draw();
    void erase();
    double seconds() const;
    int columns() const;

    std::string label_;
    std::int64_t total_;
    ProgressOptions options_;
    bool terminal_;
    bool colour_;
    double began_;
    double next_draw_;       // earliest time of the next output
    double next_share_ = 0;  // plain lines: earliest share of the work for the next one
    double now_;
    std::int64_t step_;
    struct Shown {
        std::string name;
        double value;
    };
    std::vector<Shown> fields_;
    std::size_t drawn_columns_ = 0;
    bool open_ = false;  // an unfinished line stands on the terminal
    bool finished_ = false;
    bool updated_ = false;
};

}  // namespace gradus::report
