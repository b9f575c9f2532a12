#include "models/ibm_model1.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/random.h"
#include "tests/data/temporary.h"

using namespace gradus;
using models::IbmModel1;
using test::contains, test::error_of;
using Ids = std::vector<int32_t>;

namespace {

// Words 0 ... 9 that stand for 9 ... 0, in sentences of 2 to 5 different words, shuffled.
IbmModel1 mirror(int passes, std::vector<double>* nats = nullptr) {
    IbmModel1 model(10, 10);
    Rng rng(1);
    for (int i = 0; i < 300; ++i) {
        const Tensor words = rng.permutation(10), order = rng.permutation(5);
        const int64_t length = 2 + rng.below(4);
        Ids source, target;
        for (int64_t j = 0; j < length; ++j) source.push_back(static_cast<int32_t>(words.at(j)));
        for (int64_t j = 0; j < 5; ++j)
            if (order.at(j) < static_cast<double>(length))
                target.push_back(9 - source[static_cast<size_t>(order.at(j))]);
        model.add(source, target);
    }
    for (int i = 0; i < passes; ++i) {
        const double before = model.pass();
        if (nats) nats->push_back(before);
    }
    return model;
}

}  // namespace

TEST_CASE("IBM model 1: a dictionary and its alignments are found from sentences alone") {
    const IbmModel1 model = mirror(20);
    for (int32_t word = 0; word < 10; ++word) {
        CHECK(model.best(word) == 9 - word);
        CHECK(model.probability(9 - word, word) > 0.95);
    }
    CHECK(model.align(Ids{3, 1, 7}, Ids{2, 6, 8}) == Ids{2, 0, 1});
}

TEST_CASE("IBM model 1: each row is a distribution, and the loss never rises") {
    std::vector<double> nats;
    const IbmModel1 model = mirror(10, &nats);
    for (int32_t source = IbmModel1::kNone; source < 10; ++source) {
        double sum = 0;
        for (int32_t target = 0; target < 10; ++target) sum += model.probability(target, source);
        CHECK(std::abs(sum - 1) < 1e-12);
    }
    CHECK(std::abs(nats.front() - std::log(10)) < 1e-12);  // even at first
    for (size_t i = 1; i < nats.size(); ++i) CHECK(nats[i] < nats[i - 1] + 1e-12);
    CHECK(nats.back() <
          std::log(5));  // about ln 4: each word is sure, of n + 1 equally likely places
}

// Worked by hand: "a b" -> "x y", "a" -> "x". Places are none and the words.
TEST_CASE("IBM model 1: two passes over two pairs are what they are by hand") {
    IbmModel1 model(2, 2);
    model.add(Ids{0, 1}, Ids{0, 1});
    model.add(Ids{0}, Ids{0});
    model.pass();
    // From equal values each of the three places of "a b" takes 1/3 of x and of y, each of the two
    // of "a" takes 1/2 of x: t(x|a) = (1/3 + 1/2) / (2/3 + 1/2).
    CHECK(std::abs(model.probability(0, 0) - (5. / 6) / (7. / 6)) < 1e-12);
    CHECK(std::abs(model.probability(0, 1) - 0.5) < 1e-12);
    model.pass();
    const double a = 5. / 7, b = 0.5;  // t(x|.) of a and of none; of b
    const double x = a / (2 * a + b) + 0.5, y = (1 - a) / (2 * (1 - a) + b);
    CHECK(std::abs(model.probability(0, 0) - x / (x + y)) < 1e-12);
}

TEST_CASE("IBM model 1: what it does not know") {
    IbmModel1 model(3, 3);
    CHECK(contains(error_of([&] { model.pass(); }), "no pairs"));
    model.add(Ids{0}, Ids{0});
    CHECK(model.best(2) == -1);
    CHECK(model.probability(1, 0) == 0);
    CHECK(model.align(Ids{2}, Ids{1}) == Ids{-1});
    CHECK(contains(error_of([&] { model.add(Ids{0}, Ids{}); }), "empty target"));
    CHECK(contains(error_of([&] { model.add(Ids{3}, Ids{0}); }), "source id 3"));
    CHECK(contains(error_of([&] { model.add(Ids{0}, Ids{-1}); }), "target id -1"));
    CHECK(contains(error_of([] { IbmModel1(0, 3); }), "at least 1"));
}
