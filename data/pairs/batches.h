// Batches of sentence pairs, padded.
#pragma once

#include <vector>

#include "autograd/random.h"

namespace gradus::data {

/// Ids of one pair. The target begins with the id that starts a sentence and ends with the one that
/// ends it; the source ends with that, too.
struct PairIds {
    std::vector<int32_t> source, target;
};

/// Pairs side by side. S longest source, T longest target less one: the decoder reads x and is to
/// say y, which is x one step on.
struct PairBatch {
    Tensor source;          // [B, S], i32, filled up with the padding id
    Tensor source_lengths;  // [B], i32, 1 ... S
    Tensor x;               // [B, T], i32, filled up with the padding id
    Tensor y;               // [B, T], i32, -100 (cross_entropy's ignore_index) after the end
    Tensor target_lengths;  // [B], i32: of x
};

struct PairBatchOptions {
    int64_t batch = 64;  // pairs
    uint64_t seed = 0;
    bool shuffle = true;
    int32_t padding = 0;
};

/// Pairs of similar lengths share a batch (length buckets, shuffled batch by batch). The batch of a
/// step depends on seed and step alone; every pair is in every epoch.
class PairBatches {
public:
    /// Throws Error where a side is empty, naming the position of the pair.
    PairBatches(std::vector<PairIds> pairs, const PairBatchOptions& options = {});

    int64_t per_epoch() const;
    /// The batch of a step; each epoch has an order of its own. Costs least in ascending order.
    PairBatch at(int64_t step);

    /// Chosen pairs as one batch, in the order given.
    PairBatch batch_of(const std::vector<int32_t>& positions) const;

private:
    void begin_epoch(int64_t epoch);

    std::vector<PairIds> pairs_;
    PairBatchOptions options_;
    std::vector<std::vector<int32_t>> batches_;  // of epoch epoch_
    int64_t epoch_ = -1;
};

}  // namespace gradus::data
