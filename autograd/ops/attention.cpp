// Attention of many heads, read where they lie: head h of a row is columns h d ... h d + d - 1 of its matrix, which may itself
// be a part of the rows of a wider one.
// B batch · H heads · T queries · S keys · d width of a head · D = H d
#include <cmath>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/lengths.h"
#include "autograd/packed.h"

namespace gradus {
namespace {

constexpr const char* kOp = "attention";

// Where one of q, k, v lies: [B, rows, D] as columns `offset` ... of [B, rows, stride].
template <class T>
struct Place {
    T* data;
    int64_t offset, stride;
    bool add = false;  // to what is there, or take its place?
    T* head(int64_t b, int64_t rows, int64_t h, int64_t d) const {
        return data + b * rows * stride + offset + h * d;
    }
    Rows<T> head_rows(int64_t b, int64_t rows, int64_t h, int64_t d) const {
        return Rows(head(b, rows, h, d), stride);
    }
};

// The sizes of one call, after everything was checked.
struct Sizes {
    int64_t B, T, S, H, d;
    bool causal;
    std::vector<int32_t> lengths;  // keys of each row that are no padding

    Sizes(int64_t batch, int64_t queries, int64_t keys, int64_t width, int64_t heads,
          const AttentionMask& mask)
        : B(batch),
          T(queries),
          S(keys),
          H(heads),
          d(heads > 0 ? width / heads : 0),
          causal(mask.causal) {
        check(heads > 0 && width % heads == 0, kOp, "a width of {} does not divide into {} heads",
              width, heads);
        lengths = detail::row_lengths(kOp, mask.key_lengths, B, 0, S);
    }

    // How many keys, from the first on, query t of row b may attend to.
    int64_t visible(int64_t b, int64_t t) const {
        const int64_t length = lengths[static_cast<size_t>(b)];
        return causal ? std::clamp<int64_t>(t + 1 + S - T, 0, length) : length;
    }
    // The first query that may attend to key s.
    int64_t first_query(int64_t s) const { return causal ? std::max<int64_t>(0, s + T - S) : 0; }
};

// p = softmax(scale p) over the first `visible` of n numbers, in place; the others become 0. Whole vectors are worked on, the
// last one filled up with -infinity, which weighs nothing.
template <class T>
void softmax_row(T* p, int64_t visible, int64_t n, T scale) {
    const int64_t whole = std::min(n, (visible + 15) / 16 * 16);
    T top = -std::numeric_limits<T>::infinity(), sum = 0;
    std::fill(p + visible, p + whole, top);
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < whole; ++i) top = p[i] > top ? p[i] : top;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < whole; ++i) sum += p[i] = vec::exp((p[i] - top) * scale);
    const T inverse = 1 / sum;
#pragma omp simd
    for (int64_t i = 0; i < whole; ++i) p[i] *= inverse;
    std::fill(p + whole, p + n, T(0));
}

// One thread's work, a head at a time.
template <class T>
struct Kernel {
    const Sizes& n;
    T scale = 1 / std::sqrt(static_cast<T>(n.d));

    // C = A B, or C += A B, where each tile of rows needs the part of B that part(first row, last row) names.
    template <class Part>
    static void product(const Packed<T>& b, int64_t rows, Rows<const T> a, Rows<T> c, bool add,
                        Part part) {
        for (int64_t first = 0; first < rows; first += kTileRows) {
            const int64_t last = std::min<int64_t>(rows, first + kTileRows);
            const Rows<T> to(c[first], c.stride());
            b.multiply(last - first, Rows(a[first], a.stride()), add ? to : Rows<const T>(), to,
                       part(first, last));
        }
    }

    // One query, as at each step of a decoder: keys and values are read once, as they lie.
    void forward_once(const T* query, const T* key, int64_t key_stride, const T* value,
                      int64_t value_stride, int64_t visible, T* p, T* y) const {
        for (int64_t s = 0; s < visible; ++s, key += key_stride) {
            T dot = 0;
#pragma omp simd reduction(+ : dot)
            for (int64_t i = 0; i < n.d; ++i) dot += query[i] * key[i];
            p[s] = dot;
        }
        softmax_row(p, visible, n.S, scale);
        std::fill_n(y, n.d, T(0));
        for (int64_t s = 0; s < visible; ++s, value += value_stride)
#pragma omp simd
            for (int64_t i = 0; i < n.d; ++i) y[i] += p[s] * value[i];
    }

    // P = softmax(Q Kᵀ / √d + M),  Y = P V.
    void forward(int64_t b, int64_t h, const Place<const T>& q, const Place<const T>& k,
                 const Place<const T>& v, T* p, T* y) {
        if (n.T == 1)
            return forward_once(q.head(b, 1, h, n.d), k.head(b, n.S, h, n.d), k.stride,
                                v.head(b, n.S, h, n.d), v.stride, n.visible(b, 0), p, y);
        const Packed<T> keys(true, n.d, n.S, k.head(b, n.S, h, n.d), k.stride),
            values(false, n.S, n.d, v.head(b, n.S, h, n.d), v.stride);
        const Rows<T> ps(p, n.S), ys(y, n.H * n.d);
        product(keys, n.T, q.head_rows(b, n.T, h, n.d), ps, false, [&](auto, auto last) {
            return PackedRange{0, n.d, n.visible(b, last - 1)};
        });
        for (int64_t t = 0; t < n.T; ++t) {
            softmax_row(p + t * n.S, n.visible(b, t), n.S, scale);
        }
        product(values, n.T, ps, ys, false, [&](auto, auto last) {
            return PackedRange{0, n.visible(b, last - 1), n.d};
        });
    }

    // dP = dY Vᵀ,  dS = P (dP - Σ dP P) / √d;  dQ = dS K,  dK = dSᵀ Q,  dV = Pᵀ dY. Gradients that nobody
    // wants have no data.
    void backward(int64_t b, int64_t h, const Place<const T>& q, const Place<const T>& k,
                  const Place<const T>& v, const T* p, const T* dy, const Place<T>& dq,
                  const Place<T>& dk, const Place<T>& dv, T* ds) {
        const Rows<const T> ps(p, 1), dys(dy, n.H * n.d);
        const Rows<T> dss(ds, n.S);
        const auto all_queries = [&](auto first, auto) {  // of P and dS, read transposed
            return PackedRange{n.first_query(first), n.T, n.d, n.S};
        };
        if (dv.data) {
            const Packed<T> packed(false, n.T, n.d, dy, dys.stride());
            product(packed, n.S, ps, dv.head_rows(b, n.S, h, n.d), dv.add, all_queries);
        }
        if (!dq.data && !dk.data) return;
        const Packed<T> values(true, n.d, n.S, v.head(b, n.S, h, n.d), v.stride);
        product(values, n.T, dys, dss, false, [&](auto, auto last) {
            return PackedRange{0, n.d, n.visible(b, last - 1)};
        });
        for (int64_t t = 0; t < n.T; ++t) {
            const int64_t visible = n.visible(b, t);
            const T* p_t = p + t * n.S;
            T *ds_t = ds + t * n.S, dot = 0;
#pragma omp simd reduction(+ : dot)
            for (int64_t s = 0; s < visible; ++s) dot += p_t[s] * ds_t[s];
#pragma omp simd
            for (int64_t s = 0; s < visible; ++s) ds_t[s] = p_t[s] * (ds_t[s] - dot) * scale;
            std::fill_n(ds_t + visible, n.S - visible, T(0));
        }
        if (dq.data) {
            const Packed<T> keys(false, n.S, n.d, k.head(b, n.S, h, n.d), k.stride);
            product(keys, n.T, dss, dq.head_rows(b, n.T, h, n.d), dq.add, [&](auto, auto last) {
                return PackedRange{0, n.visible(b, last - 1), n.d};
            });
        }
        if (dk.data) {
            const Packed<T> queries(false, n.T, n.d, q.head(b, n.T, h, n.d), q.stride);
            product(queries, n.S, Rows<const T>(ds, 1), dk.head_rows(b, n.S, h, n.d), dk.add,
                    all_queries);
        }
    }
};

// Where q, k and v are among the inputs of the op: which one, and from which column on.
struct Layout {
    struct Part {
        size_t input;
        int64_t offset;
    };
    Part q, k, v;
};

Attention attend(const std::vector<Tensor>& inputs, const Layout& at, const Sizes& n) {
    const Dtype dtype = inputs[0].dtype();
    for (const Tensor& x : inputs) check_same_dtype(kOp, inputs[0], x);
    Tensor y = Tensor::empty({n.B, n.T, n.H * n.d}, dtype),
           p = Tensor::empty({n.B, n.H, n.T, n.S}, dtype);
    // Calls f(b, h) for all heads, some on each thread.
    const auto for_heads = [n](auto&& f) {
        parallel_rows(n.B * n.H, n.T * n.S * n.d, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) f(i / n.H, i % n.H);
        });
    };
    dispatch(kOp, dtype, [&](auto zero) {
        using T = decltype(zero);
        const auto place = [&](const Layout::Part& part) {
            const Tensor& x = inputs[part.input];
            return Place<const T>{x.data<T>(), part.offset, x.size(-1)};
        };
        T *ps = p.data<T>(), *ys = y.data<T>();
        for_heads([&](int64_t b, int64_t h) {
            Kernel<T>{n}.forward(b, h, place(at.q), place(at.k), place(at.v),
                                 ps + (b * n.H + h) * n.T * n.S,
                                 ys + b * n.T * n.H * n.d + h * n.d);
        });
    });
    const std::vector<Input> recorded(inputs.begin(), inputs.end());
    y = record(kOp, recorded, y, [=](const Tensor& dy, std::span<const Gradient> d) {
        dispatch(kOp, dtype, [&](auto zero) {
            using T = decltype(zero);
            const auto place = [&](const Layout::Part& part) {
                const Tensor& x = inputs[part.input];
                return Place<const T>{x.data<T>(), part.offset, x.size(-1)};
            };
            std::vector<Place<T>> gradients;
            for (size_t i = 0; i < d.size(); ++i) {
                gradients.push_back({nullptr, 0, inputs[i].size(-1)});
                if (!d[i]) continue;
                const auto [data, add] = Gradient(d[i]).sink<T>();
                // Two inputs that are one tensor share a gradient: both add to zeros.
                for (Place<T>& earlier : gradients)
                    if (earlier.data == data && !earlier.add) {
                        std::fill_n(data, inputs[i].size(), T(0));
                        earlier.add = true;
                    }
                gradients[i].data = data, gradients[i].add = add;
            }
            const auto sink = [&](const Layout::Part& part) {
                Place<T> whole = gradients[part.input];
                whole.offset = part.offset;
                return whole;
            };
            const T *ps = p.data<T>(), *dys = dy.data<T>();
            for_heads([&](int64_t b, int64_t h) {
                Tensor ds = Tensor::empty({n.T * n.S}, dtype);
                Kernel<T>{n}.backward(b, h, place(at.q), place(at.k), place(at.v),
                                      ps + (b * n.H + h) * n.T * n.S,
                                      dys + b * n.T * n.H * n.d + h * n.d, sink(at.q), sink(at.k),
                                      sink(at.v), ds.data<T>());
            });
        });
    });
    return {y, p};
}

void check_rank(const char* what, const Tensor& x) {
    check(x.rank() == 3, kOp, "{} is {}: three axes expected, [batch, positions, width]", what,
          x.shape());
}

}  // namespace

Attention scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                       int64_t heads, const AttentionMask& mask) {
    if (Tape::wants_composed()) return composed::scaled_dot_product_attention(q, k, v, heads, mask);
    check_rank("q", q), check_rank("k", k);
    check(k.shape() == v.shape() && q.size(0) == k.size(0) && q.size(2) == k.size(2), kOp,
          "q is {}, k is {}, v is {}: [B, T, D], [B, S, D] and [B, S, D] expected", q.shape(),
          k.shape(), v.shape());
    const Sizes n(q.size(0), q.size(1), k.size(1), q.size(2), heads, mask);
    return attend({q, k, v}, {{0, 0}, {1, 0}, {2, 0}}, n);
}

Attention self_attention(const Tensor& qkv, int64_t heads, const AttentionMask& mask) {
    check_rank("qkv", qkv);
    const int64_t D = qkv.size(2) / 3;
    check(qkv.size(2) == 3 * D, kOp, "qkv is {}: [B, T, 3 D] expected", qkv.shape());
    if (Tape::wants_composed()) {
        const auto parts = split(qkv, D, -1);
        return composed::scaled_dot_product_attention(parts[0], parts[1], parts[2], heads, mask);
    }
    const Sizes n(qkv.size(0), qkv.size(1), qkv.size(1), D, heads, mask);
    return attend({qkv}, {{0, 0}, {0, D}, {0, 2 * D}}, n);
}

Attention cross_attention(const Tensor& q, const Tensor& kv, int64_t heads,
                          const AttentionMask& mask) {
    check_rank("q", q), check_rank("kv", kv);
    const int64_t D = q.size(2);
    check(kv.size(2) == 2 * D && kv.size(0) == q.size(0), kOp,
          "q is {}, kv is {}: [B, T, D] and [B, S, 2 D] expected", q.shape(), kv.shape());
    if (Tape::wants_composed()) {
        const auto parts = split(kv, D, -1);
        return composed::scaled_dot_product_attention(q, parts[0], parts[1], heads, mask);
    }
    const Sizes n(q.size(0), q.size(1), kv.size(1), D, heads, mask);
    return attend({q, kv}, {{0, 0}, {1, 0}, {1, D}}, n);
}

// The twin: S = Q Kᵀ / √d + M,  P = softmax(S),  Y = P V, for all heads at once.
Attention composed::scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                                 int64_t heads, const AttentionMask& mask) {
    check_rank("q", q), check_rank("k", k);
    const Sizes n(q.size(0), q.size(1), k.size(1), q.size(2), heads, mask);
    const auto by_head = [&](const Tensor& x) {  // [B, rows, D] -> [B, H, rows, d]
        return transpose(reshape(x, {n.B, x.size(1), n.H, n.d}), 1, 2);
    };
    Tensor allowed = Tensor::zeros({n.B, 1, n.T, n.S}, q.dtype()), M = allowed.clone();
    for (int64_t b = 0; b < n.B; ++b)
        for (int64_t t = 0; t < n.T; ++t)
            for (int64_t s = 0; s < n.S; ++s) {
                const int64_t i = (b * n.T + t) * n.S + s;
                if (s < n.visible(b, t))
                    allowed.set(i, 1);
                else if (n.visible(b, t) > 0)
                    M.set(i, -std::numeric_limits<double>::infinity());
            }
    const Tensor scores =
        matmul(by_head(q), by_head(k), Trans::b) / std::sqrt(static_cast<double>(n.d));
    const Tensor P =
        composed::softmax(scores + M) * allowed;  // a query that may attend to nothing: 0
    const Tensor Y = matmul(P, by_head(v));       // [B, H, T, d]
    return {reshape(transpose(Y, 1, 2), {n.B, n.T, n.H * n.d}), P.view(P.shape())};
}

}  // namespace gradus
