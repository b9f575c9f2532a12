// Say again what was said, or say it backwards.
#pragma once

#include "autograd/random.h"
#include "data/pairs/pairs.h"

namespace gradus::data {

/// Letters at random, separated by spaces, and the same letters again, from the first to the last or
/// from the last to the first: "c a d" -> "c a d", or "d a c". A target's letter depends on one
/// letter of the source alone; all of it has to be kept in mind.
struct Echo {
    int64_t letters = 26;  // 2 ... 26
    int64_t shortest = 1, longest = 12;
    bool reversed = false;

    /// Every length is equally likely, then every letter.
    Pair sample(Rng& rng) const;
    std::vector<Pair> sample(Rng& rng, int64_t count) const;

    /// The one right target.
    std::string solution(std::string_view source) const;
};

}  // namespace gradus::data
