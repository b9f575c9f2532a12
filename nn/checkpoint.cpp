#include "nn/checkpoint.h"

#include <charconv>

#include "nn/init.h"

namespace gradus::nn {
namespace {

constexpr std::string_view kOptimizer = "optimizer/", kCarried = "carried/";
constexpr std::string_view kGenerator = "generator/", kNote = "note/";
constexpr const char* kStep = "step";

std::map<std::string, Rng*> all_generators(const Training& training) {
    std::map<std::string, Rng*> all{{"nn", &generator()}};
    for (const auto& [name, rng] : training.generators) all.emplace("given/" + name, rng);
    for (const auto& [name, rng] : training.model.named_generators())
        all.emplace("model/" + name, rng);
    return all;
}

StateDict carried_tensors(const Training& training) {
    StateDict carried;
    for (const auto& [name, tensor] : training.tensors) {
        check(tensor->defined(), "checkpoint",
              "the tensor \"{}\" is undefined; zeros expected where nothing is carried on yet",
              name);
        carried.emplace(name, *tensor);
    }
    return carried;
}

StateDict all_tensors(const Training& training) {
    StateDict all = with_prefix_added(training.optimizer.state_dict(), kOptimizer);
    all.merge(with_prefix_added(carried_tensors(training), kCarried));
    all.merge(training.model.state_dict());
    return all;
}

uint64_t number(const std::string& file, const std::string& name, const std::string& text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    check(error == std::errc{} && end == text.data() + text.size(), file,
          "{} is \"{}\"; a whole number expected", name, text);
    return value;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const Training& training) {
    Metadata metadata = with_prefix_added(training.notes, kNote);
    metadata[kStep] = std::to_string(training.step);
    for (const auto& [name, rng] : all_generators(training))
        metadata[fmt::format("{}{}", kGenerator, name)] = std::to_string(rng->state());
    save_safetensors(path, all_tensors(training), metadata);
}

void load_checkpoint(const std::filesystem::path& path, Training& training) {
    const std::string file = path.string();
    const TensorFile saved = load_safetensors(path);
    check(saved.metadata.contains(kStep), file,
          "is no checkpoint of a training: its metadata has no step. Are these weights alone? Load "
          "them with load_safetensors and load_state_dict");
    const uint64_t step = number(file, kStep, saved.metadata.at(kStep));

    // First check everything, then change anything.
    std::string difference = differences(all_tensors(training), saved.tensors);
    std::map<std::string, uint64_t> states;
    for (const auto& [name, text] : with_prefix_removed(saved.metadata, kGenerator))
        states[name] = number(file, name, text);
    const auto generators = all_generators(training);
    for (const auto& [name, rng] : generators)
        if (!states.contains(name)) difference += "\n    missing:    generator " + name;
    for (const auto& [name, state] : states)
        if (!generators.contains(name)) difference += "\n    unexpected: generator " + name;
    check(difference.empty(), file,
          "is a checkpoint of another training, and nothing was changed. Against this one:{}",
          difference);

    StateDict weights = saved.tensors;
    std::erase_if(weights, [](const auto& entry) {
        return entry.first.starts_with(kOptimizer) || entry.first.starts_with(kCarried);
    });
    training.model.load_state_dict(weights);
    training.optimizer.load_state_dict(with_prefix_removed(saved.tensors, kOptimizer));
    for (const auto& [name, tensor] : with_prefix_removed(saved.tensors, kCarried))
        *training.tensors.at(name) = tensor;
    for (const auto& [name, rng] : generators) rng->set_state(states.at(name));
    training.step = static_cast<int64_t>(step);
    training.notes = with_prefix_removed(saved.metadata, kNote);
}

}  // namespace gradus::nn
