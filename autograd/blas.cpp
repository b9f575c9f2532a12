#include "autograd/blas.h"

#include <cblas.h>

#include <algorithm>

#include "autograd/error.h"
#include "autograd/few_rows.h"
#include "autograd/packed.h"
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

// With the vectors of AVX-512 the kernel of packed.h is mostly faster than OpenBLAS (2 to 25 %, small products most); with shorter
// ones, or in a build for any machine, it is slower, not least because OpenBLAS looks at the machine that it runs on.
constexpr bool kOwnKernel = kVectorBytes >= 64;

// Multiply-adds up to which a product stays on one thread. OpenBLAS, too, never threads products up to this size, and
// inside a parallel loop it threads none: so it never uses its own threads.
constexpr int64_t kSerial = 1 << 18;
constexpr int64_t kPanels = 4;      // OpenBLAS has a larger one in this many pieces
constexpr int64_t kAlignment = 16;  // of the cuts: whole vectors
constexpr int64_t kRows = 256;      // of a thread, beside which laying out B is little work
constexpr int64_t kColumns = 256;   // of B at a time, so that kDepth rows of them stay in cache

void openblas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const float* a, int lda,
              const float* b, int ldb, float* c, int ldc) {
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 1, c, ldc);
}
void openblas(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const double* a, int lda,
              const double* b, int ldb, double* c, int ldc) {
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, a, lda, b, ldb, 1, c, ldc);
}

// C = C0 + op(A) op(B) on the calling thread; C0 is C, one row for all, or not there.
template <class T>
void multiply(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
              int64_t lda, const T* b, int64_t ldb, Rows<const T> c0, Rows<T> c) {
    if (m == 0 || n == 0) return;
    if (kOwnKernel) {
        for (int64_t j = 0; j < n; j += kColumns) {
            const int64_t columns = std::min(kColumns, n - j);
            Rows<const T> before = c0.from(j);
            int64_t i = 0;
            do {  // once at least: over no terms C is C0
                const int64_t terms = std::min(kDepth, k - i);
                const Packed<T> block(transpose_b, terms, columns,
                                      transpose_b ? b + j * ldb + i : b + i * ldb + j, ldb);
                const Rows<const T> rows = transpose_a ? Rows(a + i * lda, 1) : Rows(a + i, lda);
                block.multiply(m, rows, before, c.from(j),
                               {0, terms, columns, transpose_a ? lda : 1});
                before = c.from(j);
                i += terms;
            } while (i < k);
        }
        return;
    }
    for (int64_t i = 0; i < m && !(c0 && c0[0] == c[0]); ++i)
        c0 ? std::copy_n(c0[i], n, c[i]) : std::fill_n(c[i], n, T(0));
    if (k > 0)
        openblas(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                 static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), a,
                 static_cast<int>(lda), b, static_cast<int>(ldb), c[0],
                 static_cast<int>(c.stride()));
}

}  // namespace

template <class T>
void gemm_serial(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
                 const T* b, T* c, bool add, int64_t lda, int64_t ldb, int64_t ldc) {
    const Rows<T> rows(c, ldc);
    multiply<T>(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, add ? rows : Rows<const T>(),
                rows);
}

template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
          const T* b, T* c, bool add, const T* bias) {
    check_blas();
    if (!transpose_a && transpose_b && m <= kFewRows) {
        return parallel_rows(n, k, [&](int64_t begin, int64_t end) {
            for (int64_t i = 0; bias && i < m; ++i)
                std::copy(bias + begin, bias + end, c + i * n + begin);
            multiply_few_rows(m, end - begin, k, a, b + begin * k, c + begin, n, add || bias);
        });
    }
    const int64_t lda = transpose_a ? m : k, ldb = transpose_b ? k : n,
                  step_a = transpose_a ? 1 : k, step_b = transpose_b ? k : 1;
    // Cut along the longer side; but our kernel reads A as it lies, unless it is transposed, and lays out all of B for each
    // piece of rows. Where these are few, pieces of columns, two panels each at least, do less; otherwise rows do, because
    // the thread that computes a row of C finds it in its own cache when other loops and products go on with it. The bits
    // are the same wherever the cuts are, so that each thread has one piece. OpenBLAS needs the same cuts always, two at
    // least: outside a parallel loop it would use threads of its own.
    const bool by_rows = kOwnKernel && !transpose_a
                             ? m >= kRows * thread_count() || n < 64 * thread_count()
                             : m >= n;
    const int64_t side = by_rows ? m : n, pieces = kOwnKernel ? thread_count() : kPanels;
    const int64_t share = (side + pieces - 1) / pieces;
    const int64_t piece = !kOwnKernel && side <= kAlignment
                              ? (side + 1) / 2
                              : (share + kAlignment - 1) / kAlignment * kAlignment;
    parallel_for(side, m * n * k <= kSerial ? side : piece, [&](int64_t begin, int64_t end) {
        const Rows<T> to(by_rows ? c + begin * n : c + begin, n);
        const Rows<const T> from = bias  ? Rows(by_rows ? bias : bias + begin, 0)
                                   : add ? Rows<const T>(to)
                                         : Rows<const T>();
        if (by_rows)
            multiply(transpose_a, transpose_b, end - begin, n, k, a + begin * step_a, lda, b, ldb,
                     from, to);
        else
            multiply(transpose_a, transpose_b, m, end - begin, k, a, lda, b + begin * step_b, ldb,
                     from, to);
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
