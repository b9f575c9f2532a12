#include "data/windows.h"

namespace gradus::data {

Batch windows(const std::vector<std::vector<int32_t>>& sequences, int64_t window, int32_t padding) {
    int64_t count = 0;
    for (const auto& sequence : sequences) count += static_cast<int64_t>(sequence.size());
    check(window >= 1 && count >= 1, "windows",
          "a window of {} over {} tokens; at least 1 of each expected", window, count);
    Batch rows{Tensor::empty({count, window}, Dtype::i32), Tensor::empty({count}, Dtype::i32)};
    int32_t *x = rows.x.data<int32_t>(), *y = rows.y.data<int32_t>();
    for (const auto& sequence : sequences) {
        const auto size = static_cast<int64_t>(sequence.size());
        for (int64_t t = 0; t < size; ++t) {
            for (int64_t back = window; back > 0; --back) {
                *x++ = t < back ? padding : sequence[static_cast<size_t>(t - back)];
            }
            *y++ = sequence[static_cast<size_t>(t)];
        }
    }
    return rows;
}

}  // namespace gradus::data
