// Batches of sequences: one long stream, cut so that a state can be carried on, or read in windows
// from anywhere; or many sequences of different lengths, padded.
#pragma once

#include <vector>

#include "autograd/random.h"
#include "data/batches.h"

namespace gradus::data {

/// Batches for truncated backpropagation through time (Williams and Peng 1990; Mikolov et al.
/// 2010): the stream is cut into `batch` equal rows, and each step reads the next `time` ids of
/// every row, so that the state after one step is the state before the next. A pass predicts each id
/// once, but for the first and for fewer than batch * time at the end, which do not fill a step.
///
///     StreamBatches batches(ids, 32, 64);
///     for (int64_t step = 0; step < epochs * batches.per_epoch(); ++step) {
///         if (batches.begins(step)) state = {};       // a new pass over the text
///         const auto [x, y] = batches.at(step);       // [B, T]: ids, and the ids that follow
class StreamBatches {
public:
    /// ids [N], i32. Throws Error where N is too small for one step, which takes batch * time + 1.
    StreamBatches(Tensor ids, int64_t batch, int64_t time);

    int64_t per_epoch() const;
    bool begins(int64_t step) const { return step % per_epoch() == 0; }
    Batch at(int64_t step) const;

private:
    Tensor ids_;
    int64_t batch_, time_;
};

/// Batches for a model that carries nothing on: windows of `time` ids from random places of the
/// stream. Which places depends on the seed and the step alone.
class RandomWindows {
public:
    /// ids [N], i32. Throws Error where N is too small for one window, which takes time + 1.
    RandomWindows(Tensor ids, int64_t batch, int64_t time, uint64_t seed = 0);

    /// [B, T] both: ids, and the ids that follow.
    Batch at(int64_t step) const;

private:
    Tensor ids_;
    int64_t batch_, time_;
    uint64_t seed_;
};

/// Sequences side by side, the shorter ones filled up.
struct PaddedBatch {
    Tensor x;        // [B, T], i32: ids
    Tensor y;        // [B, T], i32: the ids that follow; after the end -100, which losses ignore
    Tensor lengths;  // [B], i32: of x, 1 ... T
};

struct PaddedOptions {
    uint64_t seed = 0;
    bool shuffle = true;  // false: in the order given
    int32_t padding = 0;  // the id that x is filled up with
};

/// Batches of sequences of different lengths: x is a sequence without its last id, y without its
/// first. Where they are shuffled, sequences of similar length share a batch (sorted by length, equal
/// lengths at random, then shuffled batch by batch), so that little is padding. As with Batches, the
/// batch of a step depends on the seed and the step alone; every sequence is in every epoch, so that
/// one batch may be shorter.
class PaddedBatches {
public:
    /// Throws Error where a sequence has fewer than two ids, naming its position.
    PaddedBatches(std::vector<std::vector<int32_t>> sequences, int64_t batch,
                  const PaddedOptions& options = {});

    int64_t per_epoch() const;
    /// The batch of a step; each epoch has an order of its own. Costs least in ascending order.
    PaddedBatch at(int64_t step);

private:
    void begin_epoch(int64_t epoch);

    std::vector<std::vector<int32_t>> sequences_;
    int64_t batch_;
    PaddedOptions options_;
    std::vector<int32_t> order_, batch_order_;  // of epoch epoch_: of the sequences, of the batches
    int64_t epoch_ = -1;
};

}  // namespace gradus::data
