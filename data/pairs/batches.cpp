#include "data/pairs/batches.h"

#include <algorithm>
#include <numeric>

#include "autograd/error.h"

namespace gradus::data {

// B batch · S longest source · T longest target less one

namespace {

constexpr int32_t kIgnored = -100;  // cross_entropy's ignore_index

int64_t length(const std::vector<int32_t>& ids) { return static_cast<int64_t>(ids.size()); }

}  // namespace

PairBatches::PairBatches(std::vector<PairIds> pairs, const PairBatchOptions& options)
    : pairs_(std::move(pairs)), options_(options) {
    check(!pairs_.empty(), "pair batches", "there are no pairs; give at least one");
    check(options_.batch >= 1, "pair batches", "batches of {} asked; at least 1 expected",
          options_.batch);
    for (size_t i = 0; i < pairs_.size(); ++i) {
        check(!pairs_[i].source.empty(), "pair batches",
              "the source of pair {} is empty; leave the pair out", i);
        check(pairs_[i].target.size() >= 2, "pair batches",
              "the target of pair {} has {} ids; at least a start and an end expected; leave the "
              "pair out",
              i, pairs_[i].target.size());
    }
}

int64_t PairBatches::per_epoch() const {
    return (static_cast<int64_t>(pairs_.size()) + options_.batch - 1) / options_.batch;
}

void PairBatches::begin_epoch(int64_t epoch) {
    const auto count = static_cast<int64_t>(pairs_.size());
    std::vector<int32_t> order(pairs_.size()), batch_order(static_cast<size_t>(per_epoch()));
    std::iota(order.begin(), order.end(), 0);
    std::iota(batch_order.begin(), batch_order.end(), 0);
    if (options_.shuffle) {
        Rng rng(options_.seed, epoch);
        const auto fill = [](std::vector<int32_t>& positions, const Tensor& permutation) {
            std::copy_n(permutation.data<int32_t>(), positions.size(), positions.data());
        };
        const auto sizes = [&](int32_t position) {
            const PairIds& pair = pairs_[static_cast<size_t>(position)];
            return std::pair(pair.target.size(), pair.source.size());
        };
        fill(order, rng.permutation(count));
        std::stable_sort(order.begin(), order.end(),
                         [&](int32_t a, int32_t b) { return sizes(a) < sizes(b); });
        fill(batch_order, rng.permutation(per_epoch()));
    }
    batches_.clear();
    for (const int32_t number : batch_order) {
        const int64_t first = number * options_.batch;
        const int64_t last = std::min(first + options_.batch, count);
        batches_.emplace_back(order.begin() + first, order.begin() + last);
    }
    epoch_ = epoch;
}

PairBatch PairBatches::at(int64_t step) {
    check(step >= 0, "pair batches", "step {}; steps count from 0", step);
    const int64_t epoch = options_.shuffle ? step / per_epoch() : 0;
    if (epoch_ != epoch) begin_epoch(epoch);
    return batch_of(batches_[static_cast<size_t>(step % per_epoch())]);
}

PairBatch PairBatches::batch_of(const std::vector<int32_t>& positions) const {
    check(!positions.empty(), "pair batches", "a batch of no pairs asked; at least 1 expected");
    int64_t longest_source = 0, longest_target = 0;
    for (const int32_t position : positions) {
        check(0 <= position && position < static_cast<int64_t>(pairs_.size()), "pair batches",
              "there is no pair {}; 0 ... {} expected", position, pairs_.size() - 1);
        const PairIds& pair = pairs_[static_cast<size_t>(position)];
        longest_source = std::max(longest_source, length(pair.source));
        longest_target = std::max(longest_target, length(pair.target) - 1);
    }

    const auto rows = static_cast<int64_t>(positions.size());
    PairBatch batch{Tensor::full({rows, longest_source}, options_.padding, Dtype::i32),
                    Tensor::empty({rows}, Dtype::i32),
                    Tensor::full({rows, longest_target}, options_.padding, Dtype::i32),
                    Tensor::full({rows, longest_target}, kIgnored, Dtype::i32),
                    Tensor::empty({rows}, Dtype::i32)};
    for (int64_t row = 0; row < rows; ++row) {
        const auto& [source, target] =
            pairs_[static_cast<size_t>(positions[static_cast<size_t>(row)])];
        std::copy(source.begin(), source.end(),
                  batch.source.data<int32_t>() + row * longest_source);
        std::copy(target.begin(), target.end() - 1, batch.x.data<int32_t>() + row * longest_target);
        std::copy(target.begin() + 1, target.end(), batch.y.data<int32_t>() + row * longest_target);
        batch.source_lengths.data<int32_t>()[row] = static_cast<int32_t>(source.size());
        batch.target_lengths.data<int32_t>()[row] = static_cast<int32_t>(target.size() - 1);
    }
    return batch;
}

}  // namespace gradus::data
