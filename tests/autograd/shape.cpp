#include "autograd/shape.h"

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("shape: sizes, negative axes and text") {
    const Shape shape{2, 3, 5};
    CHECK(shape.size() == 30);
    CHECK(shape.rank() == 3);
    CHECK(shape[-1] == 5);
    CHECK(shape[0] == 2);
    CHECK(shape.size(1, 3) == 15);
    CHECK(shape.size(1, 1) == 1);
    CHECK(Shape{}.size() == 1);
    CHECK(Shape{0, 3}.size() == 0);
    CHECK(to_string(shape) == "[2, 3, 5]");
    CHECK(to_string(Shape{}) == "[]");
}

TEST_CASE("shape: equality looks at rank and sizes") {
    CHECK(Shape{2, 3} == Shape{2, 3});
    CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
    CHECK_FALSE(Shape{2} == Shape{2, 0});
    CHECK_FALSE(Shape{} == Shape{0});
    CHECK_FALSE(Shape{1} == Shape{});
}

TEST_CASE("shape: more than six axes are an error") {
    CHECK(fails([] { Shape{1, 1, 1, 1, 1, 1, 1}; }, {"6"}));
    CHECK(fails([] { stack({Tensor::ones({1, 1, 1, 1, 1, 1})}); }, {"6"}));
}

TEST_CASE("shape: broadcasting is NumPy's") {
    struct Rule {
        Shape a, b, y;
    };
    const Rule rules[] = {
        {{5, 1}, {1, 7}, {5, 7}},
        {{7}, {5, 7}, {5, 7}},
        {{}, {3}, {3}},
        {{2, 1, 5}, {3, 1}, {2, 3, 5}},
        {{1}, {}, {1}},
        {{0}, {1}, {0}},
        {{0, 3}, {3}, {0, 3}},
        {{2, 1, 0}, {4, 1}, {2, 4, 0}},
        {{}, {}, {}},
    };
    for (const auto& [a, b, y] : rules) {
        CHECK(broadcast("t", a, b) == y);
        CHECK(broadcast("t", b, a) == y);
    }
    CHECK(fails(
        [] {
            broadcast("add", {2, 3}, {4, 3});
        },
        {"add: ", "[2, 3]", "[4, 3]", "2 and 4"}));
    CHECK(fails([] { broadcast("add", {0}, {3}); }, {"[0]", "[3]"}));
}

TEST_CASE("shape: an axis outside the shape is an error") {
    CHECK(normal_axis("t", -3, {1, 2, 3}) == 0);
    CHECK(normal_axis("t", 2, {1, 2, 3}) == 2);
    CHECK(fails([] { normal_axis("sum", 3, {1, 2, 3}); }, {"sum: axis 3", "[1, 2, 3]", "3 axes"}));
    CHECK(fails([] { normal_axis("sum", -4, {1, 2, 3}); }, {"axis -4"}));
    CHECK(fails([] { normal_axis("sum", -1, {}); }, {"[]"}));
}

TEST_CASE("scope: an error tells the path of the module that ran") {
    const Tensor a = Tensor::ones({2, 3});
    Scope outer("gpt"), silent(""), inner("blocks.3");
    CHECK(Scope::path() == "gpt.blocks.3");
    CHECK(fails(
        [&] { matmul(a, a); },
        {"matmul: inner sizes differ: a is [2, 3], b is [2, 3] (3 and 2)", "... in gpt.blocks.3"}));
    {
        Scope attention("attn");
        CHECK(Scope::path() == "gpt.blocks.3.attn");
    }
    CHECK(Scope::path() == "gpt.blocks.3");
}
