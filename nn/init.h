// Where weights begin. Each function overwrites the tensor it is given, f32 or f64, and hands it
// on; both dtypes get the same numbers, up to rounding. Names and formulas are those of
// torch.nn.init.
#pragma once

#include <cmath>

#include "autograd/ops.h"

namespace gradus::nn {

/// The generator of this thread that initialisers and new dropout layers draw from.
Rng& generator();
/// Starts it anew: same seed, same weights.
void manual_seed(uint64_t seed);

namespace init {

Tensor zeros(Tensor x);
Tensor ones(Tensor x);
Tensor uniform(Tensor x, double low = 0, double high = 1);
Tensor normal(Tensor x, double mean = 0, double stddev = 1);
/// A normal distribution cut to low ... high, which are numbers, not multiples of stddev. Throws
/// where next to nothing of it lies in between.
Tensor trunc_normal(Tensor x, double mean = 0, double stddev = 1, double low = -2, double high = 2);

/// The numbers of inputs and outputs that meet in a weight [out, in, ...]: in times, or out times,
/// what the further axes hold. Throws for fewer than two axes.
struct Fans {
    double in, out;
};
Fans fans(const Tensor& weight);

/// What keeps the variance of a layer's output where the activation follows: √2 for ReLU, 5/3 for
/// tanh, else 1 (for GELU and SiLU no value is agreed upon).
double gain(Activation activation);

/// Glorot and Bengio 2010: variance gain² · 2 / (in + out), uniform in ± sqrt(3 variance) or
/// normal.
Tensor xavier_uniform(Tensor weight, double gain = 1);
Tensor xavier_normal(Tensor weight, double gain = 1);

/// He et al. 2015: variance gain² / in.
Tensor kaiming_uniform(Tensor weight, double gain = std::sqrt(2.0));
Tensor kaiming_normal(Tensor weight, double gain = std::sqrt(2.0));

}  // namespace init
}  // namespace gradus::nn
