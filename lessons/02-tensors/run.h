// What the parts of a run of lesson 02 share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lessons/common.h"
#include "report/svg.h"

namespace gradus::tensors_lesson {

using Numbers = std::vector<double>;

struct Run {
    const lesson::Options& options;
    lesson::Results& results;
    report::Page& page;
    std::filesystem::path drawings;  // empty: the report alone

    void draw(const std::string& name, const std::string& svg) const {
        if (!drawings.empty()) report::save_svg(drawings / (name + ".svg"), svg);
    }
    void figure(const std::string& name, const std::string& svg, const std::string& caption) const {
        page.figure(svg, caption);
        draw(name, svg);
    }
};

}  // namespace gradus::tensors_lesson
