// A caching allocator: a block goes back to a list of its size and serves the next request of that size, so that after
// the first training step nothing is asked of the system any more. One cache a thread: no locks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::memory {

/// What this thread's tensors hold, in bytes, and how often its cache had to ask the system.
struct Stats {
    int64_t current = 0;
    int64_t peak = 0;
    int64_t system_allocations = 0;
};

/// The counts of the calling thread.
const Stats& stats();

/// Starts the peak anew from the current bytes.
void reset_peak();

/// Gives every cached block back to the system.
void release_cache();

/// At least `bytes` bytes, aligned to 64. Blocks of 128 KiB and more lie in huge pages where the system has them, those of
/// 2 MiB and more at the beginning of one.
/// Throws Error where the system has no memory left.
void* allocate(size_t bytes);

/// Takes a block back; `bytes` is what it was asked for with.
void release(void* block, size_t bytes) noexcept;

}  // namespace gradus::memory
