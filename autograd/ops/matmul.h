// A product that is not recorded, for the insides of ops.
#pragma once

#include "autograd/tensor.h"

namespace gradus::detail {

/// x Wᵀ + b: x [..., in], weight [out, in], bias [out] or undefined -> [..., out]. Shapes are the caller's to check.
Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace gradus::detail
