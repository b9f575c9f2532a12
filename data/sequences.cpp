#include "data/sequences.h"

#include <algorithm>
#include <cstring>

#include "autograd/error.h"

namespace gradus::data {

// B batch · T time · N ids in the stream

namespace {

constexpr int32_t kIgnored = -100;  // cross_entropy's ignore_index

}  // namespace

StreamBatches::StreamBatches(Tensor ids, int64_t batch, int64_t time)
    : ids_(std::move(ids)), batch_(batch), time_(time) {
    check(ids_.rank() == 1 && ids_.dtype() == Dtype::i32, "stream batches",
          "the stream is {} {}; ids [N], i32, expected", name(ids_.dtype()), ids_.shape());
    check(batch_ >= 1 && time_ >= 1, "stream batches",
          "{} rows of {} steps asked; at least 1 of each expected", batch_, time_);
    check(
        per_epoch() >= 1, "stream batches",
        "{} ids are too few for {} rows of {} steps, which need one more than {}; give more text, "
        "fewer rows or fewer steps",
        ids_.size(), batch_, time_, batch_ * time_);
}

int64_t StreamBatches::per_epoch() const {
    return (ids_.size() - 1) / time_ / batch_;  // - 1: the last id is only predicted
}

Batch StreamBatches::at(int64_t step) const {
    check(step >= 0, "stream batches", "step {}; steps count from 0", step);
    const int64_t row_length = per_epoch() * time_, first = step % per_epoch() * time_;
    Batch batch{Tensor::empty({batch_, time_}, Dtype::i32),
                Tensor::empty({batch_, time_}, Dtype::i32)};
    for (int64_t row = 0; row < batch_; ++row) {
        const int32_t* source = ids_.data<int32_t>() + row * row_length + first;
        std::copy_n(source, time_, batch.x.data<int32_t>() + row * time_);
        std::copy_n(source + 1, time_, batch.y.data<int32_t>() + row * time_);
    }
    return batch;
}

RandomWindows::RandomWindows(Tensor ids, int64_t batch, int64_t time, uint64_t seed)
    : ids_(std::move(ids)), batch_(batch), time_(time), seed_(seed) {
    check(ids_.rank() == 1 && ids_.dtype() == Dtype::i32, "random windows",
          "the stream is {} {}; ids [N], i32, expected", name(ids_.dtype()), ids_.shape());
    check(batch_ >= 1 && time_ >= 1, "random windows",
          "{} windows of {} steps asked; at least 1 of each expected", batch_, time_);
    check(ids_.size() > time_, "random windows",
          "{} ids are too few for a window of {}, which needs one more; give more text or a "
          "shorter window",
          ids_.size(), time_);
}

Batch RandomWindows::at(int64_t step) const {
    check(step >= 0, "random windows", "step {}; steps count from 0", step);
    Rng rng(seed_, step);
    Batch batch{Tensor::empty({batch_, time_}, Dtype::i32),
                Tensor::empty({batch_, time_}, Dtype::i32)};
    for (int64_t row = 0; row < batch_; ++row) {
        const int32_t* source = ids_.data<int32_t>() + rng.below(ids_.size() - time_);
        std::copy_n(source, time_, batch.x.data<int32_t>() + row * time_);
        std::copy_n(source + 1, time_, batch.y.data<int32_t>() + row * time_);
    }
    return batch;
}

PaddedBatches::PaddedBatches(std::vector<std::vector<int32_t>> sequences, int64_t batch,
                             const PaddedOptions& options)
    : sequences_(std::move(sequences)), batch_(batch), options_(options) {
    check(!sequences_.empty(), "padded batches", "there are no sequences; give at least one");
    check(batch_ >= 1, "padded batches", "batches of {} asked; at least 1 expected", batch_);
    for (size_t i = 0; i < sequences_.size(); ++i)
        check(sequences_[i].size() >= 2, "padded batches",
              "sequence {} has length {}; at least 2 ids expected, one to see and one to predict; "
              "leave it out, or put a token before and after it",
              i, sequences_[i].size());
}

int64_t PaddedBatches::per_epoch() const {
    return (static_cast<int64_t>(sequences_.size()) + batch_ - 1) / batch_;
}

void PaddedBatches::begin_epoch(int64_t epoch) {
    const auto count = static_cast<int64_t>(sequences_.size());
    order_.resize(sequences_.size());
    batch_order_.resize(static_cast<size_t>(per_epoch()));
    const auto fill = [&](std::vector<int32_t>& positions, const Tensor& permutation) {
        std::copy_n(permutation.data<int32_t>(), positions.size(), positions.data());
    };
    epoch_ = epoch;
    Rng rng(options_.seed, epoch);
    fill(order_, rng.permutation(count));
    std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
        return sequences_[static_cast<size_t>(a)].size() <
               sequences_[static_cast<size_t>(b)].size();
    });
    fill(batch_order_, rng.permutation(per_epoch()));
}

PaddedBatch PaddedBatches::at(int64_t step) {
    check(step >= 0, "padded batches", "step {}; steps count from 0", step);
    if (options_.shuffle && epoch_ != step / per_epoch()) begin_epoch(step / per_epoch());

    const auto number = static_cast<size_t>(step % per_epoch());
    const auto first =
        static_cast<int64_t>(options_.shuffle ? batch_order_[number] : number) * batch_;
    const int64_t rows = std::min(batch_, static_cast<int64_t>(sequences_.size()) - first);
    const auto sequence = [&](int64_t row) -> const std::vector<int32_t>& {
        const auto place = static_cast<size_t>(first + row);
        return sequences_[options_.shuffle ? static_cast<size_t>(order_[place]) : place];
    };

    int64_t time = 0;  // T
    for (int64_t row = 0; row < rows; ++row)
        time = std::max(time, static_cast<int64_t>(sequence(row).size()) - 1);
    PaddedBatch batch{Tensor::full({rows, time}, options_.padding, Dtype::i32),
                      Tensor::full({rows, time}, kIgnored, Dtype::i32),
                      Tensor::empty({rows}, Dtype::i32)};
    for (int64_t row = 0; row < rows; ++row) {
        const std::vector<int32_t>& ids = sequence(row);
        std::copy(ids.begin(), ids.end() - 1, batch.x.data<int32_t>() + row * time);
        std::copy(ids.begin() + 1, ids.end(), batch.y.data<int32_t>() + row * time);
        batch.lengths.data<int32_t>()[row] = static_cast<int32_t>(ids.size() - 1);
    }
    return batch;
}

}  // namespace gradus::data
