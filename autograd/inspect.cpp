#include "autograd/inspect.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace gradus {
namespace {

bool all_finite(const Tensor& x) {
    if (x.dtype() == Dtype::i32) return true;
    return dispatch("anomaly", x.dtype(), [&](auto zero) {
        const auto values = x.values<decltype(zero)>();
        return std::all_of(values.begin(), values.end(), [](auto v) { return std::isfinite(v); });
    });
}

std::string range(const Tensor& x) {
    double low = INFINITY, high = -INFINITY;
    int64_t bad = 0;
    for (int64_t i = 0; i < x.size(); ++i) {
        const double v = x.at(i);
        if (!std::isfinite(v))
            ++bad;
        else
            low = std::min(low, v), high = std::max(high, v);
    }
    if (x.size() == 0) return fmt::format("{} (empty)", x.shape());
    if (bad == x.size()) return fmt::format("{} with no finite number", x.shape());
    return fmt::format("{} in {:.4g} ... {:.4g}{}", x.shape(), low, high,
                       bad ? fmt::format(", {} not finite", bad) : "");
}

}  // namespace

void AnomalyGuard::on_forward(const char* op, std::span<const Input> inputs, const Tensor& y) {
    if (all_finite(y)) return;
    std::string ranges;
    for (size_t i = 0; i < inputs.size(); ++i)
        ranges += fmt::format("{}input {} is {}", i ? ", " : "", i, range(*inputs[i].tensor));
    fail(op, fmt::format("its result {} has a NaN or infinity (forward); {}", range(y), ranges));
}

void AnomalyGuard::on_backward(const char* op, const Tensor& dy, std::span<const Gradient> dx) {
    for (size_t i = 0; i < dx.size(); ++i) {
        if (!dx[i]) continue;
        const Tensor gradient = dx[i].value();
        if (gradient.defined() && !all_finite(gradient))
            fail(op,
                 fmt::format(
                     "the gradient of its input {}, {}, has a NaN or infinity (backward); dy is {}",
                     i, range(gradient), range(dy)));
    }
}

Profiler::Profiler() { lap(); }

double Profiler::lap() {
    const int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
    return static_cast<double>(now - std::exchange(last_, now)) * 1e-6;
}

void Profiler::on_tape() { lap(); }

void Profiler::on_forward(const char* op, std::span<const Input>, const Tensor&) {
    Row& row = rows_[op];
    ++row.calls;
    row.forward_ms += lap();
}

void Profiler::on_backward(const char* op, const Tensor&, std::span<const Gradient>) {
    rows_[op].backward_ms += lap();
}

std::string Profiler::table() const {
    std::vector<std::pair<std::string, Row>> sorted(rows_.begin(), rows_.end());
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second.forward_ms + a.second.backward_ms >
               b.second.forward_ms + b.second.backward_ms;
    });
    std::string text =
        fmt::format("{:<24} {:>8} {:>12} {:>12}\n", "op", "calls", "forward ms", "backward ms");
    Row total;
    for (const auto& [op, row] : sorted) {
        text += fmt::format("{:<24} {:>8} {:>12.3f} {:>12.3f}\n", op, row.calls, row.forward_ms,
                            row.backward_ms);
        total.calls += row.calls;
        total.forward_ms += row.forward_ms;
        total.backward_ms += row.backward_ms;
    }
    return text + fmt::format("{:<24} {:>8} {:>12.3f} {:>12.3f}\n", "total", total.calls,
                              total.forward_ms, total.backward_ms);
}

std::string Tape::to_dot(const Profiler* times) const {
    std::string dot =
        "digraph tape {\n    rankdir=LR; node [shape=box, fontname=\"sans-serif\"];\n";
    const auto list = entries();
    for (size_t i = 0; i < list.size(); ++i) {
        const Entry& entry = list[i];
        std::string label =
            fmt::format("{}\\n{} {}\\n{} bytes", entry.op, entry.shape, gradus::name(entry.dtype),
                        static_cast<size_t>(entry.shape.size()) * bytes_of(entry.dtype));
        if (times && times->rows().count(entry.op)) {
            const Profiler::Row& row = times->rows().at(entry.op);
            label += fmt::format("\\n{:.3g} + {:.3g} ms",
                                 row.forward_ms / static_cast<double>(row.calls),
                                 row.backward_ms / static_cast<double>(row.calls));
        }
        dot += fmt::format("    n{} [label=\"{}\"{}];\n", i, label,
                           entry.inputs.empty() ? ", style=rounded" : "");
        for (int input : entry.inputs) dot += fmt::format("    n{} -> n{};\n", input, i);
    }
    return dot + "}\n";
}

}  // namespace gradus
