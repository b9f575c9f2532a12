// What a plot holds. How it is drawn: plot/layout.cpp, plot/draw.cpp.
#include "report/plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/error.h"

namespace gradus::report {

Plot::Plot(std::string title, std::string x_label, std::string y_label)
    : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

Plot& Plot::add(Kind kind, std::string name, std::span<const double> xs, std::span<const double> ys,
                std::span<const double> top) {
    check(xs.size() == ys.size(), "Plot", "\"{}\" has {} x values and {} y values", name, xs.size(),
          ys.size());
    check(kind != Kind::band || ys.size() == top.size(), "Plot",
          "\"{}\" has {} lower and {} upper values", name, ys.size(), top.size());
    check(bar_values_.empty(), "Plot", "\"{}\" has x values, but this plot's x axis holds bars",
          name);
    series_.push_back({kind,
                       std::move(name),
                       {xs.begin(), xs.end()},
                       {ys.begin(), ys.end()},
                       {top.begin(), top.end()}});
    return *this;
}

Plot& Plot::line(std::string name, std::span<const double> xs, std::span<const double> ys) {
    return add(Kind::line, std::move(name), xs, ys);
}

Plot& Plot::noisy_line(std::string name, std::span<const double> xs, std::span<const double> ys) {
    return add(Kind::noisy, std::move(name), xs, ys);
}

Plot& Plot::path(std::string name, std::span<const double> xs, std::span<const double> ys) {
    return add(Kind::path, std::move(name), xs, ys);
}

Plot& Plot::points(std::string name, std::span<const double> xs, std::span<const double> ys) {
    return add(Kind::points, std::move(name), xs, ys);
}

Plot& Plot::labels(std::string name, std::span<const double> xs, std::span<const double> ys,
                   std::span<const std::string> texts) {
    check(texts.size() == xs.size(), "Plot::labels", "\"{}\" has {} labels for {} points", name,
          texts.size(), xs.size());
    add(Kind::points, std::move(name), xs, ys);
    series_.back().texts.assign(texts.begin(), texts.end());
    return *this;
}

Plot& Plot::band(std::string name, std::span<const double> xs, std::span<const double> lo,
                 std::span<const double> hi) {
    return add(Kind::band, std::move(name), xs, lo, hi);
}

Plot& Plot::hline(std::string name, double y) {
    series_.push_back({Kind::level, std::move(name), {}, {y}, {}});
    return *this;
}

Plot& Plot::bars(std::span<const std::string> labels, std::span<const double> values) {
    check(labels.size() == values.size(), "Plot::bars", "{} labels for {} values", labels.size(),
          values.size());
    const bool over_x = std::any_of(series_.begin(), series_.end(),
                                    [](const Series& s) { return s.kind != Kind::level; });
    check(!over_x && !field_, "Plot::bars", "this plot's x axis already holds numbers");
    bar_labels_.assign(labels.begin(), labels.end());
    bar_values_.assign(values.begin(), values.end());
    return *this;
}

Plot& Plot::contours(Field2D field, std::vector<double> levels) {
    check(bar_values_.empty(), "Plot::contours", "this plot's x axis holds bars");
    levels_ = levels.empty() ? contour_levels(field) : std::move(levels);
    for (const double level : levels_) contour_loops(field, level);  // a bad grid fails here
    field_ = std::move(field);
    return *this;
}

Plot& Plot::log_x() {
    log_x_ = true;
    return *this;
}

Plot& Plot::log_y() {
    log_y_ = true;
    return *this;
}

Plot& Plot::x_range(double low, double high) {
    check(low < high, "Plot::x_range", "low has to be below high; got {} and {}", low, high);
    x_range_ = Range{low, high};
    return *this;
}

Plot& Plot::y_range(double low, double high) {
    check(low < high, "Plot::y_range", "low has to be below high; got {} and {}", low, high);
    y_range_ = Range{low, high};
    return *this;
}

Plot& Plot::size(int width, int height) {
    check(width >= 240 && height >= 160, "Plot::size", "at least 240 x 160 pixels; got {} x {}",
          width, height);
    width_ = width;
    height_ = height;
    return *this;
}

std::vector<std::size_t> decimate(std::span<const double> ys, std::size_t keep) {
    const std::size_t n = ys.size();
    std::vector<std::size_t> kept;
    if (n <= keep || keep < 4) {
        for (std::size_t i = 0; i < n; ++i) kept.push_back(i);
        return kept;
    }
    const std::size_t stretches = keep / 2;
    kept.push_back(0);
    for (std::size_t s = 0; s < stretches; ++s) {
        const std::size_t begin = s * n / stretches, end = (s + 1) * n / stretches;
        std::size_t lowest = begin, highest = begin;
        for (std::size_t i = begin; i < end; ++i) {
            if (ys[i] < ys[lowest]) lowest = i;
            if (ys[i] > ys[highest]) highest = i;
        }
        for (const std::size_t i : {std::min(lowest, highest), std::max(lowest, highest)}) {
            if (i != kept.back()) kept.push_back(i);
        }
    }
    if (kept.back() != n - 1) kept.push_back(n - 1);
    return kept;
}

}  // namespace gradus::report
