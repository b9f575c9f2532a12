#include "autograd/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "autograd/error.h"

namespace gradus::memory {
namespace {

constexpr size_t kSmallest = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kChunk = 8 * kHugePage, kFromChunk = size_t{128} << 10;
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
    size_t bytes;
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

void* aligned(size_t alignment, size_t bytes) {
    void* block = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    check(block != nullptr, "memory",
          "the system has no {} bytes left: a smaller batch or model is needed", bytes);
    if (alignment > kSmallest) madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

// Blocks of some hundred kilobytes share huge pages too: a matrix that is read down its columns would need more small ones
// than the processor remembers. They are cut from a chunk, which goes when the last of them has come back, from any thread.
struct alignas(kSmallest) Chunk {
    std::atomic<int> users = 1;  // its blocks, and the thread that cuts more from it
    size_t cut;                  // bytes, from its beginning on
};
thread_local constinit Chunk* open_chunk = nullptr;

void leave(Chunk* chunk) {
    if (chunk && --chunk->users == 0) std::free(chunk);
}

void* from_chunk(size_t bytes) {
    if (!open_chunk || open_chunk->cut + bytes > kChunk) {
        leave(std::exchange(open_chunk, nullptr));
        open_chunk = new (aligned(kChunk, kChunk)) Chunk{.cut = sizeof(Chunk)};
    }
    ++open_chunk->users;
    return reinterpret_cast<char*>(open_chunk) +
           std::exchange(open_chunk->cut, open_chunk->cut + bytes);
}

bool is_from_chunk(size_t bytes) { return bytes >= kFromChunk && bytes < kHugePage; }

void* from_system(size_t bytes) {
    close_at_exit();
    return is_from_chunk(bytes) ? from_chunk(bytes)
                                : aligned(bytes < kHugePage ? kSmallest : kHugePage, bytes);
}

void to_system(void* block, size_t bytes) {
    if (!is_from_chunk(bytes)) return std::free(block);
    const auto address = reinterpret_cast<uintptr_t>(block);
    leave(reinterpret_cast<Chunk*>(address - address % kChunk));
}

}  // namespace

const Stats& stats() { return counts; }
void reset_peak() { counts.peak = counts.current; }
void release_cache() {
    for (Block*& list : cached)
        while (list) {
            const Block block = *list;
            to_system(std::exchange(list, block.next), block.bytes);
        }
    leave(std::exchange(open_chunk, nullptr));
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
    if (closed) return to_system(block, given.bytes);
    if (counts.system_allocations == 0)
        close_at_exit();  // a thread may get blocks from others only
    Block*& list = cached[static_cast<size_t>(given.index)];
    list = new (block) Block{list, given.bytes};
}

}  // namespace gradus::memory
