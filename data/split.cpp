#include "data/split.h"

#include <cstdint>

#include "autograd/random.h"

namespace gradus::data {
namespace {

constexpr size_t kTenth = 10;

// FNV-1a (Fowler, Noll, Vo), mixed once more.
uint64_t hash_of(std::string_view name) {
    uint64_t hash = 0xcbf29ce484222325;
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return Rng(hash).state();
}

}  // namespace

bool is_tenth(size_t i, size_t n) { return n < kTenth ? i + 1 == n : i % kTenth == kTenth - 1; }

bool is_tenth(std::string_view name) { return hash_of(name) % kTenth == 0; }

}  // namespace gradus::data
