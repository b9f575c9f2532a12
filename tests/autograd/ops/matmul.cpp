#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {
Shape turned(const Shape& shape, bool turn) {
    Shape result = shape;
    if (turn) std::swap(result[-1], result[-2]);
    return result;
}
}  // namespace

TEST_CASE(
    "matmul: right gradients in all four forms, batched and broadcast, over odd and empty shapes") {
    const std::pair<Shape, Shape> pairs[] = {
        {{1, 1}, {1, 1}},          {{3, 5}, {5, 7}},
        {{1, 5}, {5, 1}},          {{2, 3, 5}, {2, 5, 7}},
        {{2, 3, 5}, {5, 7}},       {{3, 5}, {2, 5, 7}},
        {{2, 1, 3, 5}, {3, 5, 2}}, {{1, 3, 5}, {4, 5, 2}},
        {{4, 3, 5}, {1, 5, 2}},    {{2, 1, 2, 3}, {1, 3, 3, 2}},
        {{3, 0}, {0, 2}},          {{0, 5}, {5, 2}},
        {{2, 0, 3}, {2, 3, 4}},    {{0, 3, 5}, {5, 2}},
        {{0, 3, 5}, {1, 5, 2}},    {{3, 5}, {0, 5, 2}}};
    for (const auto& [a, b] : pairs)
        for (Trans trans : {Trans::none, Trans::a, Trans::b, Trans::both}) {
            const bool ta = trans == Trans::a || trans == Trans::both,
                       tb = trans == Trans::b || trans == Trans::both;
            const Tensor x = uniform(turned(a, ta)), y = uniform(turned(b, tb), -1, 1, 2);
            const std::string label = to_string(a) + " x " + to_string(b);
            check_gradient(label, [=](const auto& xs) { return matmul(xs[0], xs[1], trans); },
                           {x, y});
            const Tensor plain = matmul(ta ? transpose(x) : x, tb ? transpose(y) : y);
            INFO(label);
            CHECK(close(matmul(x, y, trans), plain));
        }
}

TEST_CASE("matmul: is the definition") {
    const Tensor a = vector({1, 2, 3, 4, 5, 6}, {2, 3}), b = vector({1, 0, 2, 1, 0, 3}, {3, 2});
    CHECK(close(matmul(a, b), {5, 11, 14, 23}));
}

TEST_CASE("matmul: one tensor as both factors") {
    for (Trans trans : {Trans::none, Trans::a, Trans::b, Trans::both})
        check_gradient("x x", [=](const auto& xs) { return matmul(xs[0], xs[0], trans); },
                       {uniform({4, 4})});
    check_gradient("linear(x, x)", [](const auto& xs) { return linear(xs[0], xs[0]); },
                   {uniform({3, 5})});
}

TEST_CASE("linear: each gradient alone, as when the others are frozen") {
    const Tensor x = uniform({2, 3, 5}), w = uniform({4, 5}), b = uniform({4});
    check_gradient("dx", [=](const auto& xs) { return linear(xs[0], w, b, Activation::gelu); },
                   {x});
    check_gradient("dw", [=](const auto& xs) { return linear(x, xs[0], b, Activation::gelu); },
                   {w});
    check_gradient("db", [=](const auto& xs) { return linear(x, w, xs[0], Activation::gelu); },
                   {b});
    check_gradient("a row", [=](const auto& xs) { return linear(xs[0], xs[1], xs[2]); },
                   {uniform({5}), w, b});
    check_gradient("one element", [=](const auto& xs) { return linear(xs[0], xs[1], xs[2]); },
                   {uniform({1, 1}), uniform({1, 1}), uniform({1})});
    check_gradient("no inputs", [=](const auto& xs) { return linear(xs[0], xs[1], xs[2]); },
                   {uniform({3, 0}), uniform({2, 0}), uniform({2})});
}
