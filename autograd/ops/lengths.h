// How far each row of a padded batch goes.
#pragma once

#include <vector>

#include "autograd/tensor.h"

namespace gradus::detail {

/// The numbers of `given` [B] (i32, least ... most), or `most` for each row where it is undefined.
inline std::vector<int32_t> row_lengths(const char* op, const Tensor& given, int64_t B,
                                        int64_t least, int64_t most) {
    std::vector<int32_t> lengths(static_cast<size_t>(B), static_cast<int32_t>(most));
    if (!given.defined()) return lengths;
    check(given.dtype() == Dtype::i32 && given.shape() == Shape{B}, op,
          "lengths are {} {}: [{}] i32 expected, one number a row of the batch", given.shape(),
          name(given.dtype()), B);
    std::copy_n(given.data<int32_t>(), B, lengths.begin());
    for (size_t b = 0; b < lengths.size(); ++b)
        check(lengths[b] >= least && lengths[b] <= most, op,
              "the length of row {} is {}: {} ... {} expected{}", b, lengths[b], least, most,
              least > 0 ? " (leave empty sequences out)" : "");
    return lengths;
}

}  // namespace gradus::detail
