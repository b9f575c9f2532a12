#include "nn/layers.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/loss.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of;

namespace {

// The network of make_nn.py's layers().
struct Net : nn::Layer {
    nn::Embedding table{11, 6, 3};
    nn::LayerNorm norm{6};
    nn::Linear up{6, 8, true, Activation::tanh};
    nn::Linear head{8, 5, false};
    Net() { children({{"table", table}, {"norm", norm}, {"up", up}, {"head", head}}); }
    Tensor forward(const Tensor& ids) override { return head(up(norm(table(ids)))); }
};

void compare_with_torch(const std::string& kind, double tolerance) {
    const nn::StateDict torch = test::fixture("layers/" + kind);
    Net net;
    if (kind == "f64") net.to(Dtype::f64);
    net.load_state_dict(nn::with_prefix_removed(torch, "weights/"));
    Tape tape;
    const Tensor loss = nn::cross_entropy(net(torch.at("ids")), torch.at("targets"));
    tape.backward(loss);
    CHECK(std::abs(loss.item() - torch.at("loss").item()) < tolerance);
    CHECK(test::wrong_gradients(net, torch, tolerance) == "");
}

}  // namespace

TEST_CASE("layers: loss and gradients are PyTorch's, in f32") { compare_with_torch("f32", 1e-5); }

TEST_CASE("layers: loss and gradients are PyTorch's, in f64") { compare_with_torch("f64", 1e-10); }

TEST_CASE("linear: begins uniform in ± 1/√in, without bias where asked") {
    nn::manual_seed(1);
    const nn::Linear linear(400, 100);
    const double bound = 1 / std::sqrt(400.0);
    double largest = 0;
    for (float w : linear.weight.values<float>()) largest = std::max<double>(largest, std::abs(w));
    CHECK(largest <= bound);
    CHECK(largest > 0.999 * bound);
    CHECK(linear.weight.shape() == Shape{100, 400});
    CHECK(linear.bias.shape() == Shape{100});
    CHECK_FALSE(nn::Linear(4, 3, false).bias.defined());
    CHECK(contains(error_of([] { nn::Linear(0, 3); }), "at least 1"));
}

TEST_CASE("linear: takes any number of leading axes") {
    nn::Linear linear(4, 3);
    CHECK(linear(Tensor::ones({2, 5, 4})).shape() == Shape{2, 5, 3});
    CHECK(error_of([&] { linear(Tensor::ones({2, 5})); }) != "");
}

TEST_CASE("embedding: the row of padding is zero and gets no gradient") {
    nn::Embedding table(5, 3, 2);
    const Tensor ids = Tensor::from<int32_t>({2, 1, 2, 4});
    Tape tape;
    const Tensor rows = table(ids);
    CHECK(rows.at(0) == 0);
    CHECK(rows.at(3) == table.weight.at(3));
    tape.backward(sum(rows));
    CHECK(table.weight.grad().at(2 * 3) == 0);
    CHECK(table.weight.grad().at(1 * 3) == 1);
    CHECK(contains(error_of([] { nn::Embedding(5, 3, 5); }), "padding 5 of 5 rows"));
}

TEST_CASE("embedding: an id out of range is an error") {
    nn::Embedding table(5, 3);
    CHECK(error_of([&] { table(Tensor::from<int32_t>({5})); }) != "");
}

TEST_CASE("dropout: works in training alone, from a generator of its own") {
    nn::manual_seed(3);
    nn::Dropout drop(0.4);
    const Tensor x = Tensor::ones({10000});
    const Tensor y = drop(x);
    CHECK(mean(y).item() == doctest::Approx(1).epsilon(0.03));
    int64_t zeros = 0;
    for (float v : y.values<float>()) {
        zeros += v == 0;
        CHECK((v == 0 || v == doctest::Approx(1 / 0.6)));
    }
    CHECK(static_cast<double>(zeros) == doctest::Approx(4000).epsilon(0.05));
    CHECK_FALSE(test::same_bits(drop(x), y));
    drop.eval();
    CHECK(drop(x).same_as(x));

    nn::manual_seed(3);
    nn::Dropout again(0.4);
    CHECK(test::same_bits(again(x), y));
    CHECK(contains(error_of([] { nn::Dropout(1); }), "below 1"));
}

TEST_CASE("sequential: names and runs its layers in order") {
    nn::Sequential net("net");
    net.add<nn::Linear>(4, 5).add<nn::ReLU>().add<nn::Linear>(5, 2);
    CHECK(net.state_dict().contains("0.weight"));
    CHECK(net.state_dict().contains("2.bias"));
    const Tensor x = Rng(1).normal({3, 4});
    CHECK(test::same_bits(net(x), net[2](relu(net[0](x)))));
    CHECK(contains(error_of([&] { net(Tensor::ones({3, 5})); }), "... in net.0"));
}

TEST_CASE("activations as layers are the functions") {
    const Tensor x = Rng(1).normal({50});
    CHECK(test::same_bits(nn::ReLU()(x), relu(x)));
    CHECK(test::same_bits(nn::Tanh()(x), tanh(x)));
    CHECK(test::same_bits(nn::Sigmoid()(x), sigmoid(x)));
    CHECK(test::same_bits(nn::SiLU()(x), silu(x)));
    CHECK(test::same_bits(nn::GELU(Gelu::tanh)(x), gelu(x, Gelu::tanh)));
}
