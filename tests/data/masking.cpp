#include "data/masking.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Batch, data::Masking;

namespace {

// Ids 0 [PAD], 1 [CLS], 2 [SEP], 3 [MASK], then words up to 99.
const data::MaskingOptions kOptions{.mask = 3, .vocab = 100, .special = {0, 1, 2}, .seed = 4};

// Rows [CLS] 40 words [SEP] [PAD] [PAD].
Tensor rows(int64_t count) {
    Rng rng(1);
    Tensor ids = Tensor::zeros({count, 44}, Dtype::i32);
    for (int64_t b = 0; b < count; ++b) {
        int32_t* row = ids.data<int32_t>() + b * 44;
        row[0] = 1;
        for (int i = 1; i <= 40; ++i) row[i] = static_cast<int32_t>(4 + rng.below(96));
        row[41] = 2;
    }
    return ids;
}

}  // namespace

TEST_CASE("masking: each row has 15 % to be guessed, never what is special") {
    const Tensor ids = rows(50);
    const Batch masked = Masking(kOptions).at(ids, 0);
    for (int64_t b = 0; b < 50; ++b) {
        int chosen = 0;
        for (int64_t i = b * 44; i < (b + 1) * 44; ++i) {
            const int32_t id = ids.data<int32_t>()[i], in = masked.x.data<int32_t>()[i],
                          target = masked.y.data<int32_t>()[i];
            if (target == -100) {
                CHECK(in == id);
            } else {
                CHECK(target == id);
                CHECK(id > 3);
                CHECK(in >= 3);
                ++chosen;
            }
        }
        CHECK(chosen == 6);
    }
}

TEST_CASE("masking: of the chosen 80 % are hidden, 10 % swapped for any word, 10 % stay") {
    const Tensor ids = rows(4000);
    const Batch masked = Masking(kOptions).at(ids, 0);
    double chosen = 0, hidden = 0, stayed = 0;
    std::vector<int> swapped(100), places(44);
    for (int64_t i = 0; i < ids.size(); ++i) {
        const int32_t in = masked.x.data<int32_t>()[i], target = masked.y.data<int32_t>()[i];
        if (target == -100) continue;
        ++chosen;
        ++places[static_cast<size_t>(i % 44)];
        if (in == 3)
            ++hidden;
        else if (in == target)
            ++stayed;
        else
            ++swapped[static_cast<size_t>(in)];
    }
    const auto near = [&](double count, double p) {
        return std::abs(count - p * chosen) < 4.5 * std::sqrt(p * (1 - p) * chosen);
    };
    CHECK(chosen == 24000);
    CHECK(near(hidden, 0.8));
    CHECK(near(stayed, 0.1 + 0.1 / 96));  // a swap may draw the same word
    for (size_t id = 0; id < 4; ++id) CHECK(swapped[id] == 0);
    for (size_t id = 4; id < 100; ++id) CHECK(near(swapped[id], 0.1 / 96 * 95 / 96));
    for (size_t place = 1; place <= 40; ++place) CHECK(near(places[place], 1.0 / 40));
}

TEST_CASE("masking: static is one step for all, dynamic another for each; same seed, same masks") {
    const Tensor ids = rows(8);
    const Masking masking(kOptions);
    const Tensor first = masking.at(ids, 0).x;
    CHECK(test::same_bits(masking.at(ids, 0).x, first));
    CHECK(test::same_bits(Masking(kOptions).at(ids, 0).x, first));
    CHECK_FALSE(test::same_bits(masking.at(ids, 1).x, first));
    data::MaskingOptions other = kOptions;
    other.seed = 5;
    CHECK_FALSE(test::same_bits(Masking(other).at(ids, 0).x, first));
    CHECK(test::same_bits(rows(8), ids));  // what was given stays as it was
}

TEST_CASE("masking: of a short row one is chosen, of special tokens none; shares are free") {
    const Masking masking(kOptions);
    const auto chosen = [](const Batch& masked) {
        int count = 0;
        for (const int32_t id : masked.y.values<int32_t>()) count += id != -100;
        return count;
    };
    CHECK(chosen(masking.at(Tensor::from<int32_t>({1, 9, 2}), 0)) == 1);
    CHECK(chosen(masking.at(Tensor::from<int32_t>({1, 3, 2, 0}), 0)) == 0);
    CHECK(chosen(masking.at(Tensor::empty({0}, Dtype::i32), 0)) == 0);

    data::MaskingOptions all = kOptions;
    all.chosen = all.hidden = 1;
    all.swapped = 0;
    const Batch hidden = Masking(all).at(Tensor::from<int32_t>({1, 9, 8, 2}), 0);
    CHECK(test::same_bits(hidden.x, Tensor::from<int32_t>({1, 3, 3, 2})));
    CHECK(test::same_bits(hidden.y, Tensor::from<int32_t>({-100, 9, 8, -100})));
}

TEST_CASE("masking: what makes no sense is refused") {
    const auto made = [](const data::MaskingOptions& options) {
        return test::error_of([&] { Masking{options}; });
    };
    CHECK(
        test::contains(made({.mask = 3, .vocab = 3}), "the special id 3 is out of range; 0 ... 2"));
    CHECK(
        test::contains(made({.mask = 0, .vocab = 2, .special = {1}}), "all of 2 ids are special"));
    CHECK(test::contains(made({.mask = 0, .vocab = 9, .chosen = 0}), "0 of the tokens are chosen"));
    CHECK(test::contains(made({.mask = 0, .vocab = 9, .hidden = 0.8, .swapped = 0.3}),
                         "0.8 hidden and 0.3 swapped"));
    const Masking masking(kOptions);
    const auto read = [&](const Tensor& ids, int64_t step = 0) {
        return test::error_of([&] { masking.at(ids, step); });
    };
    CHECK(test::contains(read(Tensor::from<int32_t>({9, 9, 9, 100}, {2, 2})),
                         "id 100 at position 1 of row 1; 0 ... 99 expected"));
    CHECK(test::contains(read(Tensor::zeros({2})), "ids are f32 [2]"));
    CHECK(test::contains(read(Tensor::zeros({2}, Dtype::i32), -1), "step -1"));
}
