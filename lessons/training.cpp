#include "lessons/training.h"

#include <fmt/ranges.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "autograd/tape.h"
#include "lessons/common.h"
#include "nn/checkpoint.h"
#include "report/progress.h"

namespace gradus::lesson {
namespace {

namespace fs = std::filesystem;
using Values = std::vector<double>;

Values numbers(const nn::Metadata& notes, const char* name) {
    Values values;
    char* next = nullptr;
    for (const char* at = notes.at(name).c_str(); *at != 0; at = next) {
        values.push_back(std::strtod(at, &next));
        check(next != at, "resume", "\"{}\" in the checkpoint is no list of numbers", name);
    }
    return values;
}

void write(const History& history, nn::Metadata& notes) {
    notes["losses"] = fmt::format("{}", fmt::join(history.losses, " "));
    notes["norms"] = fmt::format("{}", fmt::join(history.norms, " "));
    notes["test steps"] = fmt::format("{}", fmt::join(history.test_steps, " "));
    notes["test losses"] = fmt::format("{}", fmt::join(history.test_losses, " "));
    notes["seconds"] = fmt::format("{}", history.seconds);
}

History read_history(const nn::Metadata& notes) {
    return {numbers(notes, "losses"), numbers(notes, "norms"), numbers(notes, "test steps"),
            numbers(notes, "test losses"), numbers(notes, "seconds").at(0)};
}

// Loads what goes on, after a look at whether it fits.
History resume(const fs::path& file, const Task& task, const std::string& course,
               nn::Training& training) {
    const auto notes = nn::with_prefix_removed(nn::load_safetensors(file).metadata, "note/");
    bool whole = notes.contains("course");
    for (const auto& [name, vocab] : task.vocabularies) whole = whole && notes.contains(name);
    check(whole, "resume", "{} is no checkpoint of such a training", file.string());
    for (const auto& [name, vocab] : task.vocabularies)
        vocab->check_same(file.string(), data::Vocab::parse(notes.at(name)));
    check(notes.at("course") == course, "resume",
          "{} holds a run with\n  {}\nbut this one is to have\n  {}\nGive it the same options and "
          "data, or begin anew without --resume",
          file.string(), notes.at("course"), course);
    nn::load_checkpoint(file, training);
    return read_history(notes);
}

}  // namespace

bool train(const std::string& label, const Task& task, const TrainingOptions& options,
           const Checkpoint& checkpoint, History& history) {
    nn::AdamW optimizer(task.model.parameters(),
                        {.beta2 = options.beta2, .weight_decay = options.weight_decay});
    nn::Training training{task.model, optimizer};
    training.tensors = task.carried;
    training.generators = task.generators;
    history = {};
    if (checkpoint.resume) history = resume(checkpoint.file, task, options.course, training);

    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto seconds_since = [&](auto then) {
        return std::chrono::duration<double>(now() - then).count();
    };
    const auto began = now();
    auto saved = began;
    const double before = history.seconds;
    const auto save = [&] {
        history.seconds = before + seconds_since(began);
        saved = now();
        if (checkpoint.file.empty()) return;
        training.notes = {{"course", options.course}};
        for (const auto& [name, vocab] : task.vocabularies)
            training.notes[name] = vocab->to_string();
        write(history, training.notes);
        nn::save_checkpoint(checkpoint.file, training);
    };
    const auto test = [&] {
        task.model.eval();
        history.test_steps.push_back(static_cast<double>(training.step));
        history.test_losses.push_back(task.test());
        task.model.train();
    };
    report::ProgressOptions from;
    from.start = training.step;
    report::Progress bar(label, options.steps, from);
    if (history.test_losses.empty()) {
        if (checkpoint.file.has_parent_path())
            fs::create_directories(checkpoint.file.parent_path());  // as reports do
        test();
        save();
    }

    task.model.train();
    while (training.step < options.steps && !interrupted()) {
        optimizer.zero_grad();
        {
            Tape tape;
            const Tensor loss = task.loss(training.step);
            history.losses.push_back(loss.item());
            check(std::isfinite(history.losses.back()), label,
                  "the loss is {} at step {}: the training has diverged. A lower rate or a shorter "
                  "clip than {} and {} may help",
                  history.losses.back(), training.step, options.rate(training.step), options.clip);
            tape.backward(loss);
        }
        history.norms.push_back(
            optimizer.clip_grad_norm(options.clip > 0 ? options.clip : INFINITY));
        optimizer.set_lr(options.rate(training.step));
        optimizer.step();
        ++training.step;

        const int64_t tested = training.step * options.tests / options.steps;
        if (tested != (training.step - 1) * options.tests / options.steps) test();
        if (seconds_since(saved) >= options.save_every) save();
        const double tokens = static_cast<double>(training.step - from.start) * task.tokens;
        bar.update(training.step, {{"loss", history.losses.back()},
                                   {"test", history.test_losses.back()},
                                   {"tokens/s", tokens / seconds_since(began)}});
    }
    bar.finish();
    if (training.step > from.start) save();
    task.model.eval();
    return training.step == options.steps;
}

bool holds(const fs::path& file, const std::string& course) {
    if (!fs::exists(file)) return false;
    const auto notes = nn::with_prefix_removed(nn::load_safetensors(file).metadata, "note/");
    const auto found = notes.find("course");
    return found != notes.end() && found->second == course;
}

std::vector<double> learn(const std::string& label, const nn::Module& model, int64_t steps,
                          const nn::Schedule& rate, const std::function<Tensor(int64_t step)>& loss,
                          double beta2) {
    nn::Adam optimizer(model.parameters(), {.beta2 = beta2});
    Values losses;
    report::Progress bar(label, steps);
    for (int64_t step = 0; step < steps && !interrupted(); ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor now = loss(step);
        losses.push_back(now.item());
        tape.backward(now);
        optimizer.clip_grad_norm(1);
        optimizer.set_lr(rate(step));
        optimizer.step();
        bar.update(step + 1, {{"loss", losses.back()}});
    }
    bar.finish();
    return losses;
}

// Fowler, Noll and Vo's FNV-1a, 64 bits.
uint64_t fingerprint(const Tensor& ids) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const int32_t id : ids.values<int32_t>())
        hash = (hash ^ static_cast<uint32_t>(id)) * 0x100000001b3;
    return hash;
}

fs::path beside(const fs::path& file, const std::string& name) {
    fs::path path = file;
    return path.replace_filename(file.stem().string() + "-" + name + file.extension().string());
}

}  // namespace gradus::lesson
