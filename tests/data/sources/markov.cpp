#include "data/sources/markov.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Markov;

namespace {

// All texts of a length over k symbols, given to f.
template <class F>
void every_text(int64_t k, int64_t length, F f) {
    Tensor ids = Tensor::zeros({length}, Dtype::i32);
    for (int64_t number = 0; number < std::pow(k, length); ++number) {
        int64_t rest = number;
        for (int64_t i = 0; i < length; ++i, rest /= k) ids.set(i, static_cast<double>(rest % k));
        f(ids);
    }
}

}  // namespace

TEST_CASE("markov: the symmetric source's entropy rate is its closed form") {
    CHECK(Markov::symmetric(3, 0.8).entropy_rate() == doctest::Approx(0.6390).epsilon(1e-4));
    CHECK(Markov::symmetric(8, 0.7).entropy_rate() == doctest::Approx(1.1946).epsilon(1e-4));
    CHECK(Markov::symmetric(16, 0.6).entropy_rate() == doctest::Approx(1.7562).epsilon(1e-4));
}

TEST_CASE("markov: a text's nats per token are near the entropy rate") {
    Rng rng(1);
    for (const int order : {0, 1, 2, 3}) {
        const Markov source = Markov::random(4, order, 0.5, rng);
        const int64_t n = 60000;
        const Tensor nats = source.token_nats(source.sample(n, rng));
        CAPTURE(order);
        CHECK(nats.size() == n - order);
        CHECK(mean(nats).item() == doctest::Approx(source.entropy_rate()).epsilon(0.02));
    }
}

TEST_CASE("markov: the probabilities of all texts that begin alike sum to 1") {
    Rng rng(2);
    for (const int order : {0, 1, 2}) {
        const Markov source = Markov::random(3, order, 1, rng);
        double total = 0;
        every_text(3, 5, [&](const Tensor& ids) { total += std::exp(-source.nats(ids)); });
        CHECK(total == doctest::Approx(std::pow(3, order)));  // 3^order beginnings
    }
}

TEST_CASE("markov: a table's row belongs to the context that its number spells, the oldest first") {
    // Order 2 over two symbols: after 0 1 always comes 1, after 1 0 always 0.
    const Markov source(Tensor::from<double>({0.5, 0.5, 0, 1, 1, 0, 0.25, 0.75}, {4, 2}));
    CHECK(source.order() == 2);
    const Tensor nats = source.token_nats(Tensor::from<int32_t>({0, 0, 1, 1, 0, 0, 1, 0}));
    const double ln2 = std::log(2);
    const Tensor expected = Tensor::from<double>({ln2, 0, 2 * ln2, 0, ln2, INFINITY});
    for (int64_t i = 0; i < 6; ++i) CHECK(nats.at(i) == expected.at(i));
}

TEST_CASE("markov: a sample has the table's frequencies, and begins in the stationary state") {
    Rng rng(3);
    const Markov source = Markov::random(3, 2, 0.7, rng);
    double beginnings[9] = {}, counts[27] = {};
    for (int text = 0; text < 20000; ++text) {
        const Tensor ids = source.sample(3, rng);
        const auto context = static_cast<size_t>(ids.at(0) * 3 + ids.at(1));
        beginnings[context] += 1;
        counts[context * 3 + static_cast<size_t>(ids.at(2))] += 1;
    }
    for (size_t c = 0; c < 9; ++c) {
        CHECK(std::abs(beginnings[c] / 20000 - source.stationary().values<double>()[c]) < 0.015);
        for (size_t id = 0; id < 3; ++id) {
            const double p = source.table().values<double>()[c * 3 + id];
            const double spread = std::sqrt(p * (1 - p) * beginnings[c]);
            CHECK(std::abs(counts[c * 3 + id] - p * beginnings[c]) <= 4.5 * spread + 1e-6);
        }
    }
}

TEST_CASE("markov: a chain that goes round in circles has a stationary distribution too") {
    const Markov source(Tensor::from<double>({0, 1, 0, 0, 0, 1, 1, 0, 0}, {3, 3}));
    for (int i = 0; i < 3; ++i) CHECK(source.stationary().at(i) == doctest::Approx(1.0 / 3));
    CHECK(source.entropy_rate() == 0);
}

TEST_CASE("markov: same seed, same text; a longer one begins with the shorter") {
    const auto text = [](uint64_t seed, int64_t n) {
        Rng rng(seed);
        const Markov source = Markov::random(5, 2, 0.5, rng);
        return source.sample(n, rng);
    };
    CHECK(test::same_bits(text(1, 100), text(1, 100)));
    CHECK(test::same_bits(text(1, 100), text(1, 300).view({100})));
    CHECK_FALSE(test::same_bits(text(1, 100), text(2, 100)));
    CHECK(text(1, 1).size() == 1);  // shorter than the order
}

TEST_CASE("markov: a small concentration makes nearly certain rows, a large one even rows") {
    Rng rng(4);
    CHECK(Markov::random(8, 1, 0.02, rng).entropy_rate() < 0.3);
    CHECK(Markov::random(8, 1, 1e4, rng).entropy_rate() > std::log(8) - 0.001);
}

TEST_CASE("markov: what is no source is refused") {
    const auto table = [](std::vector<double> p, Shape shape) {
        return test::error_of([&] { Markov(Tensor::from<double>(p, shape)); });
    };
    CHECK(test::contains(table({0.5, 0.5, 0.5, 0.4}, {2, 2}), "row 1 sums to 0.9"));
    CHECK(test::contains(table({0.5, 0.5, 1.5, -0.5}, {2, 2}), "row 1 holds -0.5"));
    CHECK(test::contains(table({0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, {3, 2}), "2 or 4"));
    CHECK(test::contains(table({1, 1}, {2, 1}), "1 symbol"));
    CHECK(test::contains(test::error_of([] { Markov(Tensor::ones({2, 2})); }), "f64 expected"));
    CHECK(test::contains(test::error_of([] { Markov::symmetric(3, 1.5); }), "probability 1.5"));
    const std::string slow = table({1 - 1e-9, 1e-9, 2e-9, 1 - 2e-9}, {2, 2});
    CHECK(test::contains(slow, "no stationary distribution that 100,000 steps could find"));
    Rng rng(1);
    CHECK(test::contains(test::error_of([&] { Markov::random(4, 2, 0, rng); }), "concentration 0"));
    CHECK(test::contains(test::error_of([&] { Markov::random(27, 6, 1, rng); }),
                         "at most 1,048,576"));

    const Markov source = Markov::random(3, 2, 1, rng);
    const auto read = [&](std::vector<int32_t> ids) {
        return test::error_of([&] { source.nats(Tensor::from<int32_t>(ids)); });
    };
    CHECK(test::contains(read({0, 1, 3}), "id 3 at position 2; 0 ... 2 expected"));
    CHECK(test::contains(read({0}), "1 tokens; at least the order, 2, expected"));
    CHECK(test::contains(test::error_of([&] { source.nats(Tensor::ones({4})); }), "i32 [n]"));
    CHECK(test::contains(test::error_of([&] { source.sample(-1, rng); }), "-1 tokens"));
}
