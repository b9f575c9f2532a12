#include "nn/optim.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of;

namespace {

using Make = std::function<std::unique_ptr<nn::Optimizer>(std::vector<Tensor>)>;

template <class O, class Options>
Make make(const Options& options) {
    return [=](std::vector<Tensor> parameters) { return std::make_unique<O>(parameters, options); };
}

struct Case {
    const char* name;
    Make make;
};

// As in make_nn.py.
const std::vector<Case> kCases{
    {"sgd", make<nn::SGD>(nn::SgdOptions{.lr = 0.1})},
    {"sgd_decay", make<nn::SGD>(nn::SgdOptions{.lr = 0.1, .weight_decay = 0.2})},
    {"sgd_momentum", make<nn::SGD>(nn::SgdOptions{
                         .lr = 0.1, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.2})},
    {"sgd_nesterov", make<nn::SGD>(nn::SgdOptions{
                         .lr = 0.1, .momentum = 0.9, .weight_decay = 0.2, .nesterov = true})},
    {"adam", make<nn::Adam>(nn::AdamOptions{.lr = 0.01})},
    {"adam_decay", make<nn::Adam>(nn::AdamOptions{
                       .lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.2})},
    {"adamw", make<nn::AdamW>(nn::AdamWOptions{.lr = 0.01})},
    {"adamw_decay",
     make<nn::AdamW>(nn::AdamWOptions{
         .lr = 0.01, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.2})},
};

// The sequence of make_nn.py: five steps, the second parameter without a gradient at the third.
std::vector<Tensor> run(const Make& make_optimizer, Dtype dtype) {
    const nn::StateDict torch = test::fixture("optim");
    std::vector<Tensor> parameters;
    for (int i : {0, 1}) {
        parameters.push_back(torch.at(fmt::format("start/{}", i)).to(dtype));
        parameters.back().requires_grad();
    }
    const auto optimizer = make_optimizer(parameters);
    for (int64_t step = 0; step < 5; ++step) {
        optimizer->zero_grad();
        for (size_t i = 0; i < 2; ++i) {
            if (step == 2 && i == 1) continue;
            const Shape& shape = parameters[i].shape();
            const Tensor gradient =
                torch.at(fmt::format("gradients/{}", i)).view(shape, step * shape.size()).to(dtype);
            Tape tape;
            tape.backward(sum(parameters[i] * gradient));
        }
        optimizer->step();
    }
    return parameters;
}

Tensor leaf(const Shape& shape, Dtype dtype = Dtype::f32) {
    Tensor x = Rng(1).normal(shape, 0, 1, dtype);
    x.requires_grad();
    return x;
}

void backward(const Tensor& x) {
    Tape tape;
    tape.backward(sum(square(x)));
}

}  // namespace

TEST_CASE("optimizers: five steps are PyTorch's") {
    const nn::StateDict torch = test::fixture("optim");
    for (const Case& tried : kCases) {
        for (const auto& [dtype, tolerance] : {std::pair(Dtype::f64, 1e-10), {Dtype::f32, 1e-5}}) {
            const std::vector<Tensor> ours = run(tried.make, dtype);
            for (size_t i = 0; i < 2; ++i) {
                CAPTURE(tried.name);
                CAPTURE(i);
                CHECK(test::distance(ours[i], torch.at(fmt::format("{}/{}", tried.name, i))) <
                      tolerance);
            }
        }
    }
}

TEST_CASE("optimizers: same bits for any number of threads") {
    for (const Case& tried : kCases) {
        CAPTURE(tried.name);
        Tensor results[2];
        for (int threads : {1, 2}) {
            test::Threads count(threads);
            Tensor x = leaf({217, 301});
            const auto optimizer = tried.make({x});
            for (int step = 0; step < 3; ++step) {
                optimizer->zero_grad();
                backward(x);
                optimizer->clip_grad_norm(1);
                optimizer->step();
            }
            results[threads - 1] = x;
        }
        CHECK(test::same_bits(results[0], results[1]));
    }
}

TEST_CASE("optimizers: what lies between parameters stays zero") {
    const Tensor a = leaf({3}), b = leaf({5});
    nn::AdamW optimizer({a, b});
    backward(a);
    backward(b);
    optimizer.step();
    for (int64_t i = 3; i < 16; ++i) CHECK(optimizer.parameters().values().at(i) == 0);
}

TEST_CASE("optimizers: groups have rates of their own") {
    const Tensor a = leaf({3}), b = leaf({3}), a0 = a.clone(), b0 = b.clone();
    nn::SGD optimizer({{.parameters = {a}}, {.parameters = {b}, .lr = 0.5}}, {.lr = 0.1});
    CHECK(optimizer.group_count() == 2);
    CHECK(optimizer.lr(1) == 0.5);
    backward(a);
    backward(b);
    optimizer.step();
    CHECK(a.at(0) == doctest::Approx(a0.at(0) * 0.8));
    CHECK(b.at(0) == doctest::Approx(b0.at(0) * 0.0));
    optimizer.set_lr(0.3);
    CHECK(optimizer.lr(1) == 0.3);
    optimizer.set_lr(0.2, 1);
    CHECK(optimizer.lr(0) == 0.3);
    CHECK(optimizer.lr(1) == 0.2);
}

TEST_CASE("optimizers: a state taken over goes on with the same bits") {
    for (const Case& tried : kCases) {
        CAPTURE(tried.name);
        Tensor x = leaf({7, 5});
        const auto first = tried.make({x});
        const auto step = [&](nn::Optimizer& optimizer, const Tensor& parameter) {
            optimizer.zero_grad();
            backward(parameter);
            optimizer.step();
        };
        step(*first, x);
        step(*first, x);
        Tensor y = x.clone();
        y.requires_grad();
        const auto second = tried.make({y});
        second->load_state_dict(first->state_dict());
        step(*first, x);
        step(*second, y);
        CHECK(test::same_bits(x, y));
    }
}

TEST_CASE("optimizers: a state of another kind or model is refused with nothing changed") {
    const Tensor x = leaf({4}), y = leaf({5});
    nn::SGD sgd({x}, {.momentum = 0.9});
    nn::Adam adam({y});
    backward(y);
    adam.step();
    const nn::StateDict before = test::copy(adam.state_dict());
    const std::string error = error_of([&] { adam.load_state_dict(sgd.state_dict()); });
    CHECK(contains(error, "missing:    exp_avg.0 [5] f32"));
    CHECK(contains(error, "unexpected: momentum.0 [4] f32"));
    CHECK(test::same_bits(adam.state_dict(), before));
}

TEST_CASE("optimizers: what cannot be is an error") {
    const Tensor x = leaf({4});
    CHECK(error_of([&] { nn::SGD({x}, {.nesterov = true}); }) != "");
    CHECK(error_of([&] { nn::SGD({x}, {.lr = -1}); }) != "");
    CHECK(error_of([&] { nn::Adam({x}, {.beta2 = 1}); }) != "");
    CHECK(error_of([&] { nn::Adam(std::vector<Tensor>()); }) != "");
    nn::SGD first({x});
    nn::SGD second({x});
    CHECK(contains(error_of([&] { first.step(); }), "one optimizer at a time"));
}
