#include "data/sources/copy_memory.h"

namespace gradus::data {

Batch CopyMemory::at(int64_t step) const {
    check(blanks >= 1 && batch >= 1 && step >= 0, "copy memory",
          "{} blanks, a batch of {}, step {}; at least 1, 1 and 0 expected", blanks, batch, step);
    Rng rng(seed, step);
    const int64_t t = time();
    Batch rows{Tensor::full({batch, t}, kBlank, Dtype::i32),
               Tensor::full({batch, t}, kBlank, Dtype::i32)};
    for (int64_t b = 0; b < batch; ++b) {
        int32_t* x = rows.x.data<int32_t>() + b * t;
        int32_t* recall = rows.y.data<int32_t>() + (b + 1) * t - kLength;
        for (int64_t i = 0; i < kLength; ++i) {
            x[i] = recall[i] = static_cast<int32_t>(rng.below(kSymbols));
        }
        x[kLength + blanks - 1] = kDelimiter;
    }
    return rows;
}

}  // namespace gradus::data
