#include "models/mlp.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

TEST_CASE("mlp: loss and gradients are those of PyTorch's Sequential") {
    const nn::StateDict torch = test::fixture("mlp");
    models::MLP model({7, 6, 5, 3});
    model.to(Dtype::f64);
    model.load_state_dict(nn::with_prefix_removed(torch, "weights/"));
    Tape tape;
    const Tensor loss = nn::cross_entropy(model(torch.at("x")), torch.at("y"));
    tape.backward(loss);
    CHECK(std::abs(loss.item() - torch.at("loss").item()) < 1e-10);
    CHECK(test::wrong_gradients(model, torch, 1e-10) == "");
}

TEST_CASE("mlp: learns one batch by heart") {
    nn::manual_seed(1);
    models::MLP model({20, 32, 10});
    nn::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    const Tensor x = Rng(1).normal({16, 20});
    Tensor y = Tensor::empty({16}, Dtype::i32);
    for (int32_t i = 0; i < 16; ++i) y.data<int32_t>()[i] = i % 10;
    double loss = 0;
    for (int step = 0; step < 200; ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor now = nn::cross_entropy(model(x), y);
        loss = now.item();
        tape.backward(now);
        optimizer.step();
    }
    CHECK(loss < 0.01);
}

TEST_CASE("mlp: dropout is a layer of its own, as in PyTorch, and off in evaluation") {
    models::MLP model({4, 50, 50, 3}, {.activation = Activation::tanh, .dropout = 0.5});
    CHECK(model.state_dict().contains("6.weight"));
    const Tensor x = Rng(1).normal({2, 4});
    CHECK_FALSE(test::same_bits(model(x), model(x)));
    model.eval();
    CHECK(test::same_bits(model(x), model(x)));
}

TEST_CASE("mlp: errors name the layer") {
    models::MLP model({4, 5, 3});
    CHECK(test::contains(test::error_of([&] { model(Tensor::ones({2, 5})); }), "... in mlp.0"));
    CHECK(test::contains(test::error_of([] { models::MLP({4}); }), "inputs and outputs"));
}

TEST_CASE("mlp: limit_norms shortens long rows of hidden layers, and changes nothing else") {
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
        nn::manual_seed(2);
        models::MLP model({6, 5, 4, 3}, {.max_norm = 2});
        model.to(dtype);
        for (Tensor& p : model.parameters())
            for (int64_t i = 0; i < p.size(); ++i) p.set(i, p.at(i) * static_cast<double>(i % 13));
        const nn::StateDict before = test::copy(model.state_dict());
        model.limit_norms();
        for (const auto& [name, now] : model.state_dict()) {
            const Tensor& was = before.at(name);
            if (name != "0.weight" && name != "2.weight") {
                CHECK(test::same_bits(now, was));
                continue;
            }
            int shortened = 0;
            const int64_t in = now.size(1);
            for (int64_t unit = 0; unit < now.size(0); ++unit) {
                const Tensor old_row = was.view({in}, unit * in), row = now.view({in}, unit * in);
                const double length = std::sqrt(sum(square(old_row)).item());
                shortened += length > 2;
                CHECK(test::distance(row, old_row * std::min(1.0, 2 / length)) < 1e-6);
            }
            CHECK(shortened > 0);
            CHECK(shortened < now.size(0));
        }
    }
}

TEST_CASE("mlp: without max_norm rows may be as long as they like; a negative one is refused") {
    models::MLP model({6, 5, 3});
    model.parameters()[0].fill(100);
    model.limit_norms();
    CHECK(model.parameters()[0].at(7) == 100);
    CHECK(test::contains(test::error_of([] {
                             models::MLP({6, 5, 3}, {.max_norm = -1});
                         }),
                         "max_norm is -1"));
}
