// Bahdanau's attention. Of the [B, T, S, A] numbers tanh(q + k) none is kept: they are made again on the way back.
// B batch · T queries · S keys · A width of the comparison · D width of what is attended to
#include <algorithm>
#include <limits>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/lengths.h"

namespace gradus {
namespace {

constexpr const char* kOp = "additive_attention";

struct Sizes {
    int64_t B, T, S, A, D;
    std::vector<int32_t> lengths;

    Sizes(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& h, const Tensor& given) {
        check(
            q.rank() == 3 && k.rank() == 3 && h.rank() == 3 && k.size(0) == q.size(0) &&
                k.size(2) == q.size(2) && v.shape() == Shape{q.size(2)} && h.size(0) == k.size(0) &&
                h.size(1) == k.size(1),
            kOp,
            "q is {}, k is {}, v is {}, h is {}: [B, T, A], [B, S, A], [A] and [B, S, D] expected",
            q.shape(), k.shape(), v.shape(), h.shape());
        for (const Tensor& x : {k, v, h}) check_same_dtype(kOp, q, x);
        B = q.size(0), T = q.size(1), S = k.size(1), A = q.size(2), D = h.size(2);
        lengths = detail::row_lengths(kOp, given, B, 0, S);
    }
    int64_t length(int64_t b) const { return lengths[static_cast<size_t>(b)]; }
};

template <class T>
T dot(const T* a, const T* b, int64_t n) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

// to += factor x
template <class T>
void add_scaled(T* to, T factor, const T* x, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] += factor * x[i];
}

// One query against `length` keys: weights p [S], then y [D].
template <class T>
void attend(const Sizes& n, int64_t length, const T* q, const T* k, const T* v, const T* h, T* p,
            T* y) {
    T top = -std::numeric_limits<T>::infinity(), total = 0;
    for (int64_t s = 0; s < length; ++s) {
        const T* key = k + s * n.A;
        T e = 0;
#pragma omp simd reduction(+ : e)
        for (int64_t a = 0; a < n.A; ++a) e += v[a] * vec::tanh(q[a] + key[a]);
        p[s] = e;
        top = std::max(top, e);
    }
    for (int64_t s = 0; s < length; ++s) total += p[s] = vec::exp(p[s] - top);
    std::fill_n(p + length, n.S - length, T(0));
    std::fill_n(y, n.D, T(0));
    for (int64_t s = 0; s < length; ++s) add_scaled(y, p[s] /= total, h + s * n.D, n.D);
}

// Its way back: adds to dq [A], dk [S, A], dv [A], dh [S, D].
template <class T>
void go_back(const Sizes& n, int64_t length, const T* q, const T* k, const T* v, const T* h,
             const T* p, const T* dy, T* de, T* dq, T* dk, T* dv, T* dh) {
    T mean = 0;
    for (int64_t s = 0; s < length; ++s) mean += p[s] * (de[s] = dot(dy, h + s * n.D, n.D));
    for (int64_t s = 0; s < length; ++s) {
        add_scaled(dh + s * n.D, p[s], dy, n.D);
        const T d = p[s] * (de[s] - mean), *key = k + s * n.A;
        T* dkey = dk + s * n.A;
#pragma omp simd
        for (int64_t a = 0; a < n.A; ++a) {
            const T th = vec::tanh(q[a] + key[a]), g = d * v[a] * (1 - th * th);
            dv[a] += d * th;
            dq[a] += g;
            dkey[a] += g;
        }
    }
}

}  // namespace

// With g_ts = de_ts v (1 - tanh²):  de = p (dy·h - Σ p dy·h),  dq = Σ_s g,  dk = Σ_t g,  dv = Σ de tanh,  dh = Σ_t p dy
Attention additive_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& h,
                             const Tensor& key_lengths) {
    if (Tape::wants_composed()) return composed::additive_attention(q, k, v, h, key_lengths);
    const Sizes n(q, k, v, h, key_lengths);
    Tensor y = Tensor::empty({n.B, n.T, n.D}, q.dtype()),
           p = Tensor::empty({n.B, n.T, n.S}, q.dtype());
    dispatch(kOp, q.dtype(), [&](auto zero) {
        using T = decltype(zero);
        T *ys = y.data<T>(), *ps = p.data<T>();
        parallel_rows(n.B * n.T, n.S * (n.A + n.D), [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const int64_t b = i / n.T;
                attend(n, n.length(b), q.data<T>() + i * n.A, k.data<T>() + b * n.S * n.A,
                       v.data<T>(), h.data<T>() + b * n.S * n.D, ps + i * n.S, ys + i * n.D);
            }
        });
    });
    y = record(
        kOp, {q, k, v, h}, y,
        [=](const Tensor& dy, Gradient dq, Gradient dk, Gradient dv, Gradient dh) {
            dispatch(kOp, q.dtype(), [&](auto zero) {
                using T = decltype(zero);
                // A gradient that nobody wants goes to memory of its own: all four come from the same loop. Bare pointers, because
                // two of the inputs may be one tensor and share a gradient.
                std::vector<Tensor> unwanted;
                const auto to = [&](Gradient g, const Tensor& x) {
                    Tensor& memory =
                        g ? g.zeroed() : unwanted.emplace_back(Tensor::zeros(x.shape(), x.dtype()));
                    return memory.data<T>();
                };
                T *dqs = to(dq, q), *dks = to(dk, k), *dhs = to(dh, h);
                Tensor dvs =
                    Tensor::zeros({n.B, n.A}, q.dtype());  // of each row: the sum is in order
                T* dv_b = dvs.data<T>();
                parallel_rows(n.B, n.T * n.S * (n.A + n.D), [&](int64_t begin, int64_t end) {
                    Tensor de = Tensor::empty({n.S}, q.dtype());
                    for (int64_t b = begin; b < end; ++b)
                        for (int64_t i = b * n.T; i < (b + 1) * n.T; ++i)
                            go_back(n, n.length(b), q.data<T>() + i * n.A,
                                    k.data<T>() + b * n.S * n.A, v.data<T>(),
                                    h.data<T>() + b * n.S * n.D, p.data<T>() + i * n.S,
                                    dy.data<T>() + i * n.D, de.data<T>(), dqs + i * n.A,
                                    dks + b * n.S * n.A, dv_b + b * n.A, dhs + b * n.S * n.D);
                });
                if (dv) detail::accumulate(dv.zeroed(), sum(dvs, 0), true);
            });
        });
    return {y, p};
}

Attention composed::additive_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                       const Tensor& h, const Tensor& key_lengths) {
    const Sizes n(q, k, v, h, key_lengths);
    Tensor allowed = Tensor::zeros({n.B, 1, n.S}, q.dtype()), M = allowed.clone();
    for (int64_t b = 0; b < n.B; ++b)
        for (int64_t s = 0; s < n.S; ++s)
            if (s < n.length(b))
                allowed.set(b * n.S + s, 1);
            else if (n.length(b) > 0)
                M.set(b * n.S + s, -std::numeric_limits<double>::infinity());
    const Tensor compared = tanh(reshape(q, {n.B, n.T, 1, n.A}) + reshape(k, {n.B, 1, n.S, n.A}));
    const Tensor e = reshape(matmul(compared, reshape(v, {n.A, 1})), {n.B, n.T, n.S});
    const Tensor p = composed::softmax(e + M) * allowed;
    return {matmul(p, h), p.view(p.shape())};
}

}  // namespace gradus
