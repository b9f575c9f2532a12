// Optimizers, with PyTorch's formulas and defaults. Each step is one pass over flat memory.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/parameters.h"
#include "nn/state_dict.h"

namespace gradus::nn {

/// Parameters with a learning rate or weight decay of their own; what is not given is the
/// optimizer's.
struct ParameterGroup {
    std::vector<Tensor> parameters;
    std::optional<double> lr{};
    std::optional<double> weight_decay{};
};

/// One group of all parameters, or several groups: AdamW optimizer({{body, 1e-4}, {head, 1e-3}}).
struct ParameterGroups : std::vector<ParameterGroup> {
    using std::vector<ParameterGroup>::vector;
    // NOLINTBEGIN(google-explicit-constructor): a list of one should read as its tensors do
    ParameterGroups(std::vector<Tensor> all) : std::vector<ParameterGroup>{{std::move(all)}} {}
    ParameterGroups(std::initializer_list<Tensor> all) : ParameterGroups(std::vector(all)) {}
    // NOLINTEND(google-explicit-constructor)
};

/// What all optimizers have in common:
///
///     nn::AdamW optimizer(model.parameters(), {.lr = 3e-4});
///     for (...) {
///         optimizer.zero_grad();
///         ...  tape.backward(loss);
///         optimizer.clip_grad_norm(1);
///         optimizer.set_lr(schedule(step));
///         optimizer.step();
///     }
///
/// A parameter without a gradient since zero_grad() is left as it is, its moments too, and its own
/// count of steps, which the bias correction goes by, stands still.
class Optimizer {
public:
    virtual ~Optimizer() = default;
    Optimizer(const Optimizer&) = delete;
    Optimizer& operator=(const Optimizer&) = delete;

    /// Updates the parameters. Throws Error where another optimizer has since taken them over.
    void step();
    void zero_grad() { flat_.zero_grad(); }
    /// Scales all gradients together to at most this norm; returns the norm before.
    double clip_grad_norm(double max_norm) { return flat_.clip_grad_norm(max_norm); }

    /// The learning rate of all groups, or of one.
    void set_lr(double lr);
    void set_lr(double lr, size_t group) { groups_.at(group).lr = lr; }
    double lr(size_t group = 0) const { return groups_.at(group).lr; }
    size_t group_count() const { return groups_.size(); }

    /// Everything that step() remembers: moments by position of their parameter ("exp_avg.3"),
    /// counts of steps, learning rates. load_state_dict refuses what does not fit and changes
    /// nothing then.
    StateDict state_dict() const;
    void load_state_dict(const StateDict& dict);

    const FlatParameters& parameters() const { return flat_; }

protected:
    /// One pass: elements begin ... end - 1 of the flat blocks; `count` steps with this one.
    struct Pass {
        int64_t begin, end;
        int32_t count;
        double lr, weight_decay;
    };

    Optimizer(const ParameterGroups& groups, double lr, double weight_decay);
    virtual void update(const Pass& pass) = 0;
    /// A block of zeros, laid out as the parameters are, that belongs to the state.
    Tensor moments(std::string name);

    FlatParameters flat_;

private:
    struct Group {
        size_t first, last;  // parameters first ... last - 1
        double lr, weight_decay;
    };
    std::vector<Group> groups_;
    std::vector<std::pair<std::string, Tensor>> moments_;
    std::vector<int32_t> counts_;  // steps that each parameter has taken
};

struct SgdOptions {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
};

/// g = dθ + λθ;  b = μb + (1 - τ)g, at first b = g;  θ = θ - η b, in Nesterov's form
/// θ = θ - η (g + μb) (Sutskever et al. 2013). Without momentum θ = θ - η g.
class SGD final : public Optimizer {
public:
    explicit SGD(const ParameterGroups& parameters, const SgdOptions& options = {});

private:
    void update(const Pass& pass) override;
    SgdOptions options_;
    Tensor momentum_;
};

struct AdamOptions {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0;
};

/// m = β₁m + (1 - β₁)g;  v = β₂v + (1 - β₂)g²;  θ = θ - η m̂ / (√v̂ + ε) with m̂ = m / (1 - β₁ᵗ),
/// v̂ = v / (1 - β₂ᵗ) (Kingma and Ba 2015). Weight decay is part of the gradient: g = dθ + λθ.
class Adam : public Optimizer {
public:
    explicit Adam(const ParameterGroups& parameters, const AdamOptions& options = {});

protected:
    enum class Decay { in_gradient, decoupled };
    Adam(const ParameterGroups& parameters, const AdamOptions& options, Decay decay);

private:
    void update(const Pass& pass) override;
    AdamOptions options_;
    Decay decay_;
    Tensor mean_, square_;
};

struct AdamWOptions {
    double lr = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double eps = 1e-8;
    double weight_decay = 0.01;
};

/// Adam with weight decay apart from the gradient: at first θ = θ - η λ θ (Loshchilov and Hutter
/// 2019).
class AdamW final : public Adam {
public:
    explicit AdamW(const ParameterGroups& parameters, const AdamWOptions& options = {});
};

}  // namespace gradus::nn
