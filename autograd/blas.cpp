#include "autograd/blas.h"

#include <cblas.h>

#include <algorithm>

#include "autograd/error.h"
#include "autograd/few_rows.h"
#include "autograd/parallel.h"

namespace gradus {
namespace {

// Two thread pools in one process fight for the cores: OpenBLAS must use the one of OpenMP, as the loops here do.
void check_blas() {
#ifdef _OPENMP
    static const bool is_openmp = openblas_get_parallel() == OPENBLAS_OPENMP;
    check(is_openmp, "blas",
          "the OpenBLAS that was loaded has threads of its own ({}); its OpenMP build is needed "
          "(Debian: libopenblas0-openmp, "
          "found before others through the rpath or LD_LIBRARY_PATH)",
          openblas_get_config());
#endif
}

// Multiply-adds up to which a product stays on one thread. OpenBLAS, too, never threads products up to this size, and
// inside a parallel loop it threads none: so it never uses its own threads.
constexpr int64_t kSerial = 1 << 18;
constexpr int64_t kPanels = 4;      // a larger product is cut along its longer side into this many
constexpr int64_t kAlignment = 16;  // of the cuts: whole vectors

void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const float* a, int lda,
             const float* b, int ldb, float beta, float* c, int ldc) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}
void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const double* a, int lda,
             const double* b, int ldb, double beta, double* c, int ldc) {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace

template <class T>
void gemm_serial(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
                 const T* b, T* c, bool add, int64_t lda, int64_t ldb, int64_t ldc) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        for (int64_t i = 0; i < m && !add; ++i) std::fill_n(c + i * ldc, n, T(0));
        return;
    }
    product(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
            static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), a, static_cast<int>(lda),
            b, static_cast<int>(ldb), add ? T(1) : T(0), c, static_cast<int>(ldc));
}

template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
          const T* b, T* c, bool add, const T* bias) {
    check_blas();
    // By the thread that goes on to multiply: then C is still in its cache.
    const auto put_bias = [=](T* rows, int64_t count, int64_t first, int64_t last) {
        for (int64_t i = 0; bias && i < count; ++i)
            std::copy(bias + first, bias + last, rows + i * n + first);
    };
    add = add || bias;
    if (!transpose_a && transpose_b && m <= kFewRows) {
        const int64_t share = std::max(kAlignment, kSerial / kPanels / std::max<int64_t>(1, m * k));
        return parallel_for(n, m * n * k <= kSerial ? n : share, [&](int64_t begin, int64_t end) {
            put_bias(c, m, begin, end);
            multiply_few_rows(m, end - begin, k, a, b + begin * k, c + begin, n, add);
        });
    }
    const int64_t lda = transpose_a ? m : k, ldb = transpose_b ? k : n,
                  step_a = transpose_a ? 1 : k, step_b = transpose_b ? k : 1;
    const bool by_rows = m >= n;
    const int64_t side = by_rows ? m : n;
    const int64_t share = (side + kPanels - 1) / kPanels;
    // Always two panels at least: outside a parallel loop OpenBLAS would use threads of its own.
    const int64_t panel =
        side <= kAlignment ? (side + 1) / 2 : (share + kAlignment - 1) / kAlignment * kAlignment;
    parallel_for(side, m * n * k <= kSerial ? side : panel, [&](int64_t begin, int64_t end) {
        if (by_rows) {
            put_bias(c + begin * n, end - begin, 0, n);
            gemm_serial(transpose_a, transpose_b, end - begin, n, k, a + begin * step_a, b,
                        c + begin * n, add, lda, ldb, n);
        } else {
            put_bias(c, m, begin, end);
            gemm_serial(transpose_a, transpose_b, m, end - begin, k, a, b + begin * step_b,
                        c + begin, add, lda, ldb, n);
        }
    });
}

template void gemm_serial(bool, bool, int64_t, int64_t, int64_t, const float*, const float*, float*,
                          bool, int64_t, int64_t, int64_t);
template void gemm_serial(bool, bool, int64_t, int64_t, int64_t, const double*, const double*,
                          double*, bool, int64_t, int64_t, int64_t);
template void gemm(bool, bool, int64_t, int64_t, int64_t, const float*, const float*, float*, bool,
                   const float*);
template void gemm(bool, bool, int64_t, int64_t, int64_t, const double*, const double*, double*,
                   bool, const double*);

}  // namespace gradus
