// Generated handwriting: digits drawn with strokes, each in a hand of its own.
#pragma once

#include "data/images.h"

namespace gradus::data {

struct ProceduralDigits {
    uint64_t seed = 0;
    double wildness = 1;  // of the hand: 0 always draws the same ten pictures, 1 is hard to read
    double noise = 0.1;   // standard deviation of each pixel's noise
};

/// `count` digits, 28x28, equally likely. Each is drawn with its control points moved, slanted,
/// turned, stretched, shifted, in a pen of random width, on noisy paper. Picture i depends on the
/// seed and i alone, so that a longer list begins with the shorter one.
Images procedural_digits(int64_t count, const ProceduralDigits& options = {});

}  // namespace gradus::data
