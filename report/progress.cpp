#include "report/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kRedraw = 0.1;      // seconds between two drawings of the bar
constexpr double kLinePause = 2;     // seconds between two plain lines
constexpr double kLineShare = 0.05;  // and the share of the work between them

double steady_seconds() {
    using std::chrono::duration;
    return duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

bool is_terminal(std::FILE* out) {
    return isatty(fileno(out)) == 1 && environment("TERM") != "dumb";
}

// A bar of `columns` characters in steps of an eighth of one.
std::string bar_text(double share, int columns) {
    static constexpr std::array<std::string_view, 8> kPart = {" ", "▏", "▎", "▍",
                                                              "▌", "▋", "▊", "▉"};
    const int eighths = static_cast<int>(std::clamp(share, 0.0, 1.0) * columns * 8);
    std::string bar;
    for (int i = 0; i < columns; ++i) {
        bar += eighths >= 8 * (i + 1)
                   ? "█"
                   : kPart[static_cast<std::size_t>(std::clamp(eighths - 8 * i, 0, 7))];
    }
    return bar;
}

}  // namespace

Progress::Progress(std::string label, std::int64_t total, ProgressOptions options)
    : label_(std::move(label)),
      total_(std::max<std::int64_t>(total, 0)),
      options_(std::move(options)),
      terminal_(options_.terminal ? *options_.terminal : is_terminal(options_.out)),
      colour_(terminal_ && (options_.colour ? *options_.colour : environment("NO_COLOR").empty())),
      began_(seconds()),
      next_draw_(terminal_ ? began_ : began_ + kLinePause),
      now_(began_),
      step_(options_.start) {}

Progress::~Progress() {
    if (open_) std::fputc('\n', options_.out);
}

double Progress::seconds() const { return options_.clock ? options_.clock() : steady_seconds(); }

int Progress::columns() const {
    if (options_.columns) return *options_.columns;
    winsize window{};
    if (ioctl(fileno(options_.out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
        return window.ws_col;
    }
    return 80;
}

void Progress::update(std::int64_t step, std::initializer_list<Field> fields) {
    update(step, std::span<const Field>(fields.begin(), fields.size()));
}

void Progress::update(std::int64_t step, std::span<const Field> fields) {
    if (finished_) return;
    const double now = seconds();
    const bool last = total_ > 0 && step >= total_;
    step_ = step;
    now_ = now;
    updated_ = true;
    fields_.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
        fields_[i].name = fields[i].name;
        fields_[i].value = fields[i].value;
    }
    if (now < next_draw_ && !last) return;
    if (terminal_) {
        draw();
        next_draw_ = now + kRedraw;
        return;
    }
    const double share = total_ > 0 ? static_cast<double>(step) / static_cast<double>(total_) : 1;
    if (last || share < next_share_) return;  // finish() prints the last state
    fmt::print(options_.out, "{}\n", plain_line());
    std::fflush(options_.out);
    next_draw_ = now + kLinePause;
    next_share_ = total_ > 0 ? share + kLineShare : 0;
}

std::string Progress::tail() const {
    const double gone = now_ - began_;
    const auto done = static_cast<double>(step_ - options_.start);
    std::string text;
    for (const Shown& field : fields_) {
        text += fmt::format("{} {} · ", field.name, number(field.value));
    }
    text += duration(gone);
    if (!finished_ && total_ > 0 && done > 0 && step_ < total_) {
        text +=
            fmt::format(" · {} left", duration(gone / done * static_cast<double>(total_ - step_)));
    }
    return text;
}

std::string Progress::plain_line() const {
    if (total_ == 0) return fmt::format("{}  step {}  {}", label_, step_, tail());
    const double share = static_cast<double>(step_) / static_cast<double>(total_);
    return fmt::format("{}  {:3.0f} %  {}/{}  {}", label_, std::floor(100 * share), step_, total_,
                       tail());
}

std::string Progress::render(int columns) const {
    const auto room = static_cast<std::size_t>(std::max(columns - 1, 1));
    if (total_ == 0) return fit(fmt::format("{} step {}  {}", label_, step_, tail()), room);
    const double share = static_cast<double>(step_) / static_cast<double>(total_);
    const std::string right = fmt::format(" {:3.0f} %  {}", std::floor(100 * share), tail());
    const std::size_t used = display_width(label_) + 3 + display_width(right);
    const std::size_t bar = used + 8 <= room ? std::min<std::size_t>(room - used, 32) : 0;
    if (bar == 0) return fit(label_ + right, room);
    return label_ + " ▕" + bar_text(share, static_cast<int>(bar)) + "▏" + right;
}

void Progress::draw() {
    std::string line = render(columns());
    const std::size_t width = display_width(line);
    if (colour_) {
        const std::size_t from = line.find("▕");
        const std::size_t to = line.rfind("▏ ");
        if (from != std::string::npos && to != std::string::npos) {
            line.insert(to, "\x1b[0m");
            line.insert(from, "\x1b[36m");
        }
        line += "\x1b[K";
    } else if (drawn_columns_ > width) {
        line += std::string(drawn_columns_ - width, ' ');
    }
    fmt::print(options_.out, "\r{}", line);
    std::fflush(options_.out);
    drawn_columns_ = width;
    open_ = true;
}

void Progress::erase() {
    if (!open_) return;
    if (colour_) {
        fmt::print(options_.out, "\r\x1b[K");
    } else {
        fmt::print(options_.out, "\r{}\r", std::string(drawn_columns_, ' '));
    }
    open_ = false;
}

void Progress::note(std::string_view line) {
    erase();
    fmt::print(options_.out, "{}\n", line);
    if (terminal_ && !finished_ && updated_) draw();
    std::fflush(options_.out);
}

void Progress::finish() {
    if (finished_) return;
    finished_ = true;
    now_ = seconds();
    if (terminal_) {
        draw();
        std::fputc('\n', options_.out);
        open_ = false;
    } else {
        fmt::print(options_.out, "{}\n", plain_line());
    }
    std::fflush(options_.out);
}

}  // namespace gradus::report
