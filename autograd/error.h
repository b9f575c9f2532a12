// Errors of one form, "matmul: inner sizes differ: a is [32, 128], b is [64, 10]", with the path of the module that ran.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace gradus {

/// Everything that the library throws. what() names the op or file, what was found, what was expected, what to do.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Names the part of a model that is running: nested scopes give an error its path, "... in gpt.blocks.3.attn.qkv".
class Scope {
public:
    explicit Scope(std::string_view name);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    /// The names of all open scopes of this thread, joined by dots; empty outside any.
    static std::string path();

private:
    std::string_view name_;
    Scope* outer_;
};

/// Throws Error("op: text ... in path").
[[noreturn]] void fail(std::string_view op, std::string_view text);

[[noreturn]] void fail(std::string_view op, fmt::string_view format, fmt::format_args args);

/// Throws with a formatted text unless `ok`.
template <class Op, class... Args>
void check(bool ok, const Op& op, fmt::format_string<const Args&...> text, const Args&... args) {
    if (!ok) [[unlikely]]
        fail(op, text, fmt::make_format_args(args...));
}

}  // namespace gradus
