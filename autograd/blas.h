// Matrix products, spread over threads in a way that leaves them the same bits for any number of threads: on the kernel of
// packed.h or, in a build without AVX-512, on OpenBLAS.
#pragma once

#include <cstdint>

namespace gradus {

/// C (+)= op(A) op(B) for row-major C [m, n], op(A) [m, k], op(B) [k, n]. A matrix read transposed is stored as [k, m] or
/// [n, k]. `add` keeps what is in C; a `bias` [n], where there is one, is put into every row of C first. On first use
/// throws Error where OpenBLAS is not its OpenMP build.
template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
          const T* b, T* c, bool add, const T* bias = nullptr);

/// The same on the calling thread alone, for use inside parallel loops.
template <class T>
void gemm_serial(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const T* a,
                 const T* b, T* c, bool add, int64_t lda, int64_t ldb, int64_t ldc);

}  // namespace gradus
