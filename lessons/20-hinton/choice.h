// Which rates the lesson learns with: tried on training pictures alone, the same ones for every row.
#pragma once

#include <memory>
#include <string>

#include "lessons/20-hinton/pictures.h"

namespace gradus::lesson20 {

// Errors of pictures that were set aside, over rates. False where Ctrl-C came first.
inline bool choose(lesson::Results& results, Class& school) {
    const Course& course = school.course();
    const data::Images& train = school.pictures().train;
    results.section(fmt::format("Errors of {} training pictures that were set aside",
                                school.pictures().test.size()));
    const auto tried = [&](const std::string& name, double rate,
                           const std::unique_ptr<Trained>& net) {
        if (!net) return false;
        results.add(fmt::format("{}, rate {}", name, rate), static_cast<double>(net->wrong));
        return true;
    };
    const auto teacher = school.teacher(0, {16, course.teacher.rate});
    if (!tried("teacher", course.teacher.rate, teacher)) return false;
    const Tensor v = nn::teacher_logits(teacher->model, train.pixels);
    const nn::TransferSet set{train.pixels, {v}, train.labels};
    const auto sizes = school.sizes(course.student_hidden), small = school.sizes(30);
    for (const double rate : {1e-3, 2e-3, 4e-3, 8e-3}) {
        const auto at = [&](const Pace& pace) { return Pace{pace.epochs, rate}; };
        const auto named = [&](const char* name) { return fmt::format("{}-{}", name, rate); };
        if (!tried("plain", rate, school.plain(named("plain"), sizes, train, at(course.plain))) ||
            !tried("label smoothing", rate,
                   school.plain(named("smoothed"), sizes, train, at(course.smoothed),
                                course.smoothing)) ||
            !tried("distilled", rate,
                   school.distilled(named("distilled"), sizes, set, at(course.distilled),
                                    {course.temperature, course.weight})))
            return false;
    }
    for (const double rate : {4e-3, 8e-3, 1.6e-2, 3.2e-2}) {
        const auto at = [&](const Pace& pace) { return Pace{pace.epochs, rate}; };
        const auto named = [&](const char* name) { return fmt::format("{}-{}", name, rate); };
        if (!tried("30 units, plain", rate,
                   school.plain(named("small-plain"), small, train, at(course.small))) ||
            !tried("30 units, distilled at T = 4", rate,
                   school.distilled(named("small-4"), small, set, at(course.small),
                                    {4, course.weight})))
            return false;
    }
    return true;
}

}  // namespace gradus::lesson20
