// How lesson 05 trains a window model: the same loop for the generated source and for names.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "data/batches.h"
#include "lessons/common.h"
#include "models/window_lm.h"
#include "nn/checkpoint.h"
#include "nn/loss.h"
#include "nn/schedule.h"
#include "report/progress.h"

namespace gradus::lesson05 {

using Values = std::vector<double>;

// The mean of -ln p over the rows, in evaluation mode.
inline double nats_per_token(models::WindowLM& model, const data::Batch& rows) {
    constexpr int64_t kAtOnce = 4096;
    model.eval();
    double nats = 0;
    for (int64_t begin = 0; begin < rows.y.size(); begin += kAtOnce) {
        const int64_t n = std::min(kAtOnce, rows.y.size() - begin), width = rows.x.size(1);
        const Tensor x = rows.x.view({n, width}, begin * width), y = rows.y.view({n}, begin);
        nats += nn::cross_entropy(model(x), y).item() * static_cast<double>(n);
    }
    model.train();
    return nats / static_cast<double>(rows.y.size());
}

// The course of a training. It is kept in the checkpoint, so that the report of a resumed run tells
// the whole story.
struct History {
    Values losses;                   // of each step's batch
    Values test_steps, test_losses;  // before the first step, then after each tenth of the course
    double seconds = 0;

    void write(nn::Metadata& notes) const {
        notes["losses"] = fmt::format("{}", fmt::join(losses, " "));
        notes["test steps"] = fmt::format("{}", fmt::join(test_steps, " "));
        notes["test losses"] = fmt::format("{}", fmt::join(test_losses, " "));
        notes["seconds"] = fmt::format("{}", seconds);
    }
    void read(const nn::Metadata& notes) {
        const auto numbers = [&](const char* name) {
            Values values;
            char* next = nullptr;
            for (const char* at = notes.at(name).c_str(); *at != 0; at = next) {
                values.push_back(std::strtod(at, &next));
                check(next != at, "resume", "\"{}\" in the checkpoint is no list of numbers", name);
            }
            return values;
        };
        losses = numbers("losses");
        test_steps = numbers("test steps");
        test_losses = numbers("test losses");
        seconds = numbers("seconds").at(0);
    }
};

// All that a step's number needs to decide its batch and rate.
struct Course {
    int64_t batch, steps;
    uint64_t seed;
    double peak;

    nn::WarmupCosine rate() const { return {.peak = peak, .warmup = steps / 20, .total = steps}; }
};

using Save = std::function<void()>;
constexpr double kSaveEvery = 20;  // seconds

// Trains to the end of the course or to Ctrl-C; true where it came to the end. `save`, where there is
// one, is called at the start, every 20 seconds and at the end: a run that is killed loses no more.
inline bool fit(const std::string& label, models::WindowLM& model, nn::Training& training,
                History& history, const Course& course, const data::Batch& train,
                const data::Batch& test, const Save& save = {}) {
    data::Batches batches(train.x, train.y, course.batch, {.seed = course.seed});
    const auto rate = course.rate();
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto began = now();
    auto saved = began;
    const double before = history.seconds;
    const auto evaluate = [&] {
        history.test_steps.push_back(static_cast<double>(training.step));
        history.test_losses.push_back(nats_per_token(model, test));
    };
    const auto keep = [&] {
        if (save) save();
        saved = now();
    };
    report::ProgressOptions from;
    from.start = training.step;
    report::Progress bar(label, course.steps, from);
    if (history.test_losses.empty()) evaluate();
    keep();

    while (training.step < course.steps && !lesson::interrupted()) {
        const auto [x, y] = batches.at(training.step);  // [B, n], [B]
        training.optimizer.zero_grad();
        {
            Tape tape;
            const Tensor loss = nn::cross_entropy(model(x), y);
            tape.backward(loss);
            history.losses.push_back(loss.item());
        }
        training.optimizer.set_lr(rate(training.step));
        training.optimizer.step();
        ++training.step;

        if (training.step * 10 / course.steps != (training.step - 1) * 10 / course.steps)
            evaluate();
        const std::chrono::duration<double> taken = now() - began, unsaved = now() - saved;
        history.seconds = before + taken.count();
        if (unsaved.count() >= kSaveEvery) keep();
        const auto seen = static_cast<double>((training.step - from.start) * course.batch);
        bar.update(training.step, {{"loss", history.losses.back()},
                                   {"test", history.test_losses.back()},
                                   {"tokens/s", seen / taken.count()}});
    }
    bar.finish();
    keep();
    return training.step == course.steps;
}

}  // namespace gradus::lesson05
