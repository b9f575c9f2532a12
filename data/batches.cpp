#include "data/batches.h"

#include <cstring>

#include "autograd/parallel.h"

namespace gradus::data {
namespace {

const char* bytes(const Tensor& x) {
    switch (x.dtype()) {
        case Dtype::f32:
            return reinterpret_cast<const char*>(x.data<float>());
        case Dtype::f64:
            return reinterpret_cast<const char*>(x.data<double>());
        default:
            return reinterpret_cast<const char*>(x.data<int32_t>());
    }
}

}  // namespace

Tensor take_rows(const Tensor& x, const int32_t* positions, int64_t count) {
    Shape shape = x.shape();
    const int64_t width = shape.size(1, shape.rank());
    shape[0] = count;
    Tensor rows = Tensor::empty(shape, x.dtype());
    const size_t row_bytes = static_cast<size_t>(width) * bytes_of(x.dtype());
    const char* source = bytes(x);
    char* target = const_cast<char*>(bytes(rows));
    parallel_rows(count, width, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            std::memcpy(target + static_cast<size_t>(i) * row_bytes,
                        source + static_cast<size_t>(positions[i]) * row_bytes, row_bytes);
    });
    return rows;
}

Batches::Batches(Tensor x, Tensor y, int64_t size, const BatchOptions& options)
    : x_(std::move(x)), y_(std::move(y)), size_(size), options_(options) {
    check(x_.rank() >= 1 && y_.rank() >= 1 && x_.size(0) == y_.size(0), "batches",
          "inputs are {}, targets are {}; the same number of rows expected", x_.shape(),
          y_.shape());
    check(size_ >= 1 && per_epoch() >= 1, "batches",
          "batches of {} from {} rows; a size from 1 up to the number of rows expected", size_,
          x_.size(0));
    order_ = Tensor::empty({x_.size(0)}, Dtype::i32);
    for (int64_t i = 0; i < order_.size(); ++i) order_.data<int32_t>()[i] = static_cast<int32_t>(i);
}

int64_t Batches::per_epoch() const {
    return (x_.size(0) + (options_.keep_last ? size_ - 1 : 0)) / size_;
}

Batch Batches::at(int64_t step) {
    check(step >= 0, "batches", "step {}; steps count from 0", step);
    if (options_.shuffle && epoch_ != epoch_of(step)) {
        epoch_ = epoch_of(step);
        order_ = Rng(options_.seed, epoch_).permutation(x_.size(0));
    }
    const int64_t first = step % per_epoch() * size_;
    const int64_t count = std::min(size_, x_.size(0) - first);
    const int32_t* positions = order_.data<int32_t>() + first;
    return {take_rows(x_, positions, count), take_rows(y_, positions, count)};
}

}  // namespace gradus::data
