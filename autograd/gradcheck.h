// Is a gradient right? Compared with central differences, in float64, by the same kernels that train in float32.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/tensor.h"

namespace gradus {

struct GradcheckOptions {
    double step = 1e-5;       ///< of the differences, in each input's own units
    double tolerance = 1e-6;  ///< of |expected - received| / max(1, |expected|)
    int64_t every =
        512;  ///< inputs up to this size are checked element by element, larger ones along random directions
    int directions = 16;
    uint64_t seed = 0;
};

struct GradcheckResult {
    bool ok = true;
    double worst = 0;     ///< the largest error found, relative as `tolerance` is
    std::string message;  ///< where it is, what was expected and what was received; empty when ok

    explicit operator bool() const { return ok; }
};

/// Checks the gradients of f with respect to each input, which must be f64. f may return a tensor of any shape: it is summed
/// with fixed random weights, so that each of its elements counts. Inputs are left as they were.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace gradus
