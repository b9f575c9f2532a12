// How lesson 05 trains a window model: the same loop for the generated source and for names.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "data/batches.h"
#include "lessons/common.h"
#include "lessons/training.h"
#include "models/window_lm.h"
#include "nn/loss.h"
#include "nn/schedule.h"

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

// All that a step's number needs to decide its batch and rate; and, in words, what else decides what
// the training comes to.
struct Course {
    int64_t batch, steps;
    uint64_t seed;
    double peak;
    std::string words{};
};

// Trains to the end of the course or to Ctrl-C; true where it came to the end.
inline bool fit(const std::string& label, models::WindowLM& model, lesson::History& history,
                const Course& course, const data::Batch& train, const data::Batch& test,
                const lesson::Checkpoint& checkpoint = {}, const data::Vocab* vocab = nullptr) {
    data::Batches batches(train.x, train.y, course.batch, {.seed = course.seed});
    lesson::Task task{.model = model,
                      .loss =
                          [&](int64_t step) {
                              const auto [x, y] = batches.at(step);  // [B, n], [B]
                              return nn::cross_entropy(model(x), y);
                          },
                      .test = [&] { return nats_per_token(model, test); },
                      .tokens = static_cast<double>(course.batch)};
    if (vocab) task.vocabularies["vocabulary"] = vocab;
    const nn::WarmupCosine rate{
        .peak = course.peak, .warmup = course.steps / 20, .total = course.steps};
    return lesson::train(label, task,
                         {.steps = course.steps, .rate = rate, .clip = 0, .course = course.words},
                         checkpoint, history);
}

}  // namespace gradus::lesson05
