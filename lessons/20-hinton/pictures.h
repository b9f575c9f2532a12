// Stage B: pictures, and the networks that learn them, from labels or from a teacher.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/batches.h"
#include "data/images.h"
#include "data/jitter.h"
#include "data/sources/procedural_digits.h"
#include "lessons/20-hinton/proof.h"
#include "lessons/training.h"
#include "models/mlp.h"
#include "nn/distill.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::lesson20 {

// How long a network learns, and how fast at most.
struct Pace {
    int epochs;
    double rate;
};

// All that decides a run but the seed and the data. The students' rates are the best of those that --choose
// tries, each for its own row.
struct Course {
    int64_t teacher_hidden = 1200, student_hidden = 800;
    int64_t teachers = 2;  // in the ensemble
    int64_t copies = 4;    // of each picture, where they are moved
    double dropout = 0.2, max_norm = 2, temperature = 20, weight = 0.9, smoothing = 0.1;
    int64_t batch = 256;
    Pace teacher{10, 2e-3}, plain{6, 2e-3}, smoothed{6, 4e-3}, distilled{6, 8e-3};
    Pace small{10, 3.2e-2};  // of 30 units; of logistic regression, too
};
inline const Course kDefault;
inline const Course kFull{
    .teacher = {24, 2e-3}, .plain = {16, 2e-3}, .smoothed = {16, 4e-3}, .distilled = {16, 8e-3}};
inline const Course kQuick{.teacher_hidden = 96,
                           .student_hidden = 48,
                           .batch = 128,
                           .teacher = {6, 2e-3},
                           .small = {4, 3.2e-2}};

struct Pictures {
    std::string name;
    data::Images train, test;
};

inline Pictures load(const lesson::Options& options) {
    Pictures pictures;
    const std::string name = options.data.empty() ? "mnist" : options.data;
    if (name == "generated") {
        const int64_t train = options.quick ? 3000 : 12000, test = options.quick ? 1000 : 4000;
        const data::Images all = data::procedural_digits(train + test, {.seed = options.seed});
        return {name, data::slice(all, 0, train), data::slice(all, train, train + test)};
    }
    const std::filesystem::path path = lesson::data_path(name);
    auto [train, test] = data::load_images(path);
    if (options.quick) {
        train = data::slice(train, 0, std::min<int64_t>(3000, train.size()));
        test = data::slice(test, 0, std::min<int64_t>(1000, test.size()));
    }
    return {(path.has_filename() ? path : path.parent_path()).filename().string(), train, test};
}

// Training pictures alone: the last sixth takes the place of the test pictures.
inline Pictures set_aside(const Pictures& pictures) {
    const int64_t N = pictures.train.size(), kept = N - N / 6;
    return {pictures.name, data::slice(pictures.train, 0, kept),
            data::slice(pictures.train, kept, N)};
}

// The pictures whose label is one of `labels` (or, with `others`, none of them).
inline data::Images only(const data::Images& images, const std::vector<int>& labels,
                         bool others = false) {
    std::vector<int32_t> rows;
    for (int64_t i = 0; i < images.size(); ++i) {
        const bool listed = std::find(labels.begin(), labels.end(),
                                      static_cast<int>(images.labels.at(i))) != labels.end();
        if (listed != others) rows.push_back(static_cast<int32_t>(i));
    }
    check(!rows.empty(), "lesson 20", "no pictures are left of {}", images.size());
    data::Images chosen = images;
    const auto count = static_cast<int64_t>(rows.size());
    chosen.pixels = data::take_rows(images.pixels, rows.data(), count);
    chosen.labels = data::take_rows(images.labels, rows.data(), count);
    return chosen;
}

// In pixels: two of a small picture are too many.
inline int farthest_move(const data::Images& images) { return images.height >= 20 ? 2 : 0; }

// So many copies of pictures, each moved by up to two pixels.
inline data::Images moved(const data::Images& images, int64_t copies, uint64_t seed) {
    std::vector<Tensor> pixels;
    std::vector<int32_t> labels;
    const auto own = images.labels.values<int32_t>();
    for (int64_t copy = 0; copy < copies; ++copy) {
        Rng rng(seed, copy);
        pixels.push_back(
            data::jittered(images.pixels, images.height, images.width, farthest_move(images), rng));
        labels.insert(labels.end(), own.begin(), own.end());
    }
    data::Images all = images;
    all.pixels = concat(pixels);
    all.labels = Tensor::from(labels);
    return all;
}

inline int64_t errors(const Tensor& logits, const Tensor& labels) {
    const Tensor guess = argmax(logits);
    int64_t wrong = 0;
    for (int64_t i = 0; i < labels.size(); ++i) wrong += guess.at(i) != labels.at(i);
    return wrong;
}

// A network with the course of its training.
struct Trained {
    std::string name;
    std::vector<int64_t> sizes;
    models::MLP model;
    std::string course{};
    lesson::History history{};
    Tensor logits{};  // of the test set, once it is trained
    int64_t wrong = 0;

    Trained(std::string its_name, const std::vector<int64_t>& its_sizes,
            const models::MlpOptions& options = {})
        : name(std::move(its_name)), sizes(its_sizes), model(its_sizes, options) {}
    double parameters() const { return static_cast<double>(model.parameter_count()); }
};

// Trains networks one after the other, each with a checkpoint of its own beside the lesson's.
class Class {
public:
    Class(const Pictures& pictures, const Course& course, const lesson::Options& options)
        : pictures_(pictures),
          course_(course),
          options_(options),
          file_(checkpoint_of(options)),
          data_(fmt::format("{} pictures of {} ({:016x}), seed {}", pictures.train.size(),
                            pictures.name, lesson::fingerprint(pictures.train.labels),
                            options.seed)) {}

    const Course& course() const { return course_; }
    const Pictures& pictures() const { return pictures_; }
    int epochs(int own) const { return options_.epochs_or(own, own); }

    // One of the ensemble, on pictures that are jittered each time anew; its first is the teacher.
    // Null where Ctrl-C came first, as below.
    std::unique_ptr<Trained> teacher(int64_t member, const Pace& pace) {
        const auto& train = pictures_.train;
        nn::manual_seed(options_.seed + 100 * static_cast<uint64_t>(member));
        auto net = std::make_unique<Trained>(
            member == 0 ? "teacher" : fmt::format("teacher-{}", member + 1),
            sizes(course_.teacher_hidden),
            models::MlpOptions{.dropout = course_.dropout, .max_norm = course_.max_norm});
        const uint64_t seed = options_.seed + 1000 * static_cast<uint64_t>(member + 1);
        data::Batches batches(train.pixels, train.labels, course_.batch, {.seed = seed});
        const int most = farthest_move(train);
        models::MLP& model = net->model;
        const auto loss = [&](int64_t step) {
            model.limit_norms();  // of the step before
            const auto [x, y] = batches.at(step);
            Rng rng(seed, step);
            return nn::cross_entropy(model(data::jittered(x, train.height, train.width, most, rng)),
                                     y);
        };
        const bool whole = fit(*net, loss, batches.per_epoch() * epochs(pace.epochs), pace.rate,
                               fmt::format("member {}, dropout {}, norms up to {}, jitter {}",
                                           member, course_.dropout, course_.max_norm, most));
        model.limit_norms();
        return finished(std::move(net), whole);
    }

    // A plain network that learns from labels alone. A pass is one over as many pictures as are in the
    // training set, whatever it learns from.
    std::unique_ptr<Trained> plain(const std::string& name, const std::vector<int64_t>& its_sizes,
                                   const data::Images& images, const Pace& pace,
                                   double smoothing = 0) {
        auto net = fresh(name, its_sizes);
        data::Batches batches(images.pixels, images.labels, course_.batch, {.seed = options_.seed});
        const auto loss = [&](int64_t step) {
            const auto [x, y] = batches.at(step);
            return nn::cross_entropy(net->model(x), y, {.label_smoothing = smoothing});
        };
        const bool whole =
            fit(*net, loss, steps(pace), pace.rate,
                fmt::format("labels of {} pictures, smoothing {}", images.size(), smoothing));
        return finished(std::move(net), whole);
    }

    // A plain network that learns from teachers, on a transfer set.
    struct Lessons {
        double temperature, weight;
        double share = 1;  // of the steps that the others take
    };
    std::unique_ptr<Trained> distilled(const std::string& name,
                                       const std::vector<int64_t>& its_sizes,
                                       const nn::TransferSet& set, const Pace& pace,
                                       const Lessons& lessons) {
        auto net = fresh(name, its_sizes);
        nn::Distiller distiller(net->model, set,
                                {.temperature = lessons.temperature,
                                 .weight = nn::Constant{lessons.weight},
                                 .batch = std::min(course_.batch, set.inputs.size(0)),
                                 .seed = options_.seed});
        const auto count = static_cast<int64_t>(lessons.share * static_cast<double>(steps(pace)));
        const bool whole = fit(
            *net, [&](int64_t step) { return distiller.loss(step); }, count, pace.rate,
            fmt::format("{} rows from {} teachers at T = {}, weight {}{}; {} epochs of theirs",
                        set.inputs.size(0), set.teachers.size(), lessons.temperature,
                        lessons.weight, set.labels.defined() ? "" : ", no labels",
                        epochs(course_.teacher.epochs)));
        return finished(std::move(net), whole);
    }

    std::vector<int64_t> sizes(int64_t hidden) const {
        return {pictures_.train.pixels.size(1), hidden, hidden, pictures_.train.classes};
    }
    const std::filesystem::path& file() const { return file_; }
    uint64_t seed() const { return options_.seed; }

private:
    int64_t steps(const Pace& pace) const {
        return pictures_.train.size() / course_.batch * epochs(pace.epochs);
    }

    std::unique_ptr<Trained> fresh(const std::string& name,
                                   const std::vector<int64_t>& its_sizes) const {
        nn::manual_seed(options_.seed);
        return std::make_unique<Trained>(name, its_sizes);
    }

    bool fit(Trained& net, const std::function<Tensor(int64_t)>& loss, int64_t steps, double rate,
             const std::string& how) {
        const data::Images some =
            data::slice(pictures_.test, 0, std::min<int64_t>(1000, pictures_.test.size()));
        const auto test = [&] {
            return nn::cross_entropy(net.model(some.pixels), some.labels).item();
        };
        net.course = fmt::format("{}; {}, {}, {} steps of {}, rate {}", data_,
                                 fmt::join(net.sizes, "-"), how, steps, course_.batch, rate);
        // The teacher's is the lesson's own, with which a run is resumed.
        const auto its_file = net.name == "teacher" ? file_ : lesson::beside(file_, net.name);
        const bool resumed = !options_.resume.empty() && std::filesystem::exists(its_file);
        return lesson::train(
            net.name,
            {.model = net.model,
             .loss = loss,
             .test = test,
             .tokens = static_cast<double>(course_.batch)},
            {.steps = steps,
             .rate = nn::WarmupCosine{.peak = rate, .warmup = steps / 20, .total = steps},
             .clip = 0,
             .tests = 4,
             .course = net.course},
            {its_file, resumed}, net.history);
    }

    std::unique_ptr<Trained> finished(std::unique_ptr<Trained> net, bool whole) const {
        if (!whole) return nullptr;
        net->logits = nn::teacher_logits(net->model, pictures_.test.pixels);
        net->wrong = errors(net->logits, pictures_.test.labels);
        return net;
    }

    const Pictures& pictures_;
    const Course& course_;
    const lesson::Options& options_;
    std::filesystem::path file_;
    std::string data_;
};

}  // namespace gradus::lesson20
