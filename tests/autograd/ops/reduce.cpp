#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// Every set of axes of a tensor of `rank` axes.
std::vector<Axes> subsets(int rank) {
    std::vector<Axes> sets;
    for (unsigned mask = 0; mask < (1u << rank); ++mask) {
        Axes axes;
        for (int i = 0; i < rank; ++i)
            if (mask >> i & 1)
                axes.append(i - (i % 2 ? rank : 0));  // odd ones counted from the end
        sets.push_back(axes);
    }
    return sets;
}

}  // namespace

TEST_CASE("reduce: sum, mean, max, var have right gradients over every set of axes") {
    for (const Shape& shape :
         {Shape{}, Shape{1}, Shape{7}, Shape{5, 1}, Shape{2, 3, 5}, Shape{1, 3, 1, 2}})
        for (const Axes& axes : subsets(shape.rank()))
            for (bool keep : {false, true}) {
                const std::string label = to_string(shape) + " over " + to_string(axes);
                const std::vector<Tensor> x = {apart(shape)};
                check_gradient(
                    "sum of " + label, [=](const auto& xs) { return sum(xs[0], axes, keep); }, x);
                check_gradient(
                    "mean of " + label, [=](const auto& xs) { return mean(xs[0], axes, keep); }, x);
                check_gradient(
                    "max of " + label, [=](const auto& xs) { return max(xs[0], axes, keep); }, x);
                check_gradient(
                    "var of " + label, [=](const auto& xs) { return var(xs[0], axes, 0, keep); },
                    x);
            }
}

TEST_CASE("reduce: over empty axes") {
    check_gradient("sum", [](const auto& xs) { return sum(xs[0], 0); },
                   {Tensor::zeros({0, 3}, Dtype::f64)});
    check_gradient("sum", [](const auto& xs) { return sum(xs[0], 1, true); },
                   {Tensor::zeros({0, 3}, Dtype::f64)});
    check_gradient("max", [](const auto& xs) { return max(xs[0], 1); },
                   {Tensor::zeros({0, 3}, Dtype::f64)});
    CHECK(max(Tensor::zeros({0, 3}), 1).shape() == Shape{0});
    CHECK(argmax(Tensor::zeros({0, 3})).shape() == Shape{0});
}

TEST_CASE("reduce: a float32 sum of a million elements is right to 1e-6") {
    const Tensor x = Rng(1).uniform({1 << 20}, 0, 1), wide = x.to(Dtype::f64);
    const double expected = sum(wide).item();
    CHECK(std::abs(sum(x).item() / expected - 1) < 1e-6);
    CHECK(std::abs(sum(x.view({1 << 10, 1 << 10}), -1).at(5) -
                   sum(wide.view({1 << 10, 1 << 10}), -1).at(5)) < 1e-3);
    CHECK(distance(sum(x.view({1 << 18, 4}), 0).to(Dtype::f64), sum(wide.view({1 << 18, 4}), 0)) <
          1e-5);
}

TEST_CASE("reduce: argmax is the first largest along an axis") {
    const Tensor x = vector({1, 5, 5, 7, 0, 7}, {2, 3});
    CHECK(close(argmax(x), {1, 0}));
    CHECK(close(argmax(x, 0), {1, 0, 1}));
    CHECK(argmax(x).dtype() == Dtype::i32);
}

TEST_CASE("reduce: a result is never the input's own buffer") {
    const Tensor x = vector({1, 2}), y = sum(x, Axes{});
    CHECK(y.data<double>() != x.data<double>());
    const Tensor one = vector({3}, {1, 1});
    CHECK(sum(one, {0, 1}).data<double>() != one.data<double>());
}
