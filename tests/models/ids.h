// Ids to try models on.
#pragma once

#include "autograd/random.h"

namespace gradus::test {

inline Tensor random_ids(const Shape& shape, int64_t vocab = 11, uint64_t seed = 1) {
    Tensor ids = Tensor::empty(shape, Dtype::i32);
    Rng rng(seed);
    for (int64_t i = 0; i < ids.size(); ++i) ids.set(i, static_cast<double>(rng.below(vocab)));
    return ids;
}

/// ids [B, T] at steps begin ... end - 1.
inline Tensor columns(const Tensor& ids, int64_t begin, int64_t end) {
    Tensor part = Tensor::empty({ids.size(0), end - begin}, Dtype::i32);
    for (int64_t b = 0, i = 0; b < ids.size(0); ++b)
        for (int64_t t = begin; t < end; ++t, ++i) part.set(i, ids.at(b * ids.size(1) + t));
    return part;
}

}  // namespace gradus::test
