#include "autograd/ops/elementwise.h"

#include "tests/autograd/catalogue.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("elementwise: every formula's gradient over odd shapes") {
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{3}, Shape{5, 7}, Shape{2, 3, 5},
                               Shape{1, 5, 1}, Shape{0}, Shape{0, 3}, Shape{1, 2, 1, 3, 1, 2}})
        for (const Case& c : formulas(shape))
            check_gradient(c.name + " of " + to_string(shape), c.f, c.inputs);
}

TEST_CASE(
    "elementwise: every op of two inputs broadcasts both ways, with right gradients to both") {
    const std::pair<Shape, Shape> pairs[] = {{{5, 1}, {1, 7}},
                                             {{7}, {5, 7}},
                                             {{}, {3}},
                                             {{2, 1, 5}, {3, 1}},
                                             {{1}, {1}},
                                             {{}, {}},
                                             {{1}, {}},
                                             {{2, 3, 5}, {1, 3, 1}},
                                             {{3, 1, 2}, {1, 4, 1}},
                                             {{0}, {1}},
                                             {{0, 3}, {3}},
                                             {{2, 1, 0}, {4, 1}},
                                             {{2, 1, 3, 1, 2, 1}, {5, 1, 2, 1, 3}},
                                             {{5, 7}, {5, 7}}};
    const std::pair<const char*, Tensor (*)(const Tensor&, const Tensor&)> ops[] = {
        {"add", operator+ },
         {"sub", operator- },
          {"mul", operator* },
           {"div", operator/ }, {"pow", pow}, {"maximum", maximum}, {"minimum", minimum}};
    for (const auto& [name, op] : ops)
        for (const auto& [one, other] : pairs)
            for (bool turned : {false, true}) {
                const Shape &a = turned ? other : one, &b = turned ? one : other;
                check_gradient(std::string(name) + " of " + to_string(a) + " and " + to_string(b),
                               [op = op](const auto& xs) { return op(xs[0], xs[1]); },
                               {grid(a, 2.55), grid(b, 2.6, 2)});
            }
}

TEST_CASE("elementwise: where broadcasts all three, with right gradients to both choices") {
    const Shape shapes[][3] = {{{3, 5}, {3, 5}, {3, 5}},
                               {{3, 1}, {5}, {}},
                               {{}, {3, 1}, {1, 5}},
                               {{5}, {2, 1, 1}, {3, 1}},
                               {{0}, {1}, {}}};
    for (const auto& [c, a, b] : shapes) {
        const Tensor condition = apart(c) > Tensor::zeros({}, Dtype::f64);
        check_gradient("where", [=](const auto& xs) { return where(condition, xs[0], xs[1]); },
                       {uniform(a), uniform(b)});
    }
}

TEST_CASE("elementwise: one tensor as both inputs gets both gradients") {
    const std::vector<Tensor> x = {uniform({3, 5}, 0.5, 2)};
    check_gradient(
        "x * x", [](const auto& xs) { return xs[0] * xs[0]; }, x);
    check_gradient(
        "x ^ x", [](const auto& xs) { return pow(xs[0], xs[0]); }, x);
    check_gradient(
        "x / x", [](const auto& xs) { return xs[0] / xs[0] + xs[0] - xs[0]; }, x);
    check_gradient(
        "max(x, x)", [](const auto& xs) { return maximum(xs[0], xs[0]); }, x);
    check_gradient(
        "x with a part of itself", [](const auto& xs) { return xs[0] * slice(xs[0], 0, 0, 1); }, x);
}

TEST_CASE("elementwise: a formula with two inputs of a user's own") {
    // y = a² b;  da = 2 a b dy,  db = a² dy
    auto f = [](const std::vector<Tensor>& xs) {
        return elementwise(
            "square_times", xs[0], xs[1], [](auto a, auto b) { return a * a * b; },
            [](auto a, auto b, Unused, auto dy) { return as(a, 2) * a * b * dy; },
            [](auto a, Unused, Unused, auto dy) { return a * a * dy; });
    };
    check_gradient("a² b", f, {uniform({3, 1}), uniform({5})});
    CHECK(fails(
        [&] {
            f({Tensor::ones({2}), Tensor::ones({3})});
        },
        {"square_times: ", "[2]", "[3]"}));
}

TEST_CASE("dropout: zeroes a share p, scales the rest, and draws the same mask on the way back") {
    const Tensor x = Tensor::ones({100, 1000}, Dtype::f64);
    Rng rng(5);
    const auto first = run([&](const auto& xs) { return dropout(xs[0], 0.3, rng); }, {x});
    int64_t zeros = 0, differing = 0;
    const Tensor weights = Rng(9).uniform(x.shape(), 0.5, 1.5, Dtype::f64);
    for (int64_t i = 0; i < x.size(); ++i) {
        zeros += first[0].at(i) == 0;
        differing += std::abs(first[1].at(i) - weights.at(i) * first[0].at(i)) > 1e-12;
    }
    CHECK(differing == 0);
    CHECK(std::abs(static_cast<double>(zeros) / 1e5 - 0.3) < 0.01);
    CHECK(max(first[0]).item() == doctest::Approx(1 / 0.7));
    CHECK(std::abs(mean(first[0]).item() - 1) < 0.01);
    const Tensor second = dropout(x, 0.3, rng);
    CHECK_FALSE(same_bits(first[0], second));  // the generator has moved on
    Rng again(5);
    CHECK(same_bits(first[0], dropout(x, 0.3, again)));
    const uint64_t state = again.state();
    CHECK(same_bits(dropout(x, 0, again), x));
    CHECK(again.state() == state);
}
