// A lesson's report, whose figures can also be kept as files for its README.md.
#pragma once

#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "report/html.h"
#include "report/plot.h"
#include "report/svg.h"

namespace gradus::lesson {

using Values = std::vector<double>;

struct Report {
    report::Page page;
    std::filesystem::path drawings;  // where the files go; empty: nowhere

    // Anything that draws itself as SVG. `name` is the file's, where README.md shows it too.
    template <class Drawing>
    void figure(const Drawing& drawing, std::string_view caption, const std::string& name = "") {
        const std::string svg = drawing.svg();
        page.figure(svg, caption);
        if (!drawings.empty() && !name.empty()) report::save_svg(drawings / (name + ".svg"), svg);
    }
};

// first, first + 1 ... : n numbers, for the x axis of a curve.
inline Values counting(size_t n, double first = 0) {
    Values xs(n);
    std::iota(xs.begin(), xs.end(), first);
    return xs;
}

// A curve of many noisy values as one of few: means of ten neighbours.
inline void smooth_line(report::Plot& plot, const std::string& name, const Values& values) {
    Values at, means;
    for (size_t i = 0; i + 10 <= values.size(); i += 10) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i);
        at.push_back(static_cast<double>(i) + 5);
        means.push_back(std::accumulate(begin, begin + 10, 0.0) / 10);
    }
    plot.line(name, at, means);
}

}  // namespace gradus::lesson
