// Pictures that move a little each time they are seen.
#pragma once

#include "autograd/random.h"

namespace gradus::data {

/// Each picture of [N, height * width], f32, moved by a whole number of pixels in -most ... most, down and
/// across, all equally likely and drawn for each picture anew; what comes in from outside is 0 (paper). With
/// `most` 0 nothing moves. Throws Error where the pictures have another size, or most is not in
/// 0 ... min(height, width) - 1.
Tensor jittered(const Tensor& pixels, int height, int width, int most, Rng& rng);

}  // namespace gradus::data
