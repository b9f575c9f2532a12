#include "data/sources/procedural_digits.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/batches.h"
#include "models/mlp.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Images, data::procedural_digits;

namespace {

// Accuracy on `test` after four passes over `train`.
double accuracy(const std::vector<int64_t>& sizes, const Images& train, const Images& test) {
    nn::manual_seed(1);
    models::MLP model(sizes);
    nn::AdamW optimizer(model.parameters());
    data::Batches batches(train.pixels, train.labels, 64, {.seed = 1});
    const nn::OneCycle schedule{.peak = 4e-3, .total = 4 * batches.per_epoch()};
    for (int64_t step = 0; step < schedule.total; ++step) {
        const auto [x, y] = batches.at(step);
        optimizer.zero_grad();
        Tape tape;
        tape.backward(nn::cross_entropy(model(x), y));
        optimizer.set_lr(schedule(step));
        optimizer.step();
    }
    const Tensor guess = argmax(model(test.pixels)).to(Dtype::f32);
    return mean(equal(guess, test.labels.to(Dtype::f32))).item();
}

}  // namespace

TEST_CASE(
    "generated digits: a longer list begins with the shorter one, for any number of threads") {
    Images few, many;
    {
        test::Threads one(1);
        few = procedural_digits(100, {.seed = 3});
    }
    {
        test::Threads two(2);
        many = procedural_digits(300, {.seed = 3});
    }
    CHECK(test::same_bits(few.pixels, data::slice(many, 0, 100).pixels));
    CHECK(test::same_bits(few.labels, data::slice(many, 0, 100).labels));
    CHECK_FALSE(test::same_bits(few.pixels, procedural_digits(100, {.seed = 4}).pixels));
}

TEST_CASE("generated digits: pixels from 0 to 1, classes equally likely") {
    const Images images = procedural_digits(2000, {.seed = 1});
    CHECK(images.pixels.shape() == Shape{2000, 784});
    int counts[10] = {};
    for (int32_t label : images.labels.values<int32_t>()) ++counts[label];
    for (int count : counts) CHECK(count == doctest::Approx(200).epsilon(0.25));
    const auto grey = images.pixels.values<float>();
    CHECK(*std::min_element(grey.begin(), grey.end()) == 0);
    CHECK(*std::max_element(grey.begin(), grey.end()) == 1);
    CHECK(test::error_of([] { procedural_digits(0); }) != "");
}

TEST_CASE("generated digits: without wildness and noise there are ten pictures") {
    const Images images = procedural_digits(40, {.seed = 1, .wildness = 0, .noise = 0});
    for (int64_t i = 0; i < 40; ++i)
        for (int64_t j = 0; j < i; ++j)
            CHECK((images.labels.at(i) == images.labels.at(j)) ==
                  test::same_bits(images.pixels.view({784}, 784 * i),
                                  images.pixels.view({784}, 784 * j)));
}

TEST_CASE("generated digits: a hidden layer reads what a linear model cannot") {
    const Images all = procedural_digits(7000, {.seed = 2});
    const Images train = data::slice(all, 0, 6000), test = data::slice(all, 6000, 7000);
    const double linear = accuracy({784, 10}, train, test);
    const double hidden = accuracy({784, 128, 10}, train, test);
    CHECK(linear > 0.5);
    CHECK(linear < 0.85);
    CHECK(hidden > linear + 0.1);
}
