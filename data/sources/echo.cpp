#include "data/sources/echo.h"

#include "autograd/error.h"

namespace gradus::data {

Pair Echo::sample(Rng& rng) const {
    check(2 <= letters && letters <= 26, "echo", "{} letters; 2 ... 26 expected", letters);
    check(1 <= shortest && shortest <= longest, "echo",
          "lengths from {} to {}; from 1 or more to as many or more expected", shortest, longest);
    std::string source;
    for (int64_t left = shortest + rng.below(longest - shortest + 1); left > 0; --left) {
        if (!source.empty()) source += ' ';
        source += static_cast<char>('a' + rng.below(letters));
    }
    return {source, solution(source)};
}

std::vector<Pair> Echo::sample(Rng& rng, int64_t count) const {
    std::vector<Pair> pairs;
    for (int64_t i = 0; i < count; ++i) pairs.push_back(sample(rng));
    return pairs;
}

// Every second byte is a space, so that the letters backwards are the text backwards.
std::string Echo::solution(std::string_view source) const {
    return reversed ? std::string(source.rbegin(), source.rend()) : std::string(source);
}

}  // namespace gradus::data
