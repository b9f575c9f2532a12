// A lesson's report, whose figures can also be kept as files for its README.md.
#pragma once

#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "report/html.h"
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

}  // namespace gradus::lesson
