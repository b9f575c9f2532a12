#include "autograd/random.h"

#include <set>

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("rng: the sequence is SplitMix64's") {
    Rng rng;
    rng.set_state(0);
    CHECK(rng.next() == 0xe220a8397b1dcdafu);
    CHECK(rng.next() == 0x6e789e6aa1b965f4u);
    CHECK(rng.next() == 0x06c45d188009454fu);
    rng.set_state(1234567);
    for (uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                              4593380528125082431u, 16408922859458223821u})
        CHECK(rng.next() == expected);
}

TEST_CASE("rng: tensors hold the numbers that single calls give, and leave the same state") {
    Rng one(7), all(7);
    const Tensor u = all.uniform({5}, 0, 1, Dtype::f64), z = all.normal({4}, 0, 1, Dtype::f64);
    for (int i = 0; i < 5; ++i) CHECK(u.at(i) == one.uniform());
    for (int i = 0; i < 4; ++i) CHECK(z.at(i) == one.normal());
    CHECK(one.state() == all.state());
    Rng skipping(7);
    skipping.skip(13);
    CHECK(skipping.state() == one.state());
}

TEST_CASE("rng: a saved state goes on with the same numbers, another seed gives others") {
    Rng rng(3);
    rng.normal({100});
    const uint64_t state = rng.state();
    const Tensor a = rng.normal({50});
    rng.set_state(state);
    CHECK(same_bits(a, rng.normal({50})));
    CHECK_FALSE(same_bits(a, Rng(4).normal({50})));
    CHECK_FALSE(same_bits(Rng(0).uniform({3}), Rng(1).uniform({3})));
}

TEST_CASE("rng: each step of a seed has numbers of its own, whatever was drawn before") {
    CHECK(same_bits(Rng(3, 7).normal({50}), Rng(3, 7).normal({50})));
    for (const Rng& other : {Rng(3, 6), Rng(4, 7), Rng(7, 3), Rng(3)})
        CHECK_FALSE(same_bits(Rng(3, 7).uniform({3}), Rng(other).uniform({3})));
}

TEST_CASE("rng: moments are those of the distributions") {
    const int64_t n = 200000;
    const Tensor u = Rng(1).uniform({n}, -2, 4, Dtype::f64),
                 z = Rng(2).normal({n}, 3, 2, Dtype::f64);
    CHECK(std::abs(mean(u).item() - 1) < 0.02);
    CHECK(std::abs(var(u, 0).item() - 3) < 0.03);
    CHECK(max(u).item() < 4);
    CHECK(max(-u).item() <= 2);
    CHECK(std::abs(mean(z).item() - 3) < 0.02);
    CHECK(std::abs(var(z, 0).item() - 4) < 0.06);
    CHECK(std::abs(mean(pow((z - 3) / 2, 4)).item() - 3) < 0.1);
}

TEST_CASE("rng: below stays below and a permutation holds each number once") {
    Rng rng(5);
    std::set<int64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(rng.below(7));
    CHECK(seen == std::set<int64_t>{0, 1, 2, 3, 4, 5, 6});
    const Tensor order = rng.permutation(1000);
    std::set<double> values;
    for (int64_t i = 0; i < 1000; ++i) values.insert(order.at(i));
    CHECK(values.size() == 1000);
    CHECK(*values.begin() == 0);
    CHECK(*values.rbegin() == 999);
    CHECK(order.dtype() == Dtype::i32);
    CHECK(rng.permutation(0).size() == 0);
}
