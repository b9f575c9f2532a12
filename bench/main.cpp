// gradus-bench: times training steps (forward, backward, clipping, AdamW), or writing, of each workload.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "autograd/parallel.h"
#include "autograd/tape.h"
#include "bench/generate.h"
#include "bench/workloads.h"
#include "nn/init.h"
#include "nn/optim.h"
#include "nn/safetensors.h"

using namespace gradus;

namespace {

struct Options {
    std::vector<std::string> names;
    int threads = 2;
    int steps = 20;
    int warmup = 3;
    std::vector<std::string> set;
    std::string dump;
    bool generate = false;
    bool json = false;
};

// "dim=192" for each size that the workload has; others are an error only if no workload has them.
bench::Sizes sizes_of(const bench::Kind& kind, const std::vector<std::string>& settings) {
    bench::Sizes sizes = kind.sizes;
    for (const std::string& setting : settings) {
        const size_t equals = setting.find('=');
        int64_t value = 0;
        const char* end = setting.data() + setting.size();
        const bool number = equals != std::string::npos &&
                            std::from_chars(setting.data() + equals + 1, end, value).ptr == end;
        check(number && value > 0, "--set", "'{}' is not of the form size=number, as in dim=192",
              setting);
        const std::string size = setting.substr(0, equals);
        const auto& all = bench::workloads();
        check(std::any_of(all.begin(), all.end(),
                          [&](const auto& other) { return other.second.sizes.count(size) > 0; }),
              "--set", "no workload has a size '{}'", size);
        if (sizes.count(size)) sizes[size] = value;
    }
    return sizes;
}

// Inputs, weights, loss and gradients of one step, for another engine to compute again.
void dump(const std::string& path, const bench::Workload& work) {
    for (auto [name, parameter] : work.parameters) parameter.zero_grad();
    Tape tape;
    const Tensor loss = work.loss();
    tape.backward(loss);
    nn::StateDict dict{{"loss", loss}};
    for (const auto& [name, tensor] : work.data) dict.emplace("data." + name, tensor);
    for (const auto& [name, parameter] : work.parameters) {
        dict.emplace("weight." + name, parameter);
        // A part that the workload does not use has none.
        if (parameter.grad().defined()) dict.emplace("grad." + name, parameter.grad());
    }
    nn::save_safetensors(path, dict);
}

double peak_mb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

nlohmann::ordered_json measure_generation(const std::string& name, const bench::Workload& work,
                                          const Options& options) {
    const auto times = bench::time_generation(work, options.steps);
    return {{"workload", name},
            {"engine", "gradus"},
            {"threads", options.threads},
            {"ms_per_token", times.token_ms},
            {"tokens_per_s", 1e3 / times.token_ms},
            {"read_ms", times.read_ms},
            {"read_gb_s", times.read_gb_s},
            {"over_reading", times.token_ms / times.read_ms},
            {"peak_rss_mb", peak_mb()}};
}

nlohmann::ordered_json measure_training(const std::string& name, const bench::Workload& work,
                                        const Options& options) {
    std::vector<Tensor> parameters;
    int64_t count = 0;
    for (const auto& [path, parameter] : work.parameters) {
        parameters.push_back(parameter);
        count += parameter.size();
    }
    if (!options.dump.empty()) dump(options.dump, work);
    nn::AdamW optimizer(parameters, {.lr = 1e-4, .weight_decay = 0.01});
    std::vector<double> times;
    double loss_value = 0;
    for (int i = 0; i < options.warmup + options.steps; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        optimizer.zero_grad();
        {
            Tape tape;
            const Tensor loss = work.loss();
            tape.backward(loss);
            loss_value = loss.item();
        }
        if (work.clips) optimizer.clip_grad_norm(1);
        optimizer.step();
        const std::chrono::duration<double, std::milli> time =
            std::chrono::steady_clock::now() - begin;
        if (i >= options.warmup) times.push_back(time.count());
    }
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    return {{"workload", name},
            {"engine", "gradus"},
            {"threads", options.threads},
            {"ms_per_step", median},
            {"min_ms", times.front()},
            {"tokens_per_s", static_cast<double>(work.tokens) / median * 1e3},
            {"params", count},
            {"loss", loss_value},
            {"peak_rss_mb", peak_mb()}};
}

nlohmann::ordered_json measure(const std::string& name, const Options& options) {
    nn::manual_seed(0);
    const bench::Kind& kind = bench::workloads().at(name);
    const bench::Workload work = kind.build(sizes_of(kind, options.set));
    return options.generate ? measure_generation(name, work, options)
                            : measure_training(name, work, options);
}

// A row of the table, the first one under a header.
void print_row(const nlohmann::ordered_json& row, bool first) {
    if (first) {
        fmt::print("{:<12}", "workload");
        for (const auto& [key, value] : row.items())
            if (value.is_number_float()) fmt::print(" {:>12}", key);
        fmt::print("\n");
    }
    fmt::print("{:<12}", row["workload"].get<std::string>());
    for (const nlohmann::ordered_json& value : row)
        if (value.is_number_float()) fmt::print(" {:>12.4f}", value.get<double>());
    fmt::print("\n");
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app(
        "Times training steps: forward, backward, clipping, AdamW; or how fast a model writes.",
        "gradus-bench");
    std::string list = "Workloads:\n";
    for (const auto& [name, kind] : bench::workloads()) {
        list += fmt::format("  {:<12} {} (", name, kind.about);
        for (const auto& [size, value] : kind.sizes) list += fmt::format("{}={} ", size, value);
        list.back() = ')';
        list += '\n';
    }
    app.footer(list);
    std::vector<std::string> names;
    for (const auto& [name, kind] : bench::workloads()) names.push_back(name);
    app.add_option("--workload", options.names, "Which ones; all without it")
        ->check(CLI::IsMember(names));
    app.add_option("--threads", options.threads, "Threads")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--steps", options.steps, "Steps that are timed")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--warmup", options.warmup, "Steps before them")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--set", options.set, "Other sizes, as dim=192 batch=8");
    app.add_option("--dump", options.dump,
                   "Write inputs, weights, loss and gradients of the first step (safetensors)");
    app.add_flag(
        "--generate", options.generate,
        "Time not training but writing: each token of a text, beside reading all weights once");
    app.add_flag("--json", options.json, "One JSON line a workload instead of a table");
    CLI11_PARSE(app, argc, argv);
    if (options.names.empty()) options.names = names;

    set_thread_count(options.threads);
    options.threads = thread_count();
    try {
        check(options.dump.empty() || (options.names.size() == 1 && !options.generate), "--dump",
              "the training step of one workload expected, {} given", options.names.size());
        for (const std::string& name : options.names) {
            const auto row = measure(name, options);
            if (options.json)
                std::cout << row.dump() << std::endl;
            else
                print_row(row, name == options.names.front());
        }
    } catch (const std::exception& error) {
        std::cerr << "gradus-bench: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
