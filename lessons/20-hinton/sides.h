// The side experiments: what a student learns of digits that it was never shown.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "lessons/20-hinton/pictures.h"

namespace gradus::lesson20 {

// A number to be added to the logits [N, C] of some classes, so that `share` of the rows have their largest
// logit in one of these.
inline double bias_correction(const Tensor& logits, const std::vector<int>& classes, double share) {
    const int64_t N = logits.size(0), C = logits.size(1);
    Values missing;  // how far the best of the classes is below the best of the others
    for (int64_t i = 0; i < N; ++i) {
        double best[2] = {-std::numeric_limits<double>::infinity(),
                          -std::numeric_limits<double>::infinity()};
        for (int64_t c = 0; c < C; ++c) {
            const bool listed = std::find(classes.begin(), classes.end(), c) != classes.end();
            best[listed] = std::max(best[listed], logits.at(i * C + c));
        }
        missing.push_back(best[0] - best[1]);
    }
    std::sort(missing.begin(), missing.end());
    const auto count = static_cast<size_t>(share * static_cast<double>(N));
    check(count >= 1 && count < missing.size(), "bias correction",
          "a share of {} of {} rows; some but not all expected", share, N);
    return (missing[count - 1] + missing[count]) / 2;
}

inline Tensor corrected(const Tensor& logits, const std::vector<int>& classes, double bias) {
    Tensor moved = logits.clone();
    const int64_t C = logits.size(1);
    for (int64_t i = 0; i < logits.size(0); ++i)
        for (const int c : classes) moved.set(i * C + c, moved.at(i * C + c) + bias);
    return moved;
}

// The share of the test pictures of a class that are read as it.
inline double read_right(const Tensor& logits, const Tensor& labels, int of_class) {
    const Tensor guess = argmax(logits);
    double right = 0, all = 0;
    for (int64_t i = 0; i < labels.size(); ++i) {
        if (labels.at(i) != of_class) continue;
        ++all;
        right += guess.at(i) == of_class;
    }
    return right / all;
}

// The bias by which a student's classes get the share that they have among all training pictures, found on
// the first 5,000 of these, of which no label is looked at.
inline double found_bias(Trained& student, const data::Images& train,
                         const std::vector<int>& classes) {
    const double share =
        static_cast<double>(only(train, classes).size()) / static_cast<double>(train.size());
    const data::Images some = data::slice(train, 0, std::min<int64_t>(5000, train.size()));
    return bias_correction(nn::teacher_logits(student.model, some.pixels), classes, share);
}

// A student whose transfer set lacks some digits. False where Ctrl-C came first.
inline bool leave_out(lesson::Results& results, Class& school, models::MLP& teacher, bool judged) {
    const Pictures& pictures = school.pictures();
    const Course& course = school.course();
    const auto n = static_cast<double>(pictures.test.size());
    const auto show = [&](const std::string& what, Trained& student,
                          const std::vector<int>& classes, bool mark) {
        const double bias = found_bias(student, pictures.train, classes);
        const Tensor after = corrected(student.logits, classes, bias);
        results.section(fmt::format("B. {}, {}", pictures.name, what));
        results.add("errors", static_cast<double>(student.wrong));
        results.add("bias that is added", bias);
        results.add("errors, corrected", static_cast<double>(errors(after, pictures.test.labels)));
        results.add("share right, corrected",
                    1 - static_cast<double>(errors(after, pictures.test.labels)) / n, "%");
        if (classes.size() > 1) return;
        results.add("threes read as such",
                    read_right(student.logits, pictures.test.labels, classes[0]), "%");
        const double threes = read_right(after, pictures.test.labels, classes[0]);
        if (mark)
            results.add("threes read as such, corrected", threes, "%", at_least(0.95));
        else
            results.add("threes read as such, corrected", threes, "%");
    };
    const auto learn = [&](const std::string& name, const data::Images& set, double share) {
        return school.distilled(name, school.sizes(course.student_hidden),
                                {set.pixels, {nn::teacher_logits(teacher, set.pixels)}},
                                course.distilled, {course.temperature, 1, share});
    };
    const auto no_threes = learn("no-threes", only(pictures.train, {3}, true), 0.9);
    if (!no_threes) return false;
    show("a transfer set without 3", *no_threes, {3}, judged);

    const auto sevens = learn("sevens-and-eights", only(pictures.train, {7, 8}), 0.4);
    if (!sevens) return false;
    show("a transfer set of 7 and 8 alone", *sevens, {7, 8}, false);
    return true;
}

// Two layers of 30 units, over temperatures. False where Ctrl-C came first.
inline bool small_students(lesson::Results& results, Report& report, Class& school,
                           const Tensor& v) {
    const Pictures& pictures = school.pictures();
    const Course& course = school.course();
    const auto sizes = school.sizes(30);
    const auto plain = school.plain("small-plain", sizes, pictures.train, course.small);
    if (!plain) return false;
    results.section(fmt::format("B. {}, test errors of two layers of 30 units", pictures.name));
    results.add("plain", static_cast<double>(plain->wrong));
    Values temperatures, wrong;
    for (const double T : {1.0, 2.5, 4.0, 8.0, 20.0}) {
        const auto student = school.distilled(fmt::format("small-{}", T), sizes,
                                              {pictures.train.pixels, {v}, pictures.train.labels},
                                              course.small, {T, course.weight});
        if (!student) return false;
        temperatures.push_back(T);
        wrong.push_back(static_cast<double>(student->wrong));
        results.add(fmt::format("distilled, T = {}", T), wrong.back());
    }
    report::Plot plot("Two layers of 30 units", "temperature", "test errors");
    report.figure(plot.path("distilled", temperatures, wrong)
                      .hline("plain", static_cast<double>(plain->wrong))
                      .log_x(),
                  "A student that is much too small for its teacher.", "small");
    return true;
}

}  // namespace gradus::lesson20
