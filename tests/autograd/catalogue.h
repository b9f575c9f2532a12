// Every op of autograd/ops.h as a function of float64 inputs that want a gradient, for tests that hold for all of them.
#pragma once

#include "tests/autograd/helpers.h"

namespace gradus::test {

struct Case {
    std::string name;
    Function f;
    std::vector<Tensor> inputs;
};

/// `rows` and `columns` are the sizes of most inputs: small ones for checks element by element, ones whose product is over
/// the grain (2^14) for threads.
std::vector<Case> catalogue(int64_t rows, int64_t columns);

/// Those of one input that are formulas, each with points where it is smooth.
std::vector<Case> formulas(const Shape& shape);

}  // namespace gradus::test
