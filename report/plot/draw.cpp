// How a plot's values are drawn: areas, curves, bars and points, then what pointing shows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "report/plot/writer.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kHoverStrip = 6;          // width of the narrowest strip that answers to pointing
constexpr std::size_t kMostDots = 3000;    // of one series of points
constexpr std::size_t kMostPathDots = 60;  // a longer path is a line with its two ends

// The mean over a window around each point; values that are not finite are left out.
std::vector<double> running_mean(const std::vector<double>& ys) {
    const std::size_t n = ys.size(), reach = std::max<std::size_t>(1, n / 100);
    std::vector<double> sums(n + 1, 0), counts(n + 1, 0);
    for (std::size_t i = 0; i < n; ++i) {
        const bool finite = std::isfinite(ys[i]);
        sums[i + 1] = sums[i] + (finite ? ys[i] : 0);
        counts[i + 1] = counts[i] + (finite ? 1 : 0);
    }
    std::vector<double> means(n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t side = std::min({reach, i, n - 1 - i});  // centred up to the ends
        const std::size_t begin = i - side, end = i + side + 1;
        means[i] = (sums[end] - sums[begin]) / (counts[end] - counts[begin]);
    }
    return means;
}

}  // namespace

std::string PlotWriter::write() {
    lay_out_legend();
    set_scales();
    draw_axes();
    body_ += fmt::format(
        "<svg x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" "
        "viewBox=\"{0} {1} {2} {3}\">\n",
        px(left_), px(top_), px(right_ - left_), px(bottom_ - top_));
    draw_contours();
    for (std::size_t i = 0; i < p_.series_.size(); ++i) draw_area(p_.series_[i], i);
    draw_bars();
    for (std::size_t i = 0; i < p_.series_.size(); ++i) draw_curve(p_.series_[i], i);
    body_ += "</svg>\n";
    body_ += unclipped_;
    draw_hover();
    for (std::size_t i = 0; i < p_.series_.size(); ++i) draw_marks(p_.series_[i], i);
    draw_notes();
    const std::string about = fmt::format("{}: {} over {}", p_.title_, p_.y_label_, p_.x_label_);
    return svg_frame(p_.width_, height_, about, body_);
}

bool PlotWriter::inside(double at_x, double at_y) const {
    return at_x >= left_ - 1 && at_x <= right_ + 1 && at_y >= top_ - 1 && at_y <= bottom_ + 1;
}

void PlotWriter::draw_contours() {
    if (!p_.field_) return;
    for (const double level : p_.levels_) {
        std::string d;
        for (const auto& loop : contour_loops(*p_.field_, level)) {
            for (std::size_t i = 0; i < loop.size(); ++i) {
                d += fmt::format("{}{} {}", i == 0 ? "M" : "L", px(x(loop[i].x)), px(y(loop[i].y)));
            }
            d += "Z";
        }
        if (d.empty()) continue;
        body_ += fmt::format(
            "<path class=\"contour\" fill-rule=\"evenodd\" d=\"{}\"><title>{}"
            "</title></path>\n",
            d, escape("≥ " + short_number(level, 3)));
    }
}

void PlotWriter::draw_area(const Series& s, std::size_t i) {
    if (s.kind != Kind::band) return;
    std::string d;
    for (std::size_t begin = 0; begin < s.xs.size();) {
        const auto drawable = [&](std::size_t k) {
            return shows(s.xs[k], s.ys[k]) && y_.shows(s.top[k]);
        };
        if (!drawable(begin)) {
            leave_out(s.name);
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < s.xs.size() && drawable(end)) ++end;
        for (std::size_t k = begin; k < end; ++k) {
            d += fmt::format("{}{} {}", k == begin ? "M" : "L", px(x(s.xs[k])), px(y(s.top[k])));
        }
        for (std::size_t k = end; k-- > begin;) {
            d += fmt::format("L{} {}", px(x(s.xs[k])), px(y(s.ys[k])));
        }
        d += "Z";
        begin = end;
    }
    body_ += fmt::format("<path class=\"area f{}\" d=\"{}\"/>\n", series_colour(i), d);
}

void PlotWriter::draw_curve(const Series& s, std::size_t i) {
    if (s.kind == Kind::level) {
        if (!y_.shows(s.ys[0])) return leave_out(s.name);
        body_ += fmt::format("<path class=\"level c{}\" d=\"M{} {}H{}\"/>\n", series_colour(i),
                             px(left_), px(y(s.ys[0])), px(right_));
    } else if (s.kind == Kind::noisy) {
        add_curve(s, i, s.ys, "curve pale", true);
        add_curve(s, i, running_mean(s.ys), "curve", false);
    } else if (s.kind == Kind::line || s.kind == Kind::path) {
        add_curve(s, i, s.ys, "curve", true);
    }
}

// The curve in pieces between values that cannot be drawn; a piece of one point is a dot.
void PlotWriter::add_curve(const Series& s, std::size_t i, const std::vector<double>& ys,
                           std::string_view classes, bool count) {
    std::string d;
    for (std::size_t begin = 0; begin < ys.size();) {
        if (!shows(s.xs[begin], ys[begin])) {
            if (count) leave_out(s.name);
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < ys.size() && shows(s.xs[end], ys[end])) ++end;
        bool first = true;
        for (const std::size_t k : decimate({ys.data() + begin, end - begin})) {
            d += fmt::format("{}{} {}", first ? "M" : "L", px(x(s.xs[begin + k])),
                             px(y(ys[begin + k])));
            first = false;
        }
        if (end - begin == 1) {
            body_ += fmt::format("<circle class=\"dot f{}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>\n",
                                 series_colour(i), px(x(s.xs[begin])), px(y(ys[begin])));
        }
        begin = end;
    }
    if (d.empty()) return;
    body_ += fmt::format("<path class=\"{} c{}\"{} d=\"{}\"/>\n", classes, series_colour(i),
                         dash_attribute(s.kind == Kind::level, i), d);
}

void PlotWriter::draw_bars() {
    if (p_.bar_values_.empty()) return;
    const double slot = bar_slot(), width = std::min(slot * 0.7, 64.0);
    const double base = y_.is_log() ? bottom_ : y(std::clamp(0.0, y_.low(), y_.high()));
    const bool named = p_.bar_values_.size() <= 24 && slot >= 34;
    for (std::size_t i = 0; i < p_.bar_values_.size(); ++i) {
        const double value = p_.bar_values_[i];
        const double middle = left_ + slot * (static_cast<double>(i) + 0.5);
        const std::string& label = p_.bar_labels_[i];
        draw_bar_label(i, middle);
        if (!y_.shows(value)) {
            leave_out(label);
            continue;
        }
        const double end = y(value);
        body_ += fmt::format(
            "<rect class=\"f0 mark\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">"
            "<title>{}: {}</title></rect>\n",
            px(middle - width / 2), px(std::min(base, end)), px(width),
            px(std::max(std::abs(base - end), 0.5)), escape(label), short_number(value, 5));
        if (!named || !inside(middle, end)) continue;
        unclipped_ += svg_text(middle, value < 0 ? end + 14 : end - 5, "small halo", "middle",
                               number(value, 3));
    }
}

void PlotWriter::draw_bar_label(std::size_t i, double middle) {
    const std::vector<std::string>& lines = bar_lines_[i];
    if (slanted_) {
        unclipped_ += fmt::format(
            "<text class=\"soft\" text-anchor=\"end\" transform=\"translate({} "
            "{}) rotate(-35)\">{}</text>\n",
            px(middle + 4), px(bottom_ + 14), escape(lines[0]));
        return;
    }
    for (std::size_t k = 0; k < lines.size(); ++k) {
        const double line = bottom_ + 18 + 15 * static_cast<double>(k);
        unclipped_ += svg_text(middle, line, "soft", "middle", lines[k]);
    }
}

// Vertical strips over curves: pointing at one shows a line, dots and the values.
void PlotWriter::draw_hover() {
    struct At {
        double x, y, xv, yv;
    };
    struct Strip {
        At anchor;                          // a point of the series with the fewest
        std::map<std::size_t, At> nearest;  // of each series, by its number
    };
    std::vector<std::size_t> by_size;
    for (std::size_t i = 0; i < p_.series_.size(); ++i) {
        const Series& s = p_.series_[i];
        const bool curve = s.kind == Kind::line || s.kind == Kind::noisy;
        if (curve && std::is_sorted(s.xs.begin(), s.xs.end())) by_size.push_back(i);
    }
    std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) {
        return p_.series_[a].xs.size() < p_.series_[b].xs.size();
    });
    std::map<int, Strip> strips;
    for (const std::size_t i : by_size) {
        const Series& s = p_.series_[i];
        const std::vector<double> ys = s.kind == Kind::noisy ? running_mean(s.ys) : s.ys;
        for (std::size_t k = 0; k < s.xs.size(); ++k) {
            if (!shows(s.xs[k], ys[k])) continue;
            const At at{x(s.xs[k]), y(ys[k]), s.xs[k], ys[k]};
            if (at.x < left_ - 0.5 || at.x > right_ + 0.5) continue;
            const int column = static_cast<int>((at.x - left_) / kHoverStrip);
            Strip& strip = strips.try_emplace(column, Strip{at, {}}).first->second;
            At& nearest = strip.nearest.try_emplace(i, at).first->second;
            const double before = std::abs(nearest.x - strip.anchor.x);
            if (std::abs(at.x - strip.anchor.x) < before) nearest = at;
        }
    }
    const double room = right_ - text_width(p_.y_label_, 12) - 24;
    for (auto strip = strips.begin(); strip != strips.end(); ++strip) {
        const auto following = std::next(strip);
        const auto middle = [&](auto here) { return left_ + (here->first + 0.5) * kHoverStrip; };
        const double from =
            strip == strips.begin() ? left_ : (middle(std::prev(strip)) + middle(strip)) / 2;
        const double to =
            following == strips.end() ? right_ : (middle(strip) + middle(following)) / 2;
        const At& first = strip->second.anchor;
        std::string text = fmt::format("{} {}", p_.x_label_, short_number(first.xv, 5)), dots;
        for (const auto& [i, at] : strip->second.nearest) {
            text += fmt::format(" · {} {}", p_.series_[i].name, short_number(at.yv, 5));
            if (at.y < top_ - 1 || at.y > bottom_ + 1) continue;
            dots += fmt::format("<circle class=\"dot f{}\" cx=\"{}\" cy=\"{}\" r=\"4\"/>",
                                series_colour(i), px(at.x), px(at.y));
        }
        body_ += fmt::format(
            "<g class=\"hover\"><rect class=\"hit\" x=\"{}\" y=\"{}\" width=\"{}\" "
            "height=\"{}\"/><g class=\"tip\"><line x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>{}"
            "{}</g></g>\n",
            px(from), px(top_), px(std::max(to - from, 0.1)), px(bottom_ - top_), px(first.x),
            px(first.x), px(top_), px(bottom_), dots,
            svg_text(right_, top_ - 10, "", "end", fit_pixels(text, 12, room)));
    }
}

void PlotWriter::draw_marks(const Series& s, std::size_t i) {
    if (s.kind != Kind::points && s.kind != Kind::path) return;
    draw_dots(s, i);
    if (s.kind == Kind::path && s.xs.size() > 1) draw_path_ends(s, i);
}

void PlotWriter::draw_dots(const Series& s, std::size_t i) {
    const bool path = s.kind == Kind::path, hidden = path && s.xs.size() > kMostPathDots;
    const std::size_t most = path ? 400 : kMostDots;
    const std::size_t every = (s.xs.size() + most - 1) / most;
    if (every > 1 && !path)
        notes_.push_back(fmt::format("{}: one of {} points is drawn", s.name, every));
    const double radius = s.xs.size() > 300 ? 2.5 : path ? 3 : 4;
    for (std::size_t k = 0; k < s.xs.size(); ++k) {
        if (!shows(s.xs[k], s.ys[k])) {
            if (!path) leave_out(s.name);  // a path's are counted with its line
            continue;
        }
        const double cx = x(s.xs[k]), cy = y(s.ys[k]);
        if (k % every != 0 || !inside(cx, cy)) continue;
        if (!s.texts.empty()) {
            const std::string classes = fmt::format("halo f{}", series_colour(i));
            body_ += svg_text(cx, cy + 4, classes, "middle", s.texts[k]);
            continue;
        }
        const std::string shape =
            hidden ? "hit mark" : fmt::format("dot mark f{}", series_colour(i));
        body_ += fmt::format(
            "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"><title>{}{}: {}, {}"
            "</title></circle>\n",
            shape, px(cx), px(cy), px(hidden ? 4 : radius), escape(s.name),
            path ? fmt::format(" {}", k) : "", short_number(s.xs[k], 5), short_number(s.ys[k], 5));
    }
}

// A ring where a path begins, a big dot where it ends.
void PlotWriter::draw_path_ends(const Series& s, std::size_t i) {
    for (const std::size_t k : {std::size_t{0}, s.xs.size() - 1}) {
        if (!shows(s.xs[k], s.ys[k]) || !inside(x(s.xs[k]), y(s.ys[k]))) continue;
        body_ += fmt::format(
            "<circle class=\"{}{}\" cx=\"{}\" cy=\"{}\" r=\"5\"><title>{} {}: {}, {}"
            "</title></circle>\n",
            k == 0 ? "ring c" : "dot f", series_colour(i), px(x(s.xs[k])), px(y(s.ys[k])),
            escape(s.name), k, short_number(s.xs[k], 5), short_number(s.ys[k], 5));
    }
}

std::string Plot::svg() const { return PlotWriter(*this).write(); }

}  // namespace gradus::report
