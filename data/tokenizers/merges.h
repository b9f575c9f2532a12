// Which neighbours belong together, learned from how often they stand side by side.
#pragma once

#include <cstdint>
#include <vector>

namespace gradus::data {

/// A word as tokens, and how often it occurs.
struct CountedWord {
    std::vector<int32_t> tokens;
    int64_t count = 1;
};

/// Two neighbours that become one token.
struct Merge {
    int32_t left = 0, right = 0;
    bool operator==(const Merge&) const = default;
};

/// A pair as one number: the lower the ids, the lower it is.
inline uint64_t key_of(int32_t left, int32_t right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
}

/// Byte-pair encoding (Gage 1994; for words Sennrich, Haddow and Birch 2016, algorithm 1): joins
/// the pair of neighbours that occurs most often, within words, into a new token, and again, `most`
/// times, or until no pair occurs `min_count` times. The i-th merge makes the token first_id + i.
/// Of pairs that occur equally often the one with the lowest ids comes first, so that the order of
/// the words says nothing. A merge costs as much as the words that have its pair are long.
std::vector<Merge> learn_merges(std::vector<CountedWord> words, int32_t first_id, int64_t most,
                                int64_t min_count);

}  // namespace gradus::data
