#include "data/jitter.h"

#include <doctest/doctest.h>

#include <set>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

namespace {

// One dot of ink in the middle of each of n pictures, 7 high and 9 wide.
Tensor dots(int64_t n) {
    Tensor pixels = Tensor::zeros({n, 63});
    for (int64_t i = 0; i < n; ++i) pixels.set(i * 63 + 3 * 9 + 4, 1);
    return pixels;
}

}  // namespace

TEST_CASE("jitter: a dot comes to each of the 25 places, about equally often, and nowhere else") {
    Rng rng(1);
    const int64_t n = 5000;
    const Tensor total = sum(data::jittered(dots(n), 7, 9, 2, rng), {0});
    CHECK(sum(total).item() == n);
    for (int y = 0; y < 7; ++y)
        for (int x = 0; x < 9; ++x) {
            const double share = total.at(y * 9 + x) / static_cast<double>(n);
            CAPTURE(y);
            CAPTURE(x);
            if (std::abs(y - 3) <= 2 && std::abs(x - 4) <= 2)
                CHECK(share == doctest::Approx(0.04).epsilon(0.25));
            else
                CHECK(share == 0);
        }
}

TEST_CASE("jitter: a picture moves as a whole; what leaves is lost, what comes in is paper") {
    const Tensor picture = Rng(3).uniform({1, 20}, 0.5, 1);  // 4 high, 5 wide, all ink
    std::set<std::pair<int, int>> seen;
    Rng rng(4);
    for (int round = 0; round < 200; ++round) {
        const Tensor moved = data::jittered(picture, 4, 5, 1, rng);
        int fits = 0;
        for (int down = -1; down <= 1; ++down)
            for (int right = -1; right <= 1; ++right) {
                bool same = true;
                for (int y = 0; y < 4; ++y)
                    for (int x = 0; x < 5; ++x) {
                        const int v = y - down, u = x - right;
                        const bool inside = v >= 0 && v < 4 && u >= 0 && u < 5;
                        same = same && moved.at(y * 5 + x) == (inside ? picture.at(v * 5 + u) : 0);
                    }
                if (same) seen.insert({down, right});
                fits += same;
            }
        REQUIRE(fits == 1);
    }
    CHECK(seen.size() == 9);
}

TEST_CASE("jitter: one state, one result, for any number of threads; the generator moves on") {
    const Tensor pixels = Rng(1).uniform({300, 784});
    Rng one(7), two(7);
    Tensor first, second;
    {
        const test::Threads threads(1);
        first = data::jittered(pixels, 28, 28, 2, one);
    }
    {
        const test::Threads threads(2);
        second = data::jittered(pixels, 28, 28, 2, two);
    }
    CHECK(test::same_bits(first, second));
    CHECK(one.state() == two.state());
    CHECK_FALSE(test::same_bits(first, data::jittered(pixels, 28, 28, 2, one)));
    CHECK(test::same_bits(pixels, data::jittered(pixels, 28, 28, 0, one)));
}

TEST_CASE("jitter: refuses pictures of another size and moves that leave nothing") {
    Rng rng(1);
    CHECK(test::contains(test::error_of([&] { data::jittered(dots(2), 8, 9, 2, rng); }),
                         "[N, 72] expected for 8 x 9"));
    for (const int most : {-1, 7})
        CHECK(test::contains(test::error_of([&] { data::jittered(dots(2), 7, 9, most, rng); }),
                             "0 ... 6 expected"));
}
