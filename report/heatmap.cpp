#include "report/heatmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/error.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kPageWidth = 760;
constexpr double kLongestLabel = 120;
constexpr std::size_t kMostNamed = 4096;  // cells with a value to point at: the file stays small
constexpr int kSteps = 24;                // of the colour scale's legend

}  // namespace

Heatmap::Heatmap(std::string title, std::span<const double> values, std::size_t columns)
    : title_(std::move(title)),
      values_(values.begin(), values.end()),
      columns_(columns),
      rows_(columns > 0 ? values.size() / columns : 0) {
    check(columns_ > 0 && rows_ * columns_ == values_.size() && rows_ > 0, "Heatmap",
          "\"{}\": {} values do not fill rows of {}", title_, values_.size(), columns_);
}

Heatmap& Heatmap::labels(std::vector<std::string> rows, std::vector<std::string> columns) {
    check(rows.size() == rows_ && columns.size() == columns_, "Heatmap::labels",
          "\"{}\" is [{}, {}], the labels are {} and {}", title_, rows_, columns_, rows.size(),
          columns.size());
    row_labels_ = std::move(rows);
    column_labels_ = std::move(columns);
    return *this;
}

Heatmap& Heatmap::axes(std::string rows, std::string columns) {
    row_axis_ = std::move(rows);
    column_axis_ = std::move(columns);
    return *this;
}

Heatmap& Heatmap::range(double low, double high) {
    check(low < high, "Heatmap::range", "low has to be below high; got {} and {}", low, high);
    low_ = low;
    high_ = high;
    ranged_ = true;
    return *this;
}

Heatmap& Heatmap::log_scale() {
    log_ = true;
    return *this;
}

Heatmap& Heatmap::cell_size(int pixels) {
    check(pixels >= 1, "Heatmap::cell_size", "at least 1 pixel; got {}", pixels);
    cell_ = pixels;
    return *this;
}

class HeatmapWriter {
public:
    explicit HeatmapWriter(const Heatmap& map) : m_(map) { lay_out(); }

    std::string write() {
        draw_labels();
        std::size_t missing = 0;
        for (std::size_t r = 0; r < m_.rows_; ++r) {
            for (std::size_t c = 0; c < m_.columns_; ++c) missing += !draw_cell(r, c);
        }
        body_ +=
            fmt::format("<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                        px(left_), px(top_), px(right() - left_), px(bottom() - top_));
        draw_legend();
        double height = bottom() + 50;
        const auto note = [&](const std::string& line) {
            height += 18;
            body_ += svg_text(left_, height - 8, "soft small", "start", line);
        };
        if (missing > 0) {
            note(fmt::format("{} {} (×): not finite{}", missing, missing == 1 ? "cell" : "cells",
                             m_.log_ ? ", or below 0" : ""));
        }
        if (!named_) note("More than 4,096 cells: pointing at one shows no value.");
        return svg_frame(width_, height,
                         fmt::format("{}: {} rows, {} columns", m_.title_, m_.rows_, m_.columns_),
                         body_);
    }

private:
    double right() const { return left_ + cell_ * static_cast<double>(m_.columns_); }
    double bottom() const { return top_ + cell_ * static_cast<double>(m_.rows_); }

    static double widest(const std::vector<std::string>& labels) {
        double most = 0;
        for (const std::string& label : labels) most = std::max(most, text_width(label, font()));
        return std::min(most, kLongestLabel);
    }
    static double font() { return 12; }
    bool usable(double value) const { return std::isfinite(value) && (!m_.log_ || value >= 0); }

    void lay_out() {
        low_ = m_.low_;
        high_ = m_.high_;
        if (!m_.ranged_) {
            low_ = std::numeric_limits<double>::infinity();
            high_ = -low_;
            for (const double value : m_.values_) {
                if (!usable(value) || (m_.log_ && value == 0)) continue;
                low_ = std::min(low_, value);
                high_ = std::max(high_, value);
            }
            if (!(low_ <= high_)) low_ = high_ = m_.log_ ? 1 : 0;
            if (!m_.log_) {
                // Weights and probabilities are read against 0.
                low_ = std::min(low_, 0.0);
                high_ = std::max(high_, 0.0);
            }
        }
        named_ = m_.values_.size() <= kMostNamed;
        left_ = m_.row_labels_.empty() ? 0 : widest(m_.row_labels_) + 14;
        if (!m_.row_axis_.empty()) left_ = std::max(left_, text_width(m_.row_axis_, 12) + 10);
        const double room = kPageWidth - left_ - 10;
        cell_ = m_.cell_ > 0
                    ? m_.cell_
                    : std::clamp(std::floor(room / static_cast<double>(m_.columns_)), 3.0, 34.0);
        upright_ = widest(m_.column_labels_) > cell_ - 4;
        top_ = m_.title_.empty() ? 6 : 34;
        axis_line_ = top_ + 8;
        if (!m_.column_axis_.empty() || !m_.row_axis_.empty()) top_ += 22;
        if (!m_.column_labels_.empty()) top_ += upright_ ? widest(m_.column_labels_) + 8 : 20;
        width_ = std::max({right() + 2, left_ + 240, text_width(m_.title_, 15.5)});
    }

    // −1 to 1: how strong the cell's colour is, and on which side of 0.
    double strength(double value) const {
        if (m_.log_) {
            if (high_ <= low_ || low_ <= 0) return 1;
            // The smallest value still differs from 0, which is blank.
            if (value <= 0) return 0;
            return 0.06 +
                   0.94 * std::clamp(std::log(value / low_) / std::log(high_ / low_), 0.0, 1.0);
        }
        if (low_ < 0) {  // both signs, or below 0 only: colours are symmetric around 0
            const double size = std::max(std::abs(low_), std::abs(high_));
            return std::clamp(value / size, -1.0, 1.0);
        }
        return high_ > low_ ? std::clamp((value - low_) / (high_ - low_), 0.0, 1.0) : 0;
    }

    std::string cell_text(double value) const {
        if (std::abs(value) < 0.005) return "";
        const bool shares = std::max(std::abs(low_), std::abs(high_)) <= 1;
        return shares ? fmt::format("{}{:.2f}", value < 0 ? "−" : "", std::abs(value))
                      : short_number(value, 2);
    }

    bool draw_cell(std::size_t r, std::size_t c) {
        const double value = m_.values_[r * m_.columns_ + c];
        const double at_x = left_ + cell_ * static_cast<double>(c);
        const double at_y = top_ + cell_ * static_cast<double>(r);
        const std::string size = fmt::format("width=\"{0}\" height=\"{0}\"", px(cell_));
        std::string name;
        if (named_) {
            const std::string row =
                m_.row_labels_.empty() ? fmt::format("row {}", r) : m_.row_labels_[r];
            const std::string column =
                m_.column_labels_.empty() ? fmt::format("column {}", c) : m_.column_labels_[c];
            name = fmt::format("<title>{} · {}: {}</title>", escape(row), escape(column),
                               number(value, 4));
        }
        if (!usable(value)) {
            body_ += fmt::format(
                "<g class=\"missing\"><rect class=\"hit\" x=\"{0}\" y=\"{1}\" {2}>"
                "{3}</rect><path class=\"axis\" d=\"M{0} {1}l{4} {4}m0 -{4}l-{4} "
                "{4}\"/></g>\n",
                px(at_x), px(at_y), size, name, px(cell_));
            return false;
        }
        const double strong = strength(value);
        if (std::abs(strong) < 0.005 && !named_) return true;
        body_ +=
            fmt::format("<rect class=\"cell mark{}\" x=\"{}\" y=\"{}\" {} fill-opacity=\"{:.2f}\"",
                        strong < 0 ? " below" : "", px(at_x), px(at_y), size, std::abs(strong));
        body_ += named_ ? fmt::format(">{}</rect>\n", name) : "/>\n";
        const std::string text = cell_text(value);
        if (cell_ >= 26 && m_.values_.size() <= 256 && text_width(text, 10.5) <= cell_ - 2) {
            body_ += fmt::format(
                "<text class=\"{}\" style=\"font-size:10px;pointer-events:none\" "
                "x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                std::abs(strong) > 0.72 ? "invert" : "", px(at_x + cell_ / 2),
                px(at_y + cell_ / 2 + 3.5), text);
        }
        return true;
    }

    void draw_labels() {
        if (!m_.title_.empty()) body_ += svg_text(0, 18, "title", "start", m_.title_);
        if (!m_.row_axis_.empty() && m_.column_axis_.empty()) {
            body_ += svg_text(left_ - 8, axis_line_ + 4, "soft", "end", m_.row_axis_ + " ↓");
        }
        if (!m_.column_axis_.empty()) {
            const std::string rows =
                m_.row_axis_.empty() ? "" : m_.row_axis_ + " ↓\u00a0\u00a0\u00a0\u00a0";
            body_ += svg_text(0, axis_line_ + 4, "soft", "start", rows + m_.column_axis_ + " →");
        }
        // Labels that would touch are left out: every second, fourth, ... is shown.
        std::size_t every = 1;
        while (cell_ * static_cast<double>(every) < font()) every *= 2;
        for (std::size_t r = 0; r < m_.row_labels_.size(); r += every) {
            const double middle = top_ + cell_ * (static_cast<double>(r) + 0.5);
            body_ += svg_text(left_ - 8, middle + 4, "", "end",
                              fit_pixels(m_.row_labels_[r], font(), kLongestLabel));
        }
        for (std::size_t c = 0; c < m_.column_labels_.size(); c += upright_ ? every : 1) {
            const double middle = left_ + cell_ * (static_cast<double>(c) + 0.5);
            const std::string label = fit_pixels(m_.column_labels_[c], font(), kLongestLabel);
            body_ += upright_ ? fmt::format(
                                    "<text transform=\"translate({} {}) rotate(-90)\">{}</text>\n",
                                    px(middle + 4), px(top_ - 6), escape(label))
                              : svg_text(middle, top_ - 7, "", "middle", label);
        }
    }

    void draw_legend() {
        const double at = bottom() + 16, step = 6,
                     begin = left_ + text_width(number(low_, 3), 11) + 8;
        body_ += svg_text(left_, at + 10, "soft small", "start", number(low_, 3));
        for (int i = 0; i < kSteps; ++i) {
            const double t = (i + 0.5) / kSteps;
            const double value =
                m_.log_ ? low_ * std::pow(high_ / low_, t) : low_ + t * (high_ - low_);
            const double strong = strength(value);
            body_ += fmt::format(
                "<rect class=\"cell{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"12\" "
                "fill-opacity=\"{:.2f}\"/>\n",
                strong < 0 ? " below" : "", px(begin + step * i), px(at), px(step),
                std::abs(strong));
        }
        const double end = begin + step * kSteps;
        body_ +=
            fmt::format("<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"12\"/>\n",
                        px(begin), px(at), px(end - begin));
        body_ += svg_text(end + 8, at + 10, "soft small", "start",
                          number(high_, 3) + (m_.log_ ? "  (logarithmic)" : ""));
    }

    const Heatmap& m_;
    double low_ = 0, high_ = 0, left_ = 0, top_ = 0, width_ = 0, cell_ = 0, axis_line_ = 0;
    bool named_ = true, upright_ = false;
    std::string body_;
};

std::string Heatmap::svg() const { return HeatmapWriter(*this).write(); }

}  // namespace gradus::report
