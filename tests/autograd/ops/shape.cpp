#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("shape ops: right gradients over odd, size-1 and empty shapes") {
    for (const Shape& shape :
         {Shape{1}, Shape{7}, Shape{0}, Shape{1, 1}, Shape{5, 7}, Shape{0, 3}, Shape{3, 0},
          Shape{2, 3, 5}, Shape{1, 3, 1}, Shape{2, 1, 2, 1, 3, 2}}) {
        const std::vector<Tensor> two = {uniform(shape), uniform(shape, -1, 1, 2)};
        auto check = [&](const std::string& name, const Function& f) {
            check_gradient(name + " of " + to_string(shape), f, two);
        };
        check("reshape", [&](const auto& xs) { return reshape(xs[0], {shape.size()}); });
        check("broadcast_to", [](const auto& xs) { return broadcast_to(sum(xs[0]), {2, 3}); });
        for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
            const int64_t n = shape[axis];
            check("transpose", [=](const auto& xs) { return transpose(xs[0], axis, 0); });
            check("concat", [=](const auto& xs) { return concat({xs[0], xs[1], xs[0]}, axis); });
            if (shape.rank() < 6)
                check("stack", [=](const auto& xs) { return stack({xs[0], xs[1]}, axis); });
            check("slice", [=](const auto& xs) { return slice(xs[0], axis, n / 3, n); });
            check("empty slice", [=](const auto& xs) { return slice(xs[0], axis, n, n); });
            check("pad", [=](const auto& xs) { return pad(xs[0], axis, 2, 1, 3); });
            if (n > 0)
                check("split", [=](const auto& xs) {
                    const auto parts = split(xs[0], 2, axis);
                    return sum(parts.back() * 3) + sum(square(parts.front()));
                });
        }
    }
}

TEST_CASE("shape ops: permute in every order undoes itself") {
    const Tensor x = uniform({2, 3, 5, 1});
    std::vector<int64_t> order = {0, 1, 2, 3};
    do {
        const Axes axes{order[0], order[1], order[2], order[3]};
        Axes back = axes;
        for (int i = 0; i < 4; ++i) back[static_cast<int>(axes[i])] = i;
        CHECK(same_bits(permute(permute(x, axes), back), x));
        check_gradient("permute", [=](const auto& xs) { return permute(xs[0], axes); }, {x});
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(permute(x, {-1, 0, -2, 1}).shape() == Shape{1, 2, 5, 3});
    CHECK(permute(Tensor::ones({}), Axes{}).item() == 1);
}

TEST_CASE("shape ops: sum_to is the way back of broadcast_to") {
    const std::pair<Shape, Shape> pairs[] = {
        {{5, 1}, {5, 7}}, {{}, {2, 3}}, {{1, 3}, {4, 2, 3}}, {{1}, {1, 1}}, {{1}, {0}}};
    for (const auto& [small, large] : pairs) {
        check_gradient("broadcast_to",
                       [&, l = large](const auto& xs) { return broadcast_to(xs[0], l); },
                       {uniform(small)});
        check_gradient("sum_to", [&, s = small](const auto& xs) { return sum_to(xs[0], s); },
                       {uniform(large)});
    }
}

TEST_CASE("shape ops: values are where they belong") {
    const Tensor x = vector({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(close(transpose(x), {1, 4, 2, 5, 3, 6}));
    CHECK(close(concat({x, x}, 1), {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
    CHECK(close(stack({x, -x}, 1), {1, 2, 3, -1, -2, -3, 4, 5, 6, -4, -5, -6}));
    CHECK(stack({x, x}, -1).shape() == Shape{2, 3, 2});
    CHECK(close(slice(x, 1, -2, -1), {2, 5}));
    CHECK(close(pad(x, 0, 1, 0, 9), {9, 9, 9, 1, 2, 3, 4, 5, 6}));
    const auto parts = split(x, 2, 1);
    CHECK(parts.size() == 2);
    CHECK(close(parts[1], {3, 6}));
}

TEST_CASE("picking: right gradients along each axis, with ids that repeat, and with none") {
    const Tensor x = uniform({3, 4, 2});
    for (int axis = -3; axis < 3; ++axis) {
        Shape shape = x.shape();
        shape[axis] = 5;
        std::vector<int32_t> each;
        for (int64_t i = 0; i < shape.size(); ++i)
            each.push_back(static_cast<int32_t>(i * 5 % 7 % x.size(axis)));
        const Tensor some = ids({1, 0, 1, 1}, {4}), many = Tensor::from(each, shape);
        check_gradient("gather", [=](const auto& xs) { return gather(xs[0], axis, many); }, {x});
        check_gradient("index_select",
                       [=](const auto& xs) { return index_select(xs[0], axis, some); }, {x});
        check_gradient(
            "no ids", [=](const auto& xs) { return index_select(xs[0], axis, ids({}, {0})); }, {x});
    }
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{2, 3}, Shape{0}}) {
        const Tensor tokens = Tensor::full(shape, 2, Dtype::i32);
        check_gradient("embedding", [=](const auto& xs) { return embedding(xs[0], tokens); },
                       {uniform({5, 3})});
    }
    CHECK(embedding(Tensor::ones({5, 3}), Tensor::zeros({2, 7}, Dtype::i32)).shape() ==
          Shape{2, 7, 3});
    CHECK(close(gather(vector({1, 2, 3, 4}, {2, 2}), 1, ids({1, 0}, {2, 1})), {2, 3}));
}
