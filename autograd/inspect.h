// Looking at a computation while it runs: where a NaN came from, and where the time went.
#pragma once

#include <map>
#include <string>

#include "autograd/tape.h"

namespace gradus {

/// While one is in scope, the first op that makes a NaN or an infinity, forward or backward, throws an Error that names it,
/// the ranges of its inputs and the module that it ran in. Every result is read once more: for finding faults.
class AnomalyGuard final : public Observer {
public:
    void on_tape() override {}
    void on_forward(const char* op, std::span<const Input> inputs, const Tensor& y) override;
    void on_backward(const char* op, const Tensor& dy, std::span<const Gradient> dx) override;
};

/// Gathers the time of each op of this thread while it is in scope. An op's forward time runs from the end of the op before
/// it (or from the opening of the tape), so that work between two ops counts for the second.
class Profiler final : public Observer {
public:
    struct Row {
        int64_t calls = 0;
        double forward_ms = 0;
        double backward_ms = 0;
    };

    Profiler();
    const std::map<std::string, Row>& rows() const { return rows_; }
    /// A line for each op, the most expensive first, and the total.
    std::string table() const;

    void on_tape() override;
    void on_forward(const char* op, std::span<const Input> inputs, const Tensor& y) override;
    void on_backward(const char* op, const Tensor& dy, std::span<const Gradient> dx) override;

private:
    double lap();  // milliseconds since the last call

    std::map<std::string, Row> rows_;
    int64_t last_ = 0;
};

}  // namespace gradus
