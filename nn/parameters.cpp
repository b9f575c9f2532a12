#include "nn/parameters.h"

#include <cmath>
#include <numeric>

#include "autograd/memory.h"

namespace gradus::nn {
namespace {

constexpr int64_t kBoundary = 16;  // elements

const auto kAnyKey = [](size_t) { return 0; };

template <class T>
double sum_of_squares(const T* x, int64_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

}  // namespace

FlatParameters::FlatParameters(std::vector<Tensor> parameters)
    : parameters_(std::move(parameters)) {
    check(!parameters_.empty(), "parameters", "the list is empty; give it model.parameters()");
    offsets_.push_back(0);
    for (size_t i = 0; i < parameters_.size(); ++i) {
        const Tensor& x = parameters_[i];
        check(x.wants_grad(), "parameters", "tensor {} of shape {} does not require a gradient", i,
              x.shape());
        check(x.dtype() == parameters_[0].dtype(), "parameters",
              "tensor {} of shape {} is {}, tensor 0 is {}; one dtype expected", i, x.shape(),
              name(x.dtype()), name(parameters_[0].dtype()));
        for (size_t j = 0; j < i; ++j)
            check(!x.same_as(parameters_[j]), "parameters",
                  "tensors {} and {} of shape {} are the same; list it once", j, i, x.shape());
        const int64_t end = offsets_.back() + x.size();
        offsets_.push_back((end + kBoundary - 1) / kBoundary * kBoundary);
    }
    values_ = Tensor::zeros({offsets_.back()}, parameters_[0].dtype());
    gradients_ = zeros();
    for (size_t i = 0; i < parameters_.size(); ++i)
        parameters_[i].move_into(values_, gradients_, offsets_[i]);
    memory::
        release_cache();  // where the parameters were: nothing else in a training is of these sizes
}

Tensor FlatParameters::part(const Tensor& block, size_t parameter) const {
    return block.view(parameters_[parameter].shape(), offsets_[parameter]);
}

void FlatParameters::zero_grad() {
    for (Tensor& x : parameters_) x.zero_grad();
}

double FlatParameters::grad_norm() const {
    return std::sqrt(dispatch("grad_norm", dtype(), [&](auto zero) {
        using T = decltype(zero);
        double total = 0;
        for_runs(0, parameters_.size(), kAnyKey, [&](size_t first, size_t last) {
            const int64_t n = begin(last) - begin(first);
            const T* gradients = gradients_.data<T>() + begin(first);
            partial_sums_.assign(static_cast<size_t>((n + kGrain - 1) / kGrain), 0);
            parallel_for(n, kGrain, [&](int64_t from, int64_t to) {
                partial_sums_[static_cast<size_t>(from / kGrain)] =
                    sum_of_squares(gradients + from, to - from);
            });
            total = std::accumulate(partial_sums_.begin(), partial_sums_.end(), total);
        });
        return total;
    }));
}

double FlatParameters::clip_grad_norm(double max_norm) {
    const double norm = grad_norm();
    const double factor = max_norm / (norm + 1e-6);
    if (!(factor < 1)) return norm;
    dispatch("clip_grad_norm", dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T scale = static_cast<T>(factor);
        for_runs(0, parameters_.size(), kAnyKey, [&](size_t first, size_t last) {
            T* gradients = gradients_.data<T>() + begin(first);
            parallel_for(begin(last) - begin(first), kGrain, [=](int64_t from, int64_t to) {
#pragma omp simd
                for (int64_t i = from; i < to; ++i) gradients[i] *= scale;
            });
        });
    });
    return norm;
}

void FlatParameters::check_alive() const {
    dispatch("parameters", dtype(), [&](auto zero) {
        using T = decltype(zero);
        for (size_t i = 0; i < parameters_.size(); ++i)
            check(parameters_[i].data<T>() == values_.data<T>() + offsets_[i], "parameters",
                  "parameter {} of shape {} belongs to an optimizer made later; a model has one "
                  "optimizer at a time",
                  i, parameters_[i].shape());
    });
}

}  // namespace gradus::nn
