// What tasks 5 and 6 count in: grams, which are runs of 1, 2, ... tokens, and how often each was seen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace gradus::counting {

using Ids = std::vector<int32_t>;

/// Sorted token by token, so that all grams that begin alike stand together.
using Grams = std::map<Ids, int64_t>;

struct Follower {
    int32_t token;
    int64_t count;
};

/// The tokens that follow a context, each with its count: those w for which context + w is a gram.
inline std::vector<Follower> followers(const Grams& grams, const Ids& context) {
    std::vector<Follower> found;
    for (auto gram = grams.upper_bound(context); gram != grams.end(); ++gram) {
        const auto& [ids, count] = *gram;
        if (ids.size() <= context.size() ||
            !std::equal(context.begin(), context.end(), ids.begin()))
            break;
        if (ids.size() == context.size() + 1) found.push_back({ids.back(), count});
    }
    return found;
}

}  // namespace gradus::counting
