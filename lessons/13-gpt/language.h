// Stage B: language models on one stream of ids, and what they come to.
// B batch · T time
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "data/sequences.h"
#include "lessons/13-gpt/heads.h"
#include "lessons/language_model.h"
#include "nn/loss.h"

namespace gradus::lesson13 {

// A model with the course of its training.
template <class Model>
struct Trained {
    std::string name;
    Model model;
    lesson::History history{};
    double ids_read = 0;
    double nats = NAN;  // an id of the test text

    template <class Options>
    Trained(std::string its_name, const Options& options)
        : name(std::move(its_name)), model(options) {}
    double parameters() const { return static_cast<double>(model.parameter_count()); }
};
using TrainedGPT = Trained<models::GPT>;
using TrainedRNN = Trained<models::RnnLM>;

// How a GPT is taught.
struct Course {
    int64_t batch = 12, steps = 2000;
    double rate = 6e-3, warm_up = 0.05;
    double weight_decay = 0.1, clip = 1;
    uint64_t seed = 1;
};

// Of `vocabularies` see lesson::Task. False where Ctrl-C came first.
inline bool train_gpt(TrainedGPT& trained, const Tensor& train, const Tensor& test,
                      const Course& course, const lesson::Checkpoint& checkpoint,
                      const std::map<std::string, const data::Vocab*>& vocabularies) {
    const models::GPTOptions& o = trained.model.options();
    const data::RandomWindows windows(train, course.batch, o.context, course.seed);
    const Tensor tested = test.view({std::min<int64_t>(10'000, test.size())});
    const lesson::Task task{.model = trained.model,
                            .loss =
                                [&](int64_t step) {
                                    const auto [x, y] = windows.at(step);  // [B, T]
                                    return nn::cross_entropy(trained.model(x), y);
                                },
                            .test = [&] { return models::nats_per_token(trained.model, tested); },
                            .tokens = static_cast<double>(course.batch * o.context),
                            .vocabularies = vocabularies};
    const lesson::TrainingOptions options{
        .steps = course.steps,
        .rate = nn::WarmupCosine{.peak = course.rate,
                                 .warmup = std::llround(course.warm_up *
                                                        static_cast<double>(course.steps)),
                                 .total = course.steps},
        .weight_decay = course.weight_decay,
        .clip = course.clip,
        .course = fmt::format(
            "GPT {} x {}, {} heads, {} positions, dropout {}; seed {}; text {:016x}, {} steps of "
            "{}; rate {}, warm-up {}, weight decay {}, clip {}; tests on {:016x}, {} ids",
            o.layers, o.dim, o.heads, o.context, o.dropout, course.seed, lesson::fingerprint(train),
            course.steps, course.batch, course.rate, course.warm_up, course.weight_decay,
            course.clip, lesson::fingerprint(test), tested.size())};
    if (!lesson::train(trained.name, task, options, checkpoint, trained.history)) return false;
    trained.ids_read = task.tokens * static_cast<double>(course.steps);
    trained.nats = models::nats_per_token(trained.model, test);
    return true;
}

// A network of lesson 07 or 08, as it was trained there, but for so many steps.
inline bool train_rnn(TrainedRNN& trained, const lesson::Corpus& corpus, int64_t steps,
                      lesson::LmTrainingOptions options, const lesson::Checkpoint& checkpoint) {
    const data::StreamBatches batches(corpus.train, options.batch, options.time);
    options.epochs = static_cast<double>(steps) / static_cast<double>(batches.per_epoch());
    options.test_ids = 10'000;
    if (!lesson::train_language_model(trained.name, trained.model, corpus, options, checkpoint,
                                      trained.history))
        return false;
    trained.ids_read = static_cast<double>(steps * options.batch * options.time);
    trained.nats = models::nats_per_token(trained.model, corpus.test, 32);
    return true;
}

// nats an id of a text -> bits a byte; the first id is given, so its bytes do not count.
inline double bits_per_byte(double nats, int64_t ids, size_t bytes) {
    return nats / std::log(2) * static_cast<double>(ids - 1) / static_cast<double>(bytes);
}

// The documents' texts in a row.
inline std::string joined(const std::vector<data::Document>& documents) {
    std::string all;
    for (const data::Document& document : documents) all += document.text;
    return all;
}

}  // namespace gradus::lesson13
