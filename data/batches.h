// Shuffled minibatches.
#pragma once

#include "autograd/random.h"

namespace gradus::data {

/// Rows of inputs and targets that belong together.
struct Batch {
    Tensor x, y;
};

struct BatchOptions {
    uint64_t seed = 0;
    bool shuffle = true;
    bool keep_last = false;  // also the rows that do not fill a batch, as a shorter one
};

/// Minibatches of tensors [N, ...] and [N, ...]. Which rows make up a step's batch depends on the
/// seed and the step alone: a training that is resumed at step k goes on with the same batches.
///
///     Batches batches(train.pixels, train.labels, 128, {.seed = options.seed});
///     for (int64_t step = 0; step < epochs * batches.per_epoch(); ++step) {
///         const auto [x, y] = batches.at(step);
class Batches {
public:
    Batches(Tensor x, Tensor y, int64_t size, const BatchOptions& options = {});

    /// Batches in one pass over the rows.
    int64_t per_epoch() const;
    int64_t epoch_of(int64_t step) const { return step / per_epoch(); }

    /// The batch of a step; each epoch has an order of its own. Costs least in ascending order.
    Batch at(int64_t step);

private:
    Tensor x_, y_;
    int64_t size_;
    BatchOptions options_;
    Tensor order_;  // of epoch epoch_
    int64_t epoch_ = -1;
};

/// Rows of x [N, ...] at `count` positions -> [count, ...], any dtype.
Tensor take_rows(const Tensor& x, const int32_t* positions, int64_t count);

}  // namespace gradus::data
