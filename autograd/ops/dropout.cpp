#include "autograd/ops/elementwise.h"

namespace gradus {

// y = x m / (1 - p) with m drawn from a generator's state;  dx = dy m / (1 - p): the same op, with the same numbers. The
// mask is not stored but drawn again.
static Tensor masked(const Tensor& x, double p, uint64_t state) {
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch("dropout", x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = x.data<T>();
        T* out = y.data<T>();
        const T scale = static_cast<T>(1 / (1 - p));
        const auto threshold = static_cast<uint64_t>(p * 0x1p53);
        parallel_for(x.size(), kGrain, [&](int64_t begin, int64_t end) {
#pragma omp simd
            for (int64_t i = begin; i < end; ++i)
                out[i] = Rng::at(state, static_cast<uint64_t>(i)) >> 11 < threshold ? T(0)
                                                                                    : in[i] * scale;
        });
    });
    return record("dropout", {x}, y, [p, state](const Tensor& dy, Gradient dx) {
        if (dx) dx += masked(dy, p, state);
    });
}

Tensor dropout(const Tensor& x, double p, Rng& rng) {
    check(p >= 0 && p < 1, "dropout", "p is {}, 0 <= p < 1 expected", p);
    if (p == 0) return x;
    const uint64_t state = rng.state();
    rng.skip(static_cast<uint64_t>(x.size()));
    return masked(x, p, state);
}

}  // namespace gradus
