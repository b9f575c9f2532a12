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
constexpr size_t kLargest = size_t{1} << 48;  // more than any machine has
constexpr int kClasses = 8 * 41;

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

// The lists are plain data, so that reaching them costs nothing; what empties them when the thread ends is made on the way
// to the system. A static tensor may outlive that: `closed` then sends its block straight back.
thread_local constinit std::array<Block*, kClasses> cached{};
thread_local constinit Stats counts;
thread_local constinit bool closed = false;

struct Closer {
    ~Closer() {
        release_cache();
        closed = true;
    }
};

void close_at_exit() {
    thread_local Closer closer;
    (void)closer;
}

void* from_system(size_t bytes) {
    close_at_exit();
    const bool huge = bytes >= kHugePage;
    const size_t alignment = huge ? kHugePage : kSmallest;
    void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    check(block != nullptr, "memory",
          "the system has no {} bytes left: a smaller batch or model is needed", bytes);
    if (huge) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

}  // namespace

const Stats& stats() { return counts; }
void reset_peak() { counts.peak = counts.current; }
void release_cache() {
    for (Block*& list : cached)
        while (list) std::free(std::exchange(list, list->next));
}

void* allocate(size_t bytes) {
    if (bytes > kLargest) [[unlikely]]
        fail("memory", "far too many bytes asked for at once: a size is wrong");
    const SizeClass wanted = size_class(bytes);
    counts.current += static_cast<int64_t>(wanted.bytes);
    counts.peak = std::max(counts.peak, counts.current);
    if (Block*& list = cached[static_cast<size_t>(wanted.index)])
        return std::exchange(list, list->next);
    ++counts.system_allocations;
    return from_system(wanted.bytes);
}

void release(void* block, size_t bytes) noexcept {
    const SizeClass given = size_class(bytes);
    counts.current -= static_cast<int64_t>(given.bytes);
    if (closed) return std::free(block);
    if (counts.system_allocations == 0)
        close_at_exit();  // a thread may get blocks from others only
    Block*& list = cached[static_cast<size_t>(given.index)];
    list = new (block) Block{list};
}

}  // namespace gradus::memory
