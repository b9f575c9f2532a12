// Hidden tokens to be guessed: what a masked language model is trained on.
#pragma once

#include <vector>

#include "data/batches.h"

namespace gradus::data {

struct MaskingOptions {
    int32_t mask = 0;                // the id of [MASK]
    int64_t vocab = 0;               // ids are 0 ... vocab - 1
    std::vector<int32_t> special{};  // never chosen, never put in: [PAD], [CLS], [SEP], ...; [MASK]
                                     // is one of them without being named
    double chosen = 0.15;            // the share of tokens to be guessed
    double hidden = 0.8;             // of these: [MASK]
    double swapped = 0.1;            // of these: any token; the rest stays as it is
    uint64_t seed = 0;
};

/// BERT's masking (Devlin et al. 2018, section 3.1 and A.1): of each row, 15 % of the tokens that are
/// not special, rounded, at least one, are to be guessed. Each of them becomes [MASK] (80 %), a token
/// drawn from all that are not special (10 %), or stays (10 %), so that a model has to have an
/// opinion of every token, not of [MASK] alone.
///
/// Static masks are made once, before training; dynamic ones (Liu et al. 2019, RoBERTa, section 4.1)
/// anew for each batch:
///
///     const Masking masking({.mask = 103, .vocab = 30522, .special = {0, 100, 101, 102}});
///     const Batch all = masking.at(ids, 0);                         // static: [N, T]
///     const Batch batch = masking.at(rows, step);                   // dynamic: [B, T]
class Masking {
public:
    /// Throws Error where a share is out of range or no token is left to be put in.
    explicit Masking(const MaskingOptions& options);

    /// x: `ids` ([B, T] or [T], i32), masked; y: the id that was there where it is to be guessed,
    /// else -100, which losses ignore. They depend on the ids, the seed and the step alone. A row of
    /// special tokens only has nothing to be guessed. Throws Error where an id is out of range.
    Batch at(const Tensor& ids, int64_t step) const;

private:
    bool is_special(int32_t id) const { return special_[static_cast<size_t>(id)]; }

    MaskingOptions options_;
    std::vector<bool> special_;    // of each id
    std::vector<int32_t> common_;  // the ids that are not
};

}  // namespace gradus::data
