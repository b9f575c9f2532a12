// Many dimensions on paper: principal component analysis (Pearson 1901; Hotelling 1933).
#pragma once

#include "autograd/tensor.h"

namespace gradus::lesson {

/// The directions in which the rows of x [N, D] differ most, the strongest first: [count, D] in f64,
/// of unit length, at right angles, each with its largest component positive. By power iteration on
/// the covariance. Throws Error for fewer than two rows or a count outside 1 ... D.
Tensor principal_axes(const Tensor& x, int64_t count);

/// Rows of x, less their mean, on these axes: [N, count], f64.
Tensor project(const Tensor& x, const Tensor& axes);

}  // namespace gradus::lesson
