#include "nn/parameters.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of;

namespace {

Tensor leaf(const Shape& shape, Dtype dtype = Dtype::f32) {
    Tensor x = Rng(static_cast<uint64_t>(shape.size())).normal(shape, 0, 1, dtype);
    x.requires_grad();
    return x;
}

// A gradient of our choice.
void give_gradient(const Tensor& x, const Tensor& gradient) {
    Tape tape;
    tape.backward(sum(x * gradient));
}

}  // namespace

TEST_CASE("flat parameters: the tensors keep their numbers and live in one block") {
    const Tensor a = leaf({3, 5}), b = leaf({40}), before = a.clone();
    nn::FlatParameters flat({a, b});
    CHECK(test::same_bits(a, before));
    CHECK(flat.begin(0) == 0);
    CHECK(flat.begin(1) == 16);
    CHECK(flat.begin(2) == 64);
    CHECK(a.data<float>() == flat.values().data<float>());
    CHECK(b.data<float>() == flat.values().data<float>() + 16);
    CHECK(reinterpret_cast<uintptr_t>(b.data<float>()) % 64 == 0);

    give_gradient(a, Tensor::full({3, 5}, 2));
    give_gradient(b, Tensor::full({40}, 3));
    CHECK(a.grad().data<float>() == flat.gradients().data<float>());
    CHECK(flat.gradients().at(14) == 2);
    CHECK(flat.gradients().at(15) == 0);  // between two parameters
    CHECK(flat.gradients().at(16) == 3);
    CHECK(flat.values().at(15) == 0);
}

TEST_CASE("flat parameters: gradients add up until they are forgotten") {
    const Tensor a = leaf({4});
    nn::FlatParameters flat({a});
    give_gradient(a, Tensor::ones({4}));
    give_gradient(a, Tensor::ones({4}));
    CHECK(a.grad().at(3) == 2);
    flat.zero_grad();
    CHECK_FALSE(a.grad().defined());
    give_gradient(a, Tensor::ones({4}));
    CHECK(a.grad().at(3) == 1);
}

TEST_CASE("flat parameters: a gradient that is there already comes along") {
    const Tensor a = leaf({4});
    give_gradient(a, Tensor::full({4}, 7));
    nn::FlatParameters flat({a});
    CHECK(a.grad().at(2) == 7);
    CHECK(flat.grad_norm() == doctest::Approx(14));
}

TEST_CASE("clipping: norm and gradients are PyTorch's") {
    const nn::StateDict torch = test::fixture("clip");
    const Tensor a = leaf({4, 3}, Dtype::f64), b = leaf({6}, Dtype::f64);
    nn::FlatParameters flat({a, b});
    give_gradient(a, torch.at("before/0"));
    give_gradient(b, torch.at("before/1"));
    CHECK(std::abs(flat.clip_grad_norm(1.5) - torch.at("norm").item()) < 1e-12);
    CHECK(test::distance(a.grad(), torch.at("after/0")) < 1e-12);
    CHECK(test::distance(b.grad(), torch.at("after/1")) < 1e-12);
}

TEST_CASE("clipping: leaves short gradients alone, and those that are not there uncounted") {
    const Tensor a = leaf({4}), b = leaf({4}), c = leaf({4});
    nn::FlatParameters flat({a, b, c});
    for (const Tensor& x : {a, b, c}) give_gradient(x, Tensor::ones({4}));
    flat.zero_grad();
    give_gradient(a, Tensor::full({4}, 1.5));
    give_gradient(c, Tensor::full({4}, 2));
    CHECK(flat.grad_norm() == doctest::Approx(5));
    CHECK(flat.clip_grad_norm(5.1) == doctest::Approx(5));
    CHECK(a.grad().at(0) == 1.5);
    CHECK(flat.clip_grad_norm(2.5) == doctest::Approx(5));
    CHECK(a.grad().at(0) == doctest::Approx(0.75));
}

TEST_CASE("clipping: same bits for any number of threads") {
    const Tensor x = leaf({300, 301});
    nn::FlatParameters flat({x});
    give_gradient(x, Rng(5).normal({300, 301}));
    double norms[2];
    for (int threads : {1, 2}) {
        test::Threads count(threads);
        norms[threads - 1] = flat.grad_norm();
    }
    CHECK(norms[0] == norms[1]);
    CHECK(norms[0] == doctest::Approx(std::sqrt(300 * 301)).epsilon(0.01));
}

TEST_CASE("flat parameters: what cannot be is an error") {
    const Tensor a = leaf({2});
    CHECK(contains(error_of([] { nn::FlatParameters flat({}); }), "the list is empty"));
    CHECK(contains(error_of([&] { nn::FlatParameters flat({a, a}); }), "are the same"));
    CHECK(contains(error_of([&] { nn::FlatParameters flat({Tensor::ones({2})}); }),
                   "does not require a gradient"));
    CHECK(contains(error_of([&] {
                       nn::FlatParameters flat({a, leaf({2}, Dtype::f64)});
                   }),
                   "one dtype expected"));
    nn::FlatParameters first({a});
    first.check_alive();
    const nn::FlatParameters second({a});
    CHECK(contains(error_of([&] { first.check_alive(); }), "an optimizer made later"));
}
