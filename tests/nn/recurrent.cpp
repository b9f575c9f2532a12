#include "nn/recurrent.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

namespace {

std::unique_ptr<nn::Recurrent> make(const std::string& kind, int64_t input, int64_t hidden,
                                    const nn::RecurrentOptions& options) {
    if (kind == "lstm") return std::make_unique<nn::LSTM>(input, hidden, options);
    if (kind == "gru") return std::make_unique<nn::GRU>(input, hidden, options);
    return std::make_unique<nn::RNN>(
        input, hidden, options, kind == "rnn" ? nn::Nonlinearity::tanh : nn::Nonlinearity::relu);
}

const std::vector<std::string> kKinds = {"rnn", "rnn_relu", "lstm", "gru"};

// Loss and gradients of a fixture; how far each is from PyTorch's, as text. "" where all are near.
std::string compare_with_torch(const std::string& kind, bool both_ways,
                               const std::string& precision, Tape::Fused fused) {
    const auto torch = test::fixture(
        fmt::format("recurrent/{}/{}/{}", kind, both_ways ? "both_ways" : "one_way", precision));
    const double tolerance = precision == "f64" ? 1e-10 : 1e-5;
    const auto model = make(kind, 3, 4, {.layers = 2, .bidirectional = both_ways});
    if (precision == "f64") model->to(Dtype::f64);
    model->load_state_dict(nn::with_prefix_removed(torch, "weights/"));
    const auto leaf = [&](const char* name) {
        return torch.contains(name) ? torch.at(name).clone().requires_grad() : Tensor();
    };
    const Tensor x = leaf("x"), h0 = leaf("h0"), c0 = leaf("c0");
    Tape tape(fused);
    const auto [y, state] = (*model)(x, {h0, c0}, torch.at("lengths"));
    Tensor loss = sum(y * torch.at("scale_y")) + sum(state.h * torch.at("scale_h"));
    if (state.c.defined()) loss = loss + sum(state.c * torch.at("scale_c"));
    tape.backward(loss);

    std::string wrong = test::wrong_gradients(*model, torch, tolerance);
    const auto near = [&](const char* name, const Tensor& ours) {
        if (ours.defined() && !(test::distance(ours, torch.at(name)) < tolerance))
            wrong += std::string(name) + " ";
    };
    near("y", y), near("h", state.h), near("c", state.c), near("loss", loss);
    near("dx", x.grad()), near("dh0", h0.grad());
    if (c0.defined()) near("dc0", c0.grad());
    return wrong;
}

}  // namespace

TEST_CASE(
    "recurrent layers: outputs, loss and every gradient are PyTorch's, padded and both ways") {
    for (const auto& kind : kKinds)
        for (const bool both_ways : {false, true})
            for (const char* precision : {"f64", "f32"})
                for (const auto fused : {Tape::Fused::kernels, Tape::Fused::composed}) {
                    INFO(kind << " " << both_ways << " " << precision);
                    CHECK(compare_with_torch(kind, both_ways, precision, fused) == "");
                }
}

TEST_CASE("recurrent layers: parameters have PyTorch's names and shapes and begin in ± 1/√H") {
    nn::manual_seed(1);
    nn::GRU gru(5, 16, {.layers = 2, .bidirectional = true});
    const auto dict = gru.state_dict();
    CHECK(dict.size() == 16);
    CHECK(dict.at("weight_ih_l0").shape() == Shape{48, 5});
    CHECK(dict.at("weight_hh_l1_reverse").shape() == Shape{48, 16});
    CHECK(dict.at("weight_ih_l1").shape() == Shape{48, 32});
    CHECK(dict.at("bias_hh_l1").shape() == Shape{48});
    for (const auto& [name, x] : dict) {
        CHECK(max(abs(x)).item() <= 0.25);
        CHECK(max(abs(x)).item() > 0.2);
    }
    nn::LSTM plain(3, 4, {.bias = false});
    CHECK(plain.state_dict().size() == 2);
    CHECK_FALSE(plain.weights(0).bias_ih.defined());
}

TEST_CASE(
    "recurrent layers: a sequence in two parts, the state carried on, is the whole sequence") {
    for (const auto& kind : kKinds) {
        const auto model = make(kind, 3, 8, {.layers = 2});
        const Tensor x = Rng(1).normal({4, 10, 3});
        const auto whole = (*model)(x);
        const auto first = (*model)(slice(x, 1, 0, 6));
        const auto second = (*model)(slice(x, 1, 6, 10), first.state.detach());
        CHECK(test::same_bits(concat({first.y, second.y}, 1), whole.y));
        CHECK(test::same_bits(second.state.h, whole.state.h));
    }
}

TEST_CASE("recurrent layers: dropout works between layers, in training only") {
    nn::LSTM model(3, 32, {.layers = 2, .dropout = 0.5});
    const Tensor x = Rng(1).normal({2, 4, 3});
    CHECK_FALSE(test::same_bits(model(x).y, model(x).y));
    model.eval();
    CHECK(test::same_bits(model(x).y, model(x).y));
    nn::LSTM one(3, 32, {.dropout = 0.5});
    CHECK(test::same_bits(one(x).y, one(x).y));  // there is nothing between one layer
}

TEST_CASE("recurrent layers: learn one batch by heart, with the same bits on 1 and 2 threads") {
    for (const auto& kind : kKinds) {
        const auto train = [&](int threads) {
            const test::Threads scope(threads);
            nn::manual_seed(3);
            const auto model = make(kind, 4, 24, {});
            nn::Linear head(24, 1);
            auto parameters = model->parameters();
            for (const Tensor& p : head.parameters()) parameters.push_back(p);
            nn::AdamW optimizer(parameters, {.lr = 2e-2});
            const Tensor x = Rng(1).normal({8, 6, 4}), target = Rng(2).normal({8, 6, 1});
            Tensor loss;
            for (int step = 0; step < 300; ++step) {
                optimizer.zero_grad();
                Tape tape;
                loss = mse(head((*model)(x).y), target);
                tape.backward(loss);
                optimizer.clip_grad_norm(1);
                optimizer.step();
            }
            return loss;
        };
        INFO(kind);
        const Tensor loss = train(1);
        CHECK(loss.item() < 0.05);
        CHECK(test::same_bits(loss, train(2)));
    }
}

TEST_CASE("recurrent layers: errors name the layer and what was expected") {
    nn::LSTM model(3, 4, {.layers = 2});
    const Tensor x = Tensor::ones({2, 5, 3});
    const auto error = [&](auto f) { return test::error_of(f); };
    CHECK(test::contains(error([&] { model(Tensor::ones({2, 5, 4})); }), "x is [2, 5, 4]"));
    CHECK(test::contains(error([&] {
                             model(x, {Tensor::ones({1, 2, 4}), {}});
                         }),
                         "an initial state is [1, 2, 4]: [2, 2, 4] expected"));
    CHECK(test::contains(error([&] { model(x, {}, Tensor::full({2}, 6, Dtype::i32)); }),
                         "length of row 0 is 6: 1 ... 5 expected"));
    CHECK(test::contains(error([] { nn::GRU(3, 0); }), "at least 1 of each"));
    CHECK(test::contains(error([] { nn::GRU(3, 2, {.dropout = 1}); }), "probability below 1"));
    CHECK(test::contains(error([&] { model.weights(2); }), "layer 2 of 2"));
}
