// What stands around a plot's values: title, legend, scales, axes, notes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/plot/writer.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kRight = 20;      // margin
constexpr double kLegendRow = 20;  // height
constexpr double kLongestSlanted = 130;
constexpr std::string_view kDashes[kSeriesColours] = {"",    "",    "",        "",
                                                      "7 3", "2 3", "9 3 2 3", "4 2"};

struct Extent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void add(double value, bool log) {
        if (!std::isfinite(value) || (log && value <= 0)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    void pad(double share, bool log) {
        if (!(low < high)) return;
        const double room = log ? std::log(high / low) * share : (high - low) * share;
        low = log ? low * std::exp(-room) : low - room;
        high = log ? high * std::exp(room) : high + room;
    }
};

// Lines of at most `room` pixels, broken at spaces; none if that needs more than three of them.
std::vector<std::string> wrapped(const std::string& text, double room) {
    std::vector<std::string> lines(1);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
        if (text_width(word, 12) > room) return {};
        if (text_width(longer, 12) <= room) {
            lines.back() = longer;
        } else {
            lines.push_back(word);
        }
        begin = end + 1;
    }
    return lines.size() <= 3 ? lines : std::vector<std::string>{};
}

}  // namespace

std::size_t series_colour(std::size_t i) { return i % kSeriesColours; }

std::string dash_attribute(bool level, std::size_t i) {
    const std::string_view dash = kDashes[series_colour(i)];
    if (level || dash.empty()) return "";  // a level has dashes of its own
    return fmt::format(" stroke-dasharray=\"{}\"", dash);
}

void PlotWriter::lay_out_legend() {
    top_ = p_.title_.empty() ? 12 : 36;
    if (!p_.title_.empty()) {
        body_ += svg_text(0, 18, "title", "start", fit_pixels(p_.title_, 15, p_.width_));
    }
    const bool wanted =
        p_.series_.size() > 1 || (p_.series_.size() == 1 && p_.series_[0].name != p_.y_label_ &&
                                  !p_.series_[0].name.empty());
    const auto legend_name = [](const Series& s) {
        const bool level = s.kind == Kind::level;
        return level ? fmt::format("{} ({})", s.name, short_number(s.ys[0])) : s.name;
    };
    double at = 0;
    for (std::size_t i = 0; wanted && i < p_.series_.size(); ++i) {
        const std::string name = fit_pixels(legend_name(p_.series_[i]), 12, p_.width_ - 40.0);
        const double room = 34 + text_width(name, 12) + 14;
        if (at > 0 && at + room > p_.width_) {
            at = 0;
            top_ += kLegendRow;
        }
        draw_sample(p_.series_[i], i, at, top_ + 2);
        body_ += svg_text(at + 32, top_ + 6, "", "start", name);
        at += room;
    }
    if (wanted) top_ += kLegendRow;
    top_ += 24;  // the y axis' label stands over the axis
}

void PlotWriter::draw_sample(const Series& s, std::size_t i, double at, double middle) {
    if (s.kind == Kind::band) {
        body_ += fmt::format(
            "<rect class=\"area f{}\" x=\"{}\" y=\"{}\" width=\"24\" "
            "height=\"10\"/>\n",
            series_colour(i), px(at), px(middle - 5));
    }
    if (s.kind == Kind::line || s.kind == Kind::noisy || s.kind == Kind::path ||
        s.kind == Kind::level) {
        body_ += fmt::format("<path class=\"{} c{}\"{} d=\"M{} {}h24\"/>\n",
                             s.kind == Kind::level ? "level" : "curve", series_colour(i),
                             dash_attribute(s.kind == Kind::level, i), px(at), px(middle));
    }
    if (s.kind == Kind::points || s.kind == Kind::path) {
        body_ += fmt::format("<circle class=\"dot f{}\" cx=\"{}\" cy=\"{}\" r=\"4\"/>\n",
                             series_colour(i), px(at + 12), px(middle));
    }
}

void PlotWriter::set_scales() {
    Extent xs, ys;
    bool marks = false;
    for (const Series& s : p_.series_) {
        for (const double v : s.xs) xs.add(v, p_.log_x_);
        for (const double v : s.ys) ys.add(v, p_.log_y_);
        for (const double v : s.top) ys.add(v, p_.log_y_);
        marks = marks || s.kind == Kind::points || s.kind == Kind::path;
    }
    for (const double v : p_.bar_values_) ys.add(v, p_.log_y_);
    if (!p_.bar_values_.empty() && !p_.log_y_) {
        ys.add(0, false);
        ys.high += 0.04 * std::abs(ys.high);  // room for the value over the bar
    }
    if (marks) xs.pad(0.03, p_.log_x_);
    if (p_.field_) {
        xs = ys = {};
        xs.add(p_.field_->xs.front(), p_.log_x_);
        xs.add(p_.field_->xs.back(), p_.log_x_);
        ys.add(p_.field_->ys.front(), p_.log_y_);
        ys.add(p_.field_->ys.back(), p_.log_y_);
    }
    if (p_.log_y_ && !p_.field_) ys.pad(0.04, true);
    if (p_.x_range_) xs = {p_.x_range_->low, p_.x_range_->high};
    if (p_.y_range_) ys = {p_.y_range_->low, p_.y_range_->high};

    height_ = p_.height_;
    bottom_ = height_ - (p_.x_label_.empty() ? 28 : 48);
    const int rows = std::clamp(static_cast<int>((bottom_ - top_) / 45), 2, 9);
    const bool exact_y = p_.y_range_ || p_.field_;
    y_ = p_.log_y_ ? Scale::log(ys.low, ys.high, rows)
         : exact_y ? Scale::linear_exact(ys.low, ys.high, rows)
                   : Scale::linear(ys.low, ys.high, rows);
    double widest = 0;
    for (const Tick& tick : y_.ticks()) widest = std::max(widest, text_width(tick.label, 12));
    left_ = widest + 12;
    right_ = p_.width_ - kRight;
    const int columns = std::clamp(static_cast<int>((right_ - left_) / 80), 2, 10);
    x_ = p_.log_x_ ? Scale::log(xs.low, xs.high, columns)
                   : Scale::linear_exact(xs.low, xs.high, columns);
    if (!p_.bar_values_.empty()) make_room_for_bar_labels();
}

double PlotWriter::bar_slot() const {
    return (right_ - left_) / static_cast<double>(std::max<std::size_t>(1, p_.bar_values_.size()));
}

// The figure grows downwards by what wrapped or slanted labels need.
void PlotWriter::make_room_for_bar_labels() {
    std::size_t most = 1;
    double widest = 0;
    for (const std::string& label : p_.bar_labels_) {
        bar_lines_.push_back(wrapped(label, bar_slot() - 10));
        most = std::max(most, bar_lines_.back().size());
        slanted_ = slanted_ || bar_lines_.back().empty();
        widest = std::max(widest, std::min(text_width(label, 12), kLongestSlanted));
    }
    if (slanted_) {
        for (std::size_t i = 0; i < bar_lines_.size(); ++i) {
            bar_lines_[i] = {fit_pixels(p_.bar_labels_[i], 12, kLongestSlanted)};
        }
    }
    height_ += slanted_ ? widest * 0.6 : 15.0 * static_cast<double>(most - 1);
}

void PlotWriter::draw_axes() {
    for (const Tick& tick : y_.ticks()) {
        const double at = std::round(y(tick.value)) + 0.5;
        body_ +=
            fmt::format("<path class=\"grid\" d=\"M{} {}H{}\"/>\n", px(left_), px(at), px(right_));
        if (tick.label.empty()) continue;
        body_ += svg_text(left_ - 8, at + 4, "soft", "end", tick.label);
    }
    double free_from = -1e9;  // labels that would touch the one before are left out
    for (const Tick& tick : x_.ticks()) {
        if (!p_.bar_values_.empty()) break;
        const double at = std::round(x(tick.value)) + 0.5, half = text_width(tick.label, 12) / 2;
        body_ +=
            fmt::format("<path class=\"grid\" d=\"M{} {}V{}\"/>\n", px(at), px(top_), px(bottom_));
        if (tick.label.empty() || at - half < free_from) continue;
        body_ += svg_text(at, bottom_ + 18, "soft", "middle", tick.label);
        free_from = at + half + 8;
    }
    body_ += fmt::format("<path class=\"axis\" d=\"M{} {}V{}H{}\"/>\n", px(left_), px(top_),
                         px(bottom_), px(right_));
    body_ += svg_text(0, top_ - 10, "soft", "start", p_.y_label_);
    body_ += svg_text((left_ + right_) / 2, height_ - 6, "soft", "middle", p_.x_label_);
}

void PlotWriter::draw_notes() {
    const bool drawable = std::any_of(p_.series_.begin(), p_.series_.end(),
                                      [](const Series& s) { return !s.ys.empty(); });
    if (!drawable && p_.bar_values_.empty() && !p_.field_) {
        body_ +=
            svg_text((left_ + right_) / 2, (top_ + bottom_) / 2, "soft", "middle", "no values");
    }
    const auto add_line = [&](const std::string& line) {
        height_ += 18;
        body_ += svg_text(0, height_ - 6, "soft small", "start", fit_pixels(line, 11, p_.width_));
    };
    for (const std::string& note : notes_) add_line(note);
    for (const auto& [name, count] : left_out_) {
        const std::string why = p_.log_x_ || p_.log_y_
                                    ? "not finite, or not above 0 as a logarithmic axis needs"
                                    : "not finite";
        add_line(fmt::format("{}: {} {} {}, left out", name, count,
                             count == 1 ? "value is" : "values are", why));
    }
}

}  // namespace gradus::report
