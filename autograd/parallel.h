// Loops over OpenMP threads whose pieces depend on the size alone, so that results are the same bits for any number of
// threads.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstdint>

namespace gradus {

/// How many threads the loops of this thread use; without OpenMP always 1.
#ifdef _OPENMP
inline int thread_count() { return omp_get_max_threads(); }
inline void set_thread_count(int count) { omp_set_num_threads(count); }
#else
inline int thread_count() { return 1; }
inline void set_thread_count(int) {}
#endif

/// Elements below which a loop is not worth a second thread.
inline constexpr int64_t kGrain = 1 << 14;

/// Calls f(begin, end) for pieces of `grain` indices that together cover 0 ... n-1, on all threads. f must not throw.
template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
    if (n <= grain) {
        if (n > 0) f(int64_t{0}, n);
        return;
    }
    const int64_t pieces = (n + grain - 1) / grain;
#pragma omp parallel for schedule(static)
    for (int64_t piece = 0; piece < pieces; ++piece)
        f(piece * grain, std::min(n, (piece + 1) * grain));
}

/// The same over rows that hold `width` elements each: a piece is as many rows as make up kGrain elements.
template <class F>
void parallel_rows(int64_t rows, int64_t width, F&& f) {
    parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)), f);
}

}  // namespace gradus
