#include "data/sources/repeated_blocks.h"

#include "autograd/error.h"
#include "autograd/random.h"

namespace gradus::data {

Batch RepeatedBlocks::at(int64_t step) const {
    constexpr int32_t kStart = 0, kIgnored = -100;
    check(symbols >= 2 && 1 <= shortest && shortest <= longest && batch >= 1 && step >= 0,
          "repeated blocks",
          "{} symbols, blocks of {} to {}, a batch of {}, step {}; at least 2, 1, as many, 1 and 0 "
          "expected",
          symbols, shortest, longest, batch, step);
    Rng rng(seed, step);
    Batch rows{Tensor::full({batch, time()}, kStart, Dtype::i32),
               Tensor::full({batch, time()}, kIgnored, Dtype::i32)};
    for (int64_t b = 0; b < batch; ++b) {
        int32_t* x = rows.x.data<int32_t>() + b * time();
        int32_t* y = rows.y.data<int32_t>() + b * time();
        const int64_t n = shortest + rng.below(longest - shortest + 1), again = n + 1;
        for (int64_t i = 0; i < n; ++i) {
            y[i] = y[again + i] = x[i + 1] = static_cast<int32_t>(1 + rng.below(symbols));
            if (i + 1 < n) x[again + i + 1] = y[i];
        }
    }
    return rows;
}

}  // namespace gradus::data
