#include "autograd/ops/elementwise.h"

namespace gradus {

static void check_layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check(x.rank() > 0 && weight.shape() == Shape{x.size(-1)} && bias.shape() == weight.shape(),
          "layer_norm", "x is {}, weight is {}, bias is {}: [..., D], [D] and [D] expected",
          x.shape(), weight.shape(), bias.shape());
    check_same_dtype("layer_norm", x, weight);
    check_same_dtype("layer_norm", x, bias);
}

Tensor composed::layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    check_layer_norm(x, weight, bias);
    const Tensor centred = x - mean(x, -1, true);
    const Tensor variance = mean(square(centred), -1, true);
    return centred / sqrt(variance + eps) * weight + bias;
}

// x̂ = (x - μ) / σ,  y = γ x̂ + β;  g = γ dy,  dx = (g - mean(g) - x̂ mean(g x̂)) / σ,  dγ = Σ dy x̂,  dβ = Σ dy
// Only μ and 1/σ of each row are kept (as in llm.c): x̂ is computed again on the way back.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    if (Tape::wants_composed()) return composed::layer_norm(x, weight, bias, eps);
    check_layer_norm(x, weight, bias);
    const int64_t D = x.size(-1), rows = D ? x.size() / D : 0;
    Tensor y = Tensor::empty(x.shape(), x.dtype()), mu = Tensor::empty({rows}, x.dtype()),
           rstd = Tensor::empty({rows}, x.dtype());
    dispatch("layer_norm", x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T *in = x.data<T>(), *gamma = weight.data<T>(), *beta = bias.data<T>();
        T *out = y.data<T>(), *means = mu.data<T>(), *rstds = rstd.data<T>();
        parallel_rows(rows, D, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const T* row = in + i * D;
                T sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
                for (int64_t d = 0; d < D; ++d) sum += row[d];
                const T m = sum / static_cast<T>(D);
#pragma omp simd reduction(+ : squares)
                for (int64_t d = 0; d < D; ++d) squares += (row[d] - m) * (row[d] - m);
                const T r = 1 / std::sqrt(squares / static_cast<T>(D) + static_cast<T>(eps));
                detail::map_serial(
                    D, out + i * D, false, [=](T v, T g, T b) { return (v - m) * r * g + b; }, row,
                    gamma, beta);
                means[i] = m;
                rstds[i] = r;
            }
        });
    });
    return record(
        "layer_norm", {x, weight, bias}, y,
        [=](const Tensor& dy, Gradient dx, Gradient dgamma, Gradient dbeta) {
            dispatch("layer_norm", x.dtype(), [&](auto zero) {
                using T = decltype(zero);
                const T *in = x.data<T>(), *d = dy.data<T>(), *gamma = weight.data<T>(),
                        *means = mu.data<T>(), *rstds = rstd.data<T>();
                if (dx) {
                    const auto [out, add] = dx.sink<T>();
                    parallel_rows(rows, D, [&, out = out, add = add](int64_t begin, int64_t end) {
                        for (int64_t i = begin; i < end; ++i) {
                            // w: a captured pointer is read anew for each element, as a gather.
                            const T *row = in + i * D, *g = d + i * D, *w = gamma, m = means[i],
                                    r = rstds[i];
                            T sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
                            for (int64_t k = 0; k < D; ++k)
                                sum += g[k] * w[k], dot += g[k] * w[k] * (row[k] - m) * r;
                            const T mean_g = sum / static_cast<T>(D),
                                    mean_gx = dot / static_cast<T>(D);
                            detail::map_serial(
                                D, out + i * D, add,
                                [=](T v, T dv, T scale) {
                                    return r * (dv * scale - mean_g - (v - m) * r * mean_gx);
                                },
                                row, g, w);
                        }
                    });
                }
                if (!dgamma && !dbeta) return;
                // Threads share out the columns, so that each sum runs down its column in order.
                T *to_gamma = dgamma ? dgamma.zeroed().data<T>() : nullptr,
                  *to_beta = dbeta ? dbeta.zeroed().data<T>() : nullptr;
                constexpr int64_t kColumns = 64;
                parallel_rows((D + kColumns - 1) / kColumns, rows * kColumns,
                              [&](int64_t begin, int64_t end) {
                                  for (int64_t block = begin; block < end; ++block) {
                                      const int64_t first = block * kColumns,
                                                    width = std::min(kColumns, D - first);
                                      T gammas[kColumns] = {}, betas[kColumns] = {};
                                      for (int64_t i = 0; i < rows; ++i) {
                                          const T *row = in + i * D + first, *g = d + i * D + first,
                                                  m = means[i], r = rstds[i];
#pragma omp simd
                                          for (int64_t k = 0; k < width; ++k)
                                              gammas[k] += g[k] * (row[k] - m) * r,
                                                  betas[k] += g[k];
                                      }
                                      for (int64_t k = 0; k < width; ++k) {
                                          if (to_gamma) to_gamma[first + k] += gammas[k];
                                          if (to_beta) to_beta[first + k] += betas[k];
                                      }
                                  }
                              });
            });
        });
}

}  // namespace gradus
