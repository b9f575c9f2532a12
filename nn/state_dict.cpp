#include "nn/state_dict.h"

namespace gradus::nn {

std::string differences(const StateDict& expected, const StateDict& found, Strict strict) {
    const auto describe = [](const Tensor& x) {
        return fmt::format("{} {}", x.shape(), name(x.dtype()));
    };
    std::string missing, unexpected, differing;
    for (const auto& [name, x] : expected) {
        const auto other = found.find(name);
        if (other == found.end()) {
            missing += fmt::format("\n    missing:    {} {}", name, describe(x));
        } else if (describe(other->second) != describe(x)) {
            differing += fmt::format("\n    differs:    {} is {}, expected {}", name,
                                     describe(other->second), describe(x));
        }
    }
    for (const auto& [name, x] : found)
        if (!expected.contains(name))
            unexpected += fmt::format("\n    unexpected: {} {}", name, describe(x));
    return strict == Strict::shapes ? differing : missing + unexpected + differing;
}

void assign(std::string_view what, StateDict into, const StateDict& from, Strict strict) {
    const std::string difference = differences(into, from, strict);
    check(difference.empty(), what, "these do not fit, and nothing was changed:{}", difference);
    for (auto& [name, x] : into)
        if (const auto source = from.find(name); source != from.end()) x.copy_from(source->second);
}

}  // namespace gradus::nn
