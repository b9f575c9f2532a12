// Four ways to multiply two square float matrices, how fast each is, and how fast this machine
// could be. C = A B, all row-major [n, n].
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace gradus::tensors_lesson {

// The textbook: C_ij = Σ_k A_ik B_kj, an element of C after the other. B is read down its columns,
// n numbers apart. gnu::noinline: each product is compiled by itself, as a library's would be.
[[gnu::noinline]] inline void textbook(int64_t n, const float* a, const float* b, float* c) {
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            float sum = 0;
            for (int64_t k = 0; k < n; ++k) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    }
}

// The same sums in the order i-k-j: the inner loop runs along a row of B and a row of C.
[[gnu::noinline]] inline void reordered(int64_t n, const float* a, const float* b, float* c) {
    std::fill_n(c, n * n, 0.0f);
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t k = 0; k < n; ++k) {
            const float factor = a[i * n + k];
            for (int64_t j = 0; j < n; ++j) c[i * n + j] += factor * b[k * n + j];
        }
    }
}

// Sixteen floats that are added and multiplied at once; compilers split them where registers are
// shorter. (GCC's and Clang's vectors.)
struct Sixteen {
    typedef float Vector __attribute__((vector_size(64)));
};

// Two kinds of block. A strip of B, kDepth x 16, is copied together once and then read from the
// cache, and a tile of C, 8 x 16, stays in registers while it gathers kDepth products for each
// element: 8 multiply-adds of sixteen for each vector that is loaded.
[[gnu::noinline]] inline void blocked(int64_t n, const float* a, const float* b, float* c) {
    using Vector = Sixteen::Vector;
    constexpr int64_t kDepth = 256, kRows = 8, kColumns = 16;
    std::fill_n(c, n * n, 0.0f);
    std::vector<float> strip(kDepth * kColumns);
    for (int64_t first_k = 0; first_k < n; first_k += kDepth) {
        const int64_t depth = std::min(kDepth, n - first_k);
        for (int64_t first_j = 0; first_j < n; first_j += kColumns) {
            const int64_t columns = std::min(kColumns, n - first_j);
            for (int64_t k = 0; k < depth; ++k) {
                const float* row = b + (first_k + k) * n + first_j;
                std::fill(std::copy_n(row, columns, &strip[k * kColumns]),
                          &strip[k * kColumns] + kColumns, 0.0f);
            }
            for (int64_t first_i = 0; first_i < n; first_i += kRows) {
                const int64_t rows = std::min(kRows, n - first_i);
                const float* from[kRows];  // below the last row: the last row again
                for (int64_t i = 0; i < kRows; ++i) {
                    from[i] = a + std::min(first_i + i, n - 1) * n + first_k;
                }
                Vector tile[kRows] = {};
                for (int64_t k = 0; k < depth; ++k) {
                    Vector row;
                    std::memcpy(&row, &strip[k * kColumns], sizeof row);
                    for (int64_t i = 0; i < kRows; ++i) tile[i] += from[i][k] * row;
                }
                float sums[kRows * kColumns];
                std::memcpy(sums, tile, sizeof tile);
                for (int64_t i = 0; i < rows; ++i) {
                    float* to = c + (first_i + i) * n + first_j;
                    for (int64_t j = 0; j < columns; ++j) to[j] += sums[i * kColumns + j];
                }
            }
        }
    }
}

// Of this thread alone, so that other programs' turns on a busy machine do not count; or of the
// wall, where several threads work.
enum class Clock { thread, wall };

inline double now(Clock clock) {
    if (clock == Clock::wall) {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration<double>(since).count();
    }
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Seconds of one call, the best of many. By the thread's own clock, which is slow to read, short calls
// are timed in rows that last a millisecond; by the wall's, each alone, for on a busy machine one of
// many may have all cores to itself.
template <class F>
double seconds_of(F call, Clock clock) {
    double best = std::numeric_limits<double>::infinity(), spent = 0;
    for (int64_t calls = 1; spent < 0.1;) {
        const double begin = now(clock);
        for (int64_t i = 0; i < calls; ++i) call();
        const double elapsed = now(clock) - begin;
        spent += elapsed;
        best = std::min(best, elapsed / static_cast<double>(calls));
        if (clock == Clock::thread && elapsed < 1e-3) calls *= 2;
    }
    return best;
}

// Vectors of 16, 32 and 64 bytes: one of them fits the machine.
struct Four {
    typedef float Vector __attribute__((vector_size(16)));
};
struct Eight {
    typedef float Vector __attribute__((vector_size(32)));
};

// Floating-point operations a second of one thread that only multiplies and adds in registers: twelve
// chains v = v x + y, so that none waits for the one before it.
template <class Width>
double flops_of_registers() {
    using Vector = typename Width::Vector;
    constexpr int64_t kLanes = sizeof(Vector) / sizeof(float), kChains = 12, kSteps = 100000;
    float numbers[kLanes];
    const auto fill = [&](Vector& v, float number) {
        std::fill_n(numbers, kLanes, number);
        std::memcpy(&v, numbers, sizeof v);
    };
    Vector chain[kChains], x, y;
    for (int64_t i = 0; i < kChains; ++i) fill(chain[i], 1 + 0.01f * static_cast<float>(i));
    fill(x, 0.999f);
    fill(y, 0.001f);
    asm volatile("" : "+m"(x), "+m"(y));  // numbers that the compiler does not know
    double best = std::numeric_limits<double>::infinity();
    for (int repeat = 0; repeat < 40; ++repeat) {
        const double begin = now(Clock::thread);
        for (int64_t step = 0; step < kSteps; ++step) {
            for (int64_t i = 0; i < kChains; ++i) chain[i] = chain[i] * x + y;
        }
        for (int64_t i = 0; i < kChains; ++i) asm volatile("" : "+m"(chain[i]));
        best = std::min(best, now(Clock::thread) - begin);
    }
    return 2.0 * kChains * kLanes * kSteps / best;
}

inline double peak_of_this_thread() {
    return std::max(
        {flops_of_registers<Four>(), flops_of_registers<Eight>(), flops_of_registers<Sixteen>()});
}

inline double peak_of_all_threads() {
    double total = 0;
#pragma omp parallel reduction(+ : total)
    total += peak_of_this_thread();
    return total;
}

}  // namespace gradus::tensors_lesson
