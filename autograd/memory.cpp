#include "autograd/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "autograd/error.h"

namespace gradus::memory {
namespace {

constexpr size_t kSmallest = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr int kClasses = 8 * 48;

// Sizes are rounded up to eight steps an octave: at most an eighth is wasted, and similar requests share blocks.
struct SizeClass {
    int index;
    size_t bytes;
};

SizeClass size_class(size_t bytes) {
    const size_t units = (std::max(bytes, size_t{1}) + kSmallest - 1) / kSmallest;
    if (units <= 8) return {static_cast<int>(units), units * kSmallest};
    const int shift = static_cast<int>(std::bit_width(units - 1)) - 4;
    const size_t step = ((units - 1) >> shift) + 1;  // 9 ... 16
    return {static_cast<int>(8 * shift + step), (step << shift) * kSmallest};
}

struct Block {
    Block* next;
};

struct Cache {
    std::array<Block*, kClasses> free{};
    Stats stats;
    ~Cache();
};

thread_local bool closed = false;  // true once the thread's cache is gone: a static tensor may outlive it
thread_local Cache cache;

void release_all(Cache& from) {
    for (Block*& list : from.free)
        while (list) std::free(std::exchange(list, list->next));
}

Cache::~Cache() {
    release_all(*this);
    closed = true;
}

void* from_system(size_t bytes) {
    const bool huge = bytes >= kHugePage;
    const size_t alignment = huge ? kHugePage : kSmallest;
    void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    check(block != nullptr, "memory", "the system has no {} bytes left: a smaller batch or model is needed", bytes);
    if (huge) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

}  // namespace

const Stats& stats() { return cache.stats; }
void reset_peak() { cache.stats.peak = cache.stats.current; }
void release_cache() { release_all(cache); }

void* allocate(size_t bytes) {
    const SizeClass wanted = size_class(bytes);
    check(wanted.index < kClasses, "memory", "{} bytes asked for at once: a size is wrong", bytes);
    if (closed) return from_system(wanted.bytes);
    Stats& stats = cache.stats;
    stats.current += static_cast<int64_t>(wanted.bytes);
    stats.peak = std::max(stats.peak, stats.current);
    if (Block*& list = cache.free[wanted.index]) return std::exchange(list, list->next);
    ++stats.system_allocations;
    return from_system(wanted.bytes);
}

void release(void* block, size_t bytes) noexcept {
    if (closed) return std::free(block);
    const SizeClass given = size_class(bytes);
    cache.stats.current -= static_cast<int64_t>(given.bytes);
    cache.free[given.index] = new (block) Block{cache.free[given.index]};
}

}  // namespace gradus::memory
