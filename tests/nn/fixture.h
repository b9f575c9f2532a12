// PyTorch's figures (tests/fixtures/make_*.py), and how far ours are from them.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "nn/module.h"
#include "nn/safetensors.h"

namespace gradus::test {

/// The tensors of a file of fixtures under "NAME/".
inline nn::StateDict fixture(const std::string& name, const std::string& file = "nn") {
    const std::string path = std::string(GRADUS_FIXTURES "/") + file + ".safetensors";
    return nn::with_prefix_removed(nn::load_safetensors(path).tensors, name + "/");
}

/// The largest difference between two tensors; infinity where shapes differ.
inline double distance(const Tensor& a, const Tensor& b) {
    if (!a.defined() || !b.defined() || !(a.shape() == b.shape())) return INFINITY;
    double largest = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const double apart = std::abs(a.at(i) - b.at(i));
        if (!(apart <= largest)) largest = apart;  // a NaN stays
    }
    return largest;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
    if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
    for (int64_t i = 0; i < a.size(); ++i)
        if (std::bit_cast<uint64_t>(a.at(i)) != std::bit_cast<uint64_t>(b.at(i))) return false;
    return true;
}

inline bool same_bits(const nn::StateDict& a, const nn::StateDict& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.first == y.first && same_bits(x.second, y.second);
    });
}

/// The numbers of a dict, to be compared with later ones.
inline nn::StateDict copy(const nn::StateDict& dict) {
    nn::StateDict result;
    for (const auto& [name, x] : dict) result.emplace(name, x.clone());
    return result;
}

/// The parameters whose gradients are further than `tolerance` from "gradients/NAME"; none: "".
inline std::string wrong_gradients(const nn::Module& model, const nn::StateDict& torch,
                                   double tolerance) {
    std::string wrong;
    for (const auto& [name, x] : model.named_parameters())
        if (!(distance(x.grad(), torch.at("gradients/" + name)) < tolerance)) wrong += name + " ";
    return wrong;
}

/// Runs with a number of threads, then with as many as before.
class Threads {
public:
    explicit Threads([[maybe_unused]] int count) {
#ifdef _OPENMP
        before_ = omp_get_max_threads();
        omp_set_num_threads(count);
#endif
    }
    ~Threads() {
#ifdef _OPENMP
        omp_set_num_threads(before_);
#endif
    }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

private:
    int before_ = 1;
};

}  // namespace gradus::test
