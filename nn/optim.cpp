#include "nn/optim.h"

#include <cmath>

namespace gradus::nn {
namespace {

std::vector<Tensor> all_of(const ParameterGroups& groups) {
    std::vector<Tensor> all;
    for (const ParameterGroup& group : groups)
        all.insert(all.end(), group.parameters.begin(), group.parameters.end());
    return all;
}

void check_decay_rate(const char* op, const char* what, double rate) {
    check(rate >= 0 && rate < 1, op, "{} is {}; 0 <= {} < 1 expected", what, rate, what);
}

}  // namespace

Optimizer::Optimizer(const ParameterGroups& groups, double lr, double weight_decay)
    : flat_(all_of(groups)) {
    size_t first = 0;
    for (const ParameterGroup& group : groups) {
        const size_t last = first + group.parameters.size();
        groups_.push_back(
            {first, last, group.lr.value_or(lr), group.weight_decay.value_or(weight_decay)});
        check(groups_.back().lr >= 0 && groups_.back().weight_decay >= 0, "optimizer",
              "group {} has learning rate {} and weight decay {}; neither may be negative",
              groups_.size() - 1, groups_.back().lr, groups_.back().weight_decay);
        first = last;
    }
    counts_.resize(first);
}

void Optimizer::step() {
    flat_.check_alive();
    for (const Group& group : groups_) {
        flat_.for_runs(
            group.first, group.last, [&](size_t i) { return counts_[i]; },
            [&](size_t first, size_t last) {
                const int32_t count = counts_[first] + 1;
                for (size_t i = first; i < last; ++i) counts_[i] = count;
                update(
                    {flat_.begin(first), flat_.begin(last), count, group.lr, group.weight_decay});
            });
    }
}

void Optimizer::set_lr(double lr) {
    for (Group& group : groups_) group.lr = lr;
}

Tensor Optimizer::moments(std::string name) {
    return moments_.emplace_back(std::move(name), flat_.zeros()).second;
}

StateDict Optimizer::state_dict() const {
    StateDict dict;
    for (const auto& [name, block] : moments_)
        for (size_t i = 0; i < counts_.size(); ++i)
            dict.emplace(fmt::format("{}.{}", name, i), flat_.part(block, i));
    std::vector<double> settings;
    for (const Group& group : groups_)
        settings.insert(settings.end(), {group.lr, group.weight_decay});
    dict.emplace("steps", Tensor::from(counts_));
    dict.emplace("lr_and_decay", Tensor::from(settings, {static_cast<int64_t>(groups_.size()), 2}));
    return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
    const StateDict own = state_dict();  // moments are shared with it, the others are copies
    assign("optimizer", own, dict);
    const auto counts = own.at("steps").values<int32_t>();
    counts_.assign(counts.begin(), counts.end());
    const double* settings = own.at("lr_and_decay").data<double>();
    for (Group& group : groups_) {
        group.lr = *settings++;
        group.weight_decay = *settings++;
    }
}

SGD::SGD(const ParameterGroups& parameters, const SgdOptions& options)
    : Optimizer(parameters, options.lr, options.weight_decay), options_(options) {
    check(options.momentum >= 0, "sgd", "momentum is {}; it may not be negative", options.momentum);
    check(!options.nesterov || (options.momentum > 0 && options.dampening == 0), "sgd",
          "Nesterov's form wants momentum above 0 and no dampening; they are {} and {}",
          options.momentum, options.dampening);
    if (options.momentum > 0) momentum_ = moments("momentum");
}

void SGD::update(const Pass& pass) {
    dispatch("sgd", flat_.dtype(), [&](auto zero) {
        using T = decltype(zero);
        Tensor values = flat_.values();
        T* w = values.data<T>() + pass.begin;
        const T* dw = flat_.gradients().data<T>() + pass.begin;
        const T lr = static_cast<T>(pass.lr), decay = static_cast<T>(pass.weight_decay);
        const int64_t n = pass.end - pass.begin;

        if (!momentum_.defined()) {
            return parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
#pragma omp simd
                for (int64_t i = begin; i < end; ++i) w[i] -= lr * (dw[i] + decay * w[i]);
            });
        }
        T* b = momentum_.data<T>() + pass.begin;
        const T mu = static_cast<T>(options_.momentum);
        const T fresh = static_cast<T>(pass.count == 1 ? 1 : 1 - options_.dampening);
        const bool nesterov = options_.nesterov;
        parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i) {
                const T g = dw[i] + decay * w[i];
                const T next = mu * b[i] + fresh * g;
                b[i] = next;
                w[i] -= lr * (nesterov ? g + mu * next : next);
            }
        });
    });
}

Adam::Adam(const ParameterGroups& parameters, const AdamOptions& options)
    : Adam(parameters, options, Decay::in_gradient) {}

Adam::Adam(const ParameterGroups& parameters, const AdamOptions& options, Decay decay)
    : Optimizer(parameters, options.lr, options.weight_decay), options_(options), decay_(decay) {
    check_decay_rate("adam", "beta1", options.beta1);
    check_decay_rate("adam", "beta2", options.beta2);
    check(options.eps >= 0, "adam", "eps is {}; it may not be negative", options.eps);
    mean_ = moments("exp_avg");
    square_ = moments("exp_avg_sq");
}

void Adam::update(const Pass& pass) {
    dispatch("adam", flat_.dtype(), [&](auto zero) {
        using T = decltype(zero);
        Tensor values = flat_.values();
        T* w = values.data<T>() + pass.begin;
        T* m = mean_.data<T>() + pass.begin;
        T* v = square_.data<T>() + pass.begin;
        const T* dw = flat_.gradients().data<T>() + pass.begin;

        const double correction1 = 1 - std::pow(options_.beta1, pass.count);
        const double correction2 = 1 - std::pow(options_.beta2, pass.count);
        const bool decoupled = decay_ == Decay::decoupled;
        const T step = static_cast<T>(pass.lr / correction1);
        const T root = static_cast<T>(1 / std::sqrt(correction2));
        const T in_gradient = static_cast<T>(decoupled ? 0 : pass.weight_decay);
        const T keep = static_cast<T>(decoupled ? 1 - pass.lr * pass.weight_decay : 1);
        const T beta1 = static_cast<T>(options_.beta1), rest1 = static_cast<T>(1 - options_.beta1);
        const T beta2 = static_cast<T>(options_.beta2), rest2 = static_cast<T>(1 - options_.beta2);
        const T eps = static_cast<T>(options_.eps);

        parallel_for(pass.end - pass.begin, kGrain, [=](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i) {
                const T g = dw[i] + in_gradient * w[i];
                const T mean = beta1 * m[i] + rest1 * g;
                const T square = beta2 * v[i] + rest2 * g * g;
                m[i] = mean;
                v[i] = square;
                w[i] = keep * w[i] - step * mean / (std::sqrt(square) * root + eps);
            }
        });
    });
}

AdamW::AdamW(const ParameterGroups& parameters, const AdamWOptions& options)
    : Adam(parameters,
           {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay},
           Decay::decoupled) {}

}  // namespace gradus::nn
