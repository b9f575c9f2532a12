#include "nn/module.h"

namespace gradus::nn {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
    return prefix.empty() ? name : prefix + "." + name;
}

}  // namespace

// f(path, module) for this module and all below, parents first.
template <class F>
void Module::visit(const std::string& prefix, F&& f) const {
    f(prefix, *this);
    for (const auto& [name, module] : children_) module->visit(join(prefix, name), f);
}

std::vector<std::pair<std::string, Tensor>> Module::named_parameters() const {
    std::vector<std::pair<std::string, Tensor>> result;
    visit("", [&](const std::string& prefix, const Module& module) {
        for (const auto& [name, tensor] : module.parameters_) {
            const auto same = [tensor = tensor](const auto& known) {
                return known.second.same_as(*tensor);
            };
            if (std::none_of(result.begin(), result.end(), same))
                result.emplace_back(join(prefix, name), *tensor);
        }
    });
    return result;
}

std::vector<Tensor> Module::parameters() const {
    std::vector<Tensor> result;
    for (auto& [name, tensor] : named_parameters()) result.push_back(tensor);
    return result;
}

int64_t Module::parameter_count() const {
    int64_t count = 0;
    for (const Tensor& tensor : parameters()) count += tensor.size();
    return count;
}

std::vector<std::pair<std::string, Rng*>> Module::named_generators() const {
    std::vector<std::pair<std::string, Rng*>> result;
    visit("", [&](const std::string& prefix, const Module& module) {
        for (const auto& [name, rng] : module.generators_)
            result.emplace_back(join(prefix, name), rng);
    });
    return result;
}

StateDict Module::state_dict() const {
    StateDict dict;
    visit("", [&](const std::string& prefix, const Module& module) {
        for (const auto* named : {&module.parameters_, &module.buffers_})
            for (const auto& [name, tensor] : *named) dict.emplace(join(prefix, name), *tensor);
    });
    return dict;
}

void Module::load_state_dict(const StateDict& dict, Strict strict) {
    Scope in(name());
    assign("load_state_dict", state_dict(), dict, strict);
}

void Module::train(bool on) {
    training_ = on;
    for (auto& [name, module] : children_) module->train(on);
}

void Module::zero_grad() {
    for (Tensor& tensor : parameters()) tensor.zero_grad();
}

void Module::to(Dtype dtype) {
    std::vector<std::pair<Tensor, Tensor>> converted;  // so that shared tensors stay shared
    visit("", [&](const std::string&, const Module& module) {
        for (const auto* named : {&module.parameters_, &module.buffers_}) {
            for (const auto& [name, tensor] : *named) {
                if (tensor->dtype() == dtype || tensor->dtype() == Dtype::i32) continue;
                const auto known = std::find_if(
                    converted.begin(), converted.end(),
                    [tensor = tensor](auto& pair) { return pair.first.same_as(*tensor); });
                if (known == converted.end()) {
                    Tensor copy = tensor->to(dtype);
                    copy.requires_grad(tensor->wants_grad());
                    converted.emplace_back(*tensor, copy);
                    *tensor = copy;
                } else {
                    *tensor = known->second;
                }
            }
        }
    });
}

void Module::parameter(std::string name, Tensor& tensor) {
    if (!tensor.defined()) return;
    check_new(name);
    tensor.requires_grad();
    parameters_.emplace_back(std::move(name), &tensor);
}

void Module::buffer(std::string name, Tensor& tensor) {
    if (!tensor.defined()) return;
    check_new(name);
    buffers_.emplace_back(std::move(name), &tensor);
}

void Module::generator(std::string name, Rng& rng) {
    check_new(name);
    generators_.emplace_back(std::move(name), &rng);
}

void Module::child(std::string name, Module& module) {
    check_new(name);
    module.name_ = name;
    children_.emplace_back(std::move(name), &module);
}

void Module::children(std::initializer_list<Child> modules) {
    for (const auto& [name, module] : modules) child(name, module);
}

void Module::check_new(std::string_view name) const {
    check(!name.empty(), "module", "a member of \"{}\" is registered without a name", name_);
    const auto check_in = [&](const auto& named) {
        for (const auto& [known, pointer] : named)
            check(known != name, "module", "\"{}\" registers the name {} twice", name_, name);
    };
    check_in(parameters_);
    check_in(buffers_);
    check_in(generators_);
    check_in(children_);
}

}  // namespace gradus::nn
