#include "autograd/tensor.h"

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("tensor: a copy shares its numbers, a clone has its own") {
    const Tensor a = vector({1, 2});
    Tensor b = a, c = a.clone();
    b.set(0, 5);
    c.set(1, 7);
    CHECK(close(a, {5, 2}));
    CHECK(b.same_as(a));
    CHECK_FALSE(c.same_as(a));
}

TEST_CASE("tensor: views and reshapes share the buffer, transposes do not") {
    const Tensor a = vector({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(a.view({3}, 2).at(0) == 3);
    CHECK(reshape(a, {-1, 2}).data<double>() == a.data<double>());
    CHECK(transpose(a).data<double>() != a.data<double>());
    Tensor part;
    {
        const Tensor whole = Tensor::full({5000}, 2, Dtype::f64);
        part = whole.view({10}, 100).view({2, 2}, 3);
    }
    CHECK(close(part, {2, 2, 2, 2}));  // the owner lives on in its views
}

TEST_CASE("tensor: creation, conversion and reading keep numbers and dtype") {
    for (Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::i32}) {
        CHECK(Tensor::ones({2, 2}, dtype).dtype() == dtype);
        CHECK(close(Tensor::full({3}, -4, dtype), {-4, -4, -4}));
        CHECK(Tensor::full({}, 7, dtype).item() == 7);
        CHECK(Tensor::zeros({0, 3}, dtype).size() == 0);
        CHECK(close(vector({1, -2, 3}).to(dtype), {1, -2, 3}));
    }
    CHECK(Tensor::from(std::vector<float>{1, 2}).dtype() == Dtype::f32);
    CHECK(Tensor::from(std::vector<int32_t>{1, 2}, {2, 1}).shape() == Shape{2, 1});
    CHECK(reinterpret_cast<uintptr_t>(Tensor::empty({3}).data<float>()) % 64 == 0);
    CHECK(reinterpret_cast<uintptr_t>(Tensor::empty({3000}).data<float>()) % 64 == 0);
}

TEST_CASE("tensor: what it cannot do it says") {
    const Tensor a = Tensor::ones({2, 3});
    Tensor b = a.clone();
    CHECK(fails([&] { a.item(); }, {"item", "one element", "[2, 3]"}));
    CHECK(fails([&] { Tensor().item(); }, {"item"}));
    CHECK(fails([&] { a.at(6); }, {"at", "6"}));
    CHECK(fails([&] { a.at(-1); }, {"at", "-1"}));
    CHECK(fails([&] { b.set(6, 0); }, {"set", "6"}));
    CHECK(fails([&] { a.data<double>(); }, {"f32", "f64"}));
    CHECK(fails([&] { a.values<int32_t>(); }, {"f32", "i32"}));
    CHECK(fails([&] { Tensor().shape(); }, {"undefined"}));
    CHECK(fails([&] { Tensor() + a; }, {"undefined"}));
    CHECK(fails([&] { b.copy_from(vector({1})); }, {"copy", "[1]", "[2, 3]"}));
    CHECK(fails([&] { a.view({7}); }, {"view", "7", "[2, 3]"}));
    CHECK(fails([&] { a.view({2}, 5); }, {"view", "5"}));
    CHECK(fails([&] { Tensor::from<float>({1, 2}, {3}); }, {"2 values", "[3]", "3"}));
    CHECK(fails([&] { Tensor::zeros({1}, Dtype::i32).requires_grad(); }, {"i32", "f32"}));
}

TEST_CASE("tensor: negative and absurd sizes are refused wherever a tensor is made") {
    CHECK(fails([] { Tensor::zeros({2, -1}); }, {"negative", "[2, -1]"}));
    CHECK(fails([] { Tensor::empty({-1}); }, {"negative", "[-1]"}));
    CHECK(fails([] { Tensor::empty({-2, -3}); }, {"negative"}));
    CHECK(fails([] { Tensor::from<double>({1}, {-1, -1}); }, {"negative"}));
    CHECK(fails([] { Rng(1).uniform({-1}); }, {"negative"}));
    CHECK(fails([] { Tensor::empty({int64_t{1} << 60}); }, {"bytes"}));
    CHECK(fails([] { Tensor::zeros({1, 1, 1, 1, 1, 1, 1}); }, {"6"}));
}

TEST_CASE(
    "tensor: move_into keeps identity, numbers and gradient, and training goes on in the block") {
    for (int64_t n : {3, 3000}) {  // inline and separate buffers
        Tensor a = uniform({n}).requires_grad(), handle = a,
               b = uniform({2, n}, 0, 1, 2).requires_grad();
        const Tensor numbers = a.clone();
        {
            Tape tape;
            tape.backward(sum(square(a)));
        }
        const Tensor block = Tensor::zeros({3 * n}, Dtype::f64),
                     grads = Tensor::zeros({3 * n}, Dtype::f64);
        a.move_into(block, grads, 0);
        b.move_into(block, grads, n);
        CHECK(handle.same_as(a));
        CHECK(handle.data<double>() == block.data<double>());
        CHECK(b.data<double>() == block.data<double>() + n);
        CHECK(close(a, numbers));
        CHECK(close(a.grad(), 2 * numbers));
        CHECK_FALSE(b.grad().defined());
        {
            Tape tape;
            tape.backward(sum(a * b));
        }
        CHECK(close(grads.view({n}), 2 * numbers + sum(b, 0)));
        CHECK(close(grads.view({2, n}, n), broadcast_to(a, {2, n})));
        CHECK(b.grad().data<double>() == grads.data<double>() + n);
        a.zero_grad();
        b.zero_grad();
        {
            Tape tape;
            tape.backward(sum(a));
        }
        CHECK(close(grads.view({n}), Tensor::ones({n}, Dtype::f64)));
        CHECK_FALSE(b.grad().defined());
    }
}
