// The loop that trains a lesson's model: progress, tests on the way, and checkpoints that lose nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "autograd/tensor.h"
#include "data/text/vocab.h"
#include "nn/module.h"
#include "nn/schedule.h"

namespace gradus::lesson {

// What is learned, and from what.
struct Task {
    nn::Module& model;
    std::function<Tensor(int64_t step)> loss;  // of a step's batch; called under a tape
    std::function<double()> test;              // the loss on test data; the model is not training
    double tokens = 0;                         // in a step, on average: for the speed that is shown
    std::map<std::string, Tensor*> carried{};  // what a step hands to the next, and generators:
    std::map<std::string, Rng*> generators{};  // as in nn::Training
    // Kept in the checkpoint by their names; one with other tokens is refused.
    std::map<std::string, const data::Vocab*> vocabularies{};
};

struct TrainingOptions {
    int64_t steps = 0;
    nn::Schedule rate;
    double weight_decay = 0.01;
    double clip = 1;         // longest gradient; 0: any
    double beta2 = 0.999;    // of AdamW
    int tests = 10;          // how often the test loss is measured on the way
    double save_every = 20;  // seconds between checkpoints
    // All that decides what the training comes to, in words: a checkpoint of another course is refused.
    std::string course;
};

// The course of a training. It is kept in the checkpoint, so that a resumed run tells the whole story.
struct History {
    std::vector<double> losses;  // of each step's batch, nats a token
    std::vector<double> norms;   // of each step's gradient, before clipping
    std::vector<double> test_steps, test_losses;
    double seconds = 0;
};

struct Checkpoint {
    std::filesystem::path file;  // empty: nothing is saved
    bool resume = false;         // go on from it
};

// Trains with AdamW to the end, or to Ctrl-C: true where it came to the end. Saves at the start, every
// `save_every` seconds and at the end, so that a run that is killed at any moment can be resumed, and
// ends with the same bits as one that never stopped. Throws Error for a checkpoint of another model or
// training, and where the loss is not finite.
bool train(const std::string& label, const Task& task, const TrainingOptions& options,
           const Checkpoint& checkpoint, History& history);

// Is there a checkpoint of this very course, to go on from or at its end?
bool holds(const std::filesystem::path& file, const std::string& course);

// A short training, as of a proof: steps of Adam on loss(step), gradients clipped to a length of 1,
// nothing tested or saved. The losses, fewer where Ctrl-C came first.
std::vector<double> learn(const std::string& label, const nn::Module& model, int64_t steps,
                          const nn::Schedule& rate, const std::function<Tensor(int64_t step)>& loss,
                          double beta2 = 0.999);

// A number that another text has another of: for TrainingOptions::course.
uint64_t fingerprint(const Tensor& ids);

// 08.safetensors -> 08-rnn.safetensors: where a lesson keeps its second model.
std::filesystem::path beside(const std::filesystem::path& file, const std::string& name);

}  // namespace gradus::lesson
