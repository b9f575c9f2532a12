// Random numbers that are the same on every machine, for any number of threads, and can be saved as one word.
#pragma once

#include "autograd/tensor.h"

namespace gradus {

/// SplitMix64 (Steele, Lea, Flood 2014): the i-th number is a hash of state + i * constant, so that any of a sequence can be
/// had at once: threads fill their parts of a tensor independently.
class Rng {
public:
    explicit Rng(uint64_t seed = 0) : state_(hash(seed)) {}
    /// One for each step, or pass, of a seed: what is drawn for it depends on nothing that was drawn before.
    Rng(uint64_t seed, int64_t step) : Rng(at(hash(seed), static_cast<uint64_t>(step))) {}

    uint64_t next() { return hash(state_ += kStep); }
    /// In [0, 1).
    double uniform() { return to_unit(next()); }
    /// Mean 0, variance 1 (Box and Muller 1958); takes two numbers of the sequence.
    double normal();
    /// A whole number in 0 ... n - 1.
    int64_t below(int64_t n) { return static_cast<int64_t>(uniform() * static_cast<double>(n)); }

    /// Tensors of independent numbers.
    Tensor uniform(const Shape& shape, double low = 0, double high = 1, Dtype dtype = Dtype::f32);
    Tensor normal(const Shape& shape, double mean = 0, double stddev = 1, Dtype dtype = Dtype::f32);
    /// 0 ... n - 1 in random order, i32.
    Tensor permutation(int64_t n);

    /// The whole state; a generator set to it goes on with the same numbers.
    uint64_t state() const { return state_; }
    void set_state(uint64_t state) { state_ = state; }

    /// The number that a generator in this state gives after i others.
    static uint64_t at(uint64_t state, uint64_t i) { return hash(state + (i + 1) * kStep); }
    void skip(uint64_t numbers) { state_ += numbers * kStep; }
    static double to_unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

private:
    static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
    static uint64_t hash(uint64_t x) {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
    uint64_t state_;
};

}  // namespace gradus
