#include "data/masking.h"

#include <algorithm>
#include <cmath>

#include "autograd/error.h"

namespace gradus::data {

Masking::Masking(const MaskingOptions& options)
    : options_(options), special_(static_cast<size_t>(std::max<int64_t>(options.vocab, 0))) {
    const auto& [mask, vocab, special, chosen, hidden, swapped, seed] = options_;
    check(
        0 < chosen && chosen <= 1 && hidden >= 0 && swapped >= 0 && hidden + swapped <= 1 + 1e-9,
        "masking",
        "{} of the tokens are chosen, of these {} hidden and {} swapped; more than 0 up to 1, and "
        "two shares from 0 up whose sum is at most 1 expected",
        chosen, hidden, swapped);
    const auto mark = [&](int32_t id) {
        check(0 <= id && id < options_.vocab, "masking",
              "the special id {} is out of range; 0 ... {} expected", id, options_.vocab - 1);
        special_[static_cast<size_t>(id)] = true;
    };
    mark(mask);
    for (int32_t id : special) mark(id);
    for (int32_t id = 0; id < vocab; ++id)
        if (!is_special(id)) common_.push_back(id);
    check(!common_.empty(), "masking", "all of {} ids are special; leave some to be guessed",
          vocab);
}

Batch Masking::at(const Tensor& ids, int64_t step) const {
    check(ids.dtype() == Dtype::i32 && (ids.rank() == 1 || ids.rank() == 2), "masking",
          "ids are {} {}; i32 [B, T] or [T] expected", name(ids.dtype()), ids.shape());
    check(step >= 0, "masking", "step {}; 0 or more expected", step);
    constexpr int32_t kIgnored = -100;
    Batch masked{ids.clone(), Tensor::full(ids.shape(), kIgnored, Dtype::i32)};
    Rng rng(options_.seed, step);

    const int64_t time = ids.size(-1);
    std::vector<int64_t> places;  // of a row's tokens that may be chosen
    for (int64_t begin = 0; begin < ids.size(); begin += time) {
        places.clear();
        for (int64_t i = begin; i < begin + time; ++i) {
            const int32_t id = ids.data<int32_t>()[i];
            check(0 <= id && id < options_.vocab, "masking",
                  "id {} at position {} of row {}; 0 ... {} expected", id, i - begin, begin / time,
                  options_.vocab - 1);
            if (!is_special(id)) places.push_back(i);
        }
        const auto count = static_cast<int64_t>(places.size());
        const int64_t chosen = std::min(
            count,
            std::max<int64_t>(1, std::llround(options_.chosen * static_cast<double>(count))));
        for (int64_t n = 0; n < chosen; ++n) {
            // The first n places are drawn (Fisher and Yates); the next one is any of the others.
            std::swap(places[static_cast<size_t>(n)],
                      places[static_cast<size_t>(n + rng.below(count - n))]);
            const int64_t place = places[static_cast<size_t>(n)];
            int32_t& token = masked.x.data<int32_t>()[place];
            masked.y.data<int32_t>()[place] = token;
            const double u = rng.uniform();
            if (u < options_.hidden) {
                token = options_.mask;
            } else if (u < options_.hidden + options_.swapped) {
                const int64_t drawn = rng.below(static_cast<int64_t>(common_.size()));
                token = common_[static_cast<size_t>(drawn)];
            }
        }
    }
    return masked;
}

}  // namespace gradus::data
