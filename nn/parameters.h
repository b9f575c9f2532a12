// Parameters and their gradients, each in one run of memory: what an optimizer works on.
#pragma once

#include <vector>

#include "autograd/parallel.h"
#include "autograd/tensor.h"

namespace gradus::nn {

/// Moves parameters (leaves of one dtype) into one flat block and their gradients into another, so
/// that clipping, updating and saving are single passes. Each starts on a boundary of 64 bytes or
/// more; what lies between them is zero and stays zero. The tensors themselves stay the same to
/// whoever holds them.
///
/// A parameter lives in one block at a time: the one made last. Throws Error where the list is
/// empty, mixes dtypes or names a tensor twice.
class FlatParameters {
public:
    explicit FlatParameters(std::vector<Tensor> parameters);

    const std::vector<Tensor>& parameters() const { return parameters_; }
    Dtype dtype() const { return values_.dtype(); }

    /// The flat blocks [n], and where a parameter starts in them; begin(count) is n. The gradient
    /// of a parameter that has none is whatever was there before.
    const Tensor& values() const { return values_; }
    const Tensor& gradients() const { return gradients_; }
    int64_t begin(size_t parameter) const { return offsets_[parameter]; }

    /// Another block of the same layout, zeros: for an optimizer's moments.
    Tensor zeros() const { return Tensor::zeros(values_.shape(), dtype()); }
    /// A parameter's part of such a block, in the parameter's shape.
    Tensor part(const Tensor& block, size_t parameter) const;

    /// Forgets the gradients; the next to arrive overwrites. Touches no number.
    void zero_grad();

    /// The Euclidean length of all gradients together: sums of squares in double, in pieces that
    /// depend on the layout alone, so that the result has the same bits for any number of threads.
    double grad_norm() const;

    /// Scales the gradients by max_norm / (norm + 1e-6) where that is below 1, as PyTorch does, and
    /// returns the norm before. No number is touched where nothing is to be scaled.
    double clip_grad_norm(double max_norm);

    /// Calls f(begin, end) for each run of neighbours, among the parameters first ... last - 1,
    /// that have a gradient and agree in key(parameter): the whole range, as a rule.
    template <class Key, class F>
    void for_runs(size_t first, size_t last, Key&& key, F&& f) const;

    /// Throws Error if a parameter has moved to a block made later: this one is dead.
    void check_alive() const;

private:
    std::vector<Tensor> parameters_;
    std::vector<int64_t> offsets_;
    Tensor values_, gradients_;
    mutable std::vector<double> partial_sums_;
};

template <class Key, class F>
void FlatParameters::for_runs(size_t first, size_t last, Key&& key, F&& f) const {
    const auto has_gradient = [&](size_t i) { return parameters_[i].grad().defined(); };
    for (size_t i = first; i < last;) {
        size_t end = i + 1;
        if (has_gradient(i)) {
            while (end < last && has_gradient(end) && key(end) == key(i)) ++end;
            f(i, end);
        }
        i = end;
    }
}

}  // namespace gradus::nn
