#include "data/sources/adding.h"

namespace gradus::data {

Batch Adding::at(int64_t step) const {
    check(time >= 2 && batch >= 1 && step >= 0, "adding problem",
          "{} numbers, a batch of {}, step {}; at least 2, 1 and 0 expected", time, batch, step);
    Rng rng(seed, step);
    Batch rows{Tensor::zeros({batch, time, 2}), Tensor::empty({batch, 1})};
    const int64_t half = time / 2;
    for (int64_t b = 0; b < batch; ++b) {
        float* x = rows.x.data<float>() + b * time * 2;
        for (int64_t t = 0; t < time; ++t) x[2 * t] = static_cast<float>(rng.uniform());
        const int64_t first = rng.below(half), second = half + rng.below(time - half);
        x[2 * first + 1] = x[2 * second + 1] = 1;
        rows.y.data<float>()[b] = x[2 * first] + x[2 * second];
    }
    return rows;
}

}  // namespace gradus::data
