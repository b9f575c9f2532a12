// Modules: parts of a model that know their parameters and their sub-modules by name.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/random.h"
#include "nn/state_dict.h"

namespace gradus::nn {

/// A model or a part of one. Its constructor registers its members by name:
///
///     struct Block : nn::Layer {
///         nn::LayerNorm norm;
///         nn::Linear up;
///         Tensor scale;                                              // [D]
///         explicit Block(int64_t dim) : norm(dim), up(dim, 4 * dim), scale(Tensor::ones({dim})) {
///             children({{"norm", norm}, {"up", up}});
///             parameter("scale", scale);
///         }
///         Tensor forward(const Tensor& x) override { return up(norm(x)) * scale; }
///     };
///
/// Members are registered by reference, so that a later assignment is seen: `head.weight =
/// embedding.weight` ties the two. For the same reason a module is neither copied nor moved.
class Module {
public:
    virtual ~Module() = default;
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    /// The name under which its parent knows it; a root's own name, which may be empty. Errors show
    /// the path of names: "... in gpt.blocks.3.attn.qkv". A forward pass with a signature of its
    /// own begins with `Scope in(name());` to be part of it; a Layer does so by itself.
    const std::string& name() const { return name_; }

    /// All parameters, its own first, then those of its children in order of registration. A tensor
    /// that several modules share is listed once, under its first name.
    std::vector<Tensor> parameters() const;
    std::vector<std::pair<std::string, Tensor>> named_parameters() const;
    int64_t parameter_count() const;

    /// Random generators whose state belongs to the model's (dropout's).
    std::vector<std::pair<std::string, Rng*>> named_generators() const;

    /// Parameters and buffers by dotted path, "blocks.3.attn.qkv.weight"; shared ones under each of
    /// their names.
    StateDict state_dict() const;
    /// Copies the numbers in. Throws Error with all names that are missing, unexpected or of
    /// another shape; then nothing was changed.
    void load_state_dict(const StateDict& dict, Strict strict = Strict::names_and_shapes);

    /// Switches dropout and the like on and off, here and in all children. A new module trains.
    void train(bool on = true);
    void eval() { train(false); }
    bool training() const { return training_; }

    void zero_grad();

    /// Converts parameters and buffers, for gradient checks in f64. Ends an optimizer's hold on
    /// them: convert first, then make the optimizer.
    void to(Dtype dtype);

protected:
    explicit Module(std::string name = "") : name_(std::move(name)) {}

    struct Child {
        std::string name;
        Module& module;
    };
    /// Registers. A name must be new in this module; an undefined tensor (no bias) is skipped.
    void parameter(std::string name, Tensor& tensor);
    void buffer(std::string name, Tensor& tensor);
    void generator(std::string name, Rng& rng);
    void child(std::string name, Module& module);
    void children(std::initializer_list<Child> modules);

private:
    template <class M>
    friend class ModuleList;
    template <class T>
    using Named = std::vector<std::pair<std::string, T*>>;

    void check_new(std::string_view name) const;
    template <class F>
    void visit(const std::string& prefix, F&& f) const;

    std::string name_;
    bool training_ = true;
    Named<Tensor> parameters_, buffers_;
    Named<Rng> generators_;
    Named<Module> children_;
};

/// In evaluation mode while it lives, then in the mode as before.
///
///     const nn::Evaluating scope(model);
class Evaluating {
public:
    explicit Evaluating(Module& model) : model_(model), before_(model.training()) { model.eval(); }
    ~Evaluating() { model_.train(before_); }
    Evaluating(const Evaluating&) = delete;
    Evaluating& operator=(const Evaluating&) = delete;

private:
    Module& model_;
    bool before_;
};

/// A module from one tensor to one tensor.
class Layer : public Module {
public:
    virtual Tensor forward(const Tensor& x) = 0;
    Tensor operator()(const Tensor& x) {
        Scope in(name());
        return forward(x);
    }

protected:
    using Module::Module;
};

/// Equal children under one name: "blocks.0", "blocks.1" ...
///
///     ModuleList<Block> blocks{*this, "blocks"};
///     for (int i = 0; i < layers; ++i) blocks.emplace_back(dim);
///     for (Block& block : blocks) x = block(x);
template <class M>
class ModuleList {
public:
    ModuleList(Module& parent, std::string name) : parent_(parent), name_(std::move(name)) {}

    template <class... Args>
    M& emplace_back(Args&&... args) {
        M& module = modules_.emplace_back(std::forward<Args>(args)...);
        parent_.child(fmt::format("{}.{}", name_, modules_.size() - 1), module);
        return module;
    }

    size_t size() const { return modules_.size(); }
    M& operator[](size_t i) { return modules_.at(i); }
    M& back() { return modules_.back(); }
    auto begin() { return modules_.begin(); }
    auto end() { return modules_.end(); }

private:
    Module& parent_;
    std::string name_;
    std::deque<M> modules_;  // a deque never moves what is in it
};

}  // namespace gradus::nn
