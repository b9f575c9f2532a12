#include "autograd/error.h"

namespace gradus {

static thread_local Scope* innermost = nullptr;

Scope::Scope(std::string_view name) : name_(name), outer_(innermost) { innermost = this; }
Scope::~Scope() { innermost = outer_; }

std::string Scope::path() {
    std::string path;
    for (Scope* scope = innermost; scope; scope = scope->outer_) {
        if (scope->name_.empty()) continue;
        path = path.empty() ? std::string(scope->name_) : fmt::format("{}.{}", scope->name_, path);
    }
    return path;
}

void fail(std::string_view op, std::string_view text) {
    const std::string path = Scope::path();
    throw Error(path.empty() ? fmt::format("{}: {}", op, text)
                             : fmt::format("{}: {} ... in {}", op, text, path));
}

void fail(std::string_view op, fmt::string_view format, fmt::format_args args) {
    fail(op, fmt::vformat(format, args));
}

}  // namespace gradus
