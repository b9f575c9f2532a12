#include "nn/module.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/layers.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of;

namespace {

struct Block : nn::Layer {
    nn::LayerNorm norm;
    nn::Linear up;
    nn::Dropout drop{0.5};
    explicit Block(int64_t dim) : norm(dim), up(dim, dim) {
        children({{"norm", norm}, {"up", up}, {"drop", drop}});
    }
    Tensor forward(const Tensor& x) override { return drop(up(norm(x))); }
};

struct Model : nn::Module {
    nn::Embedding table{7, 4};
    nn::ModuleList<Block> blocks{*this, "blocks"};
    nn::Linear head{4, 7, false};
    Tensor scale = Tensor::ones({4}), mask = Tensor::zeros({2}, Dtype::i32);

    Model() : Module("model") {
        child("table", table);
        for (int i = 0; i < 2; ++i) blocks.emplace_back(4);
        child("head", head);
        parameter("scale", scale);
        buffer("mask", mask);
    }
    Tensor operator()(const Tensor& ids) {
        Scope in(name());
        Tensor x = table(ids);
        for (Block& block : blocks) x = block(x);
        return head(x * scale);
    }
};

std::string joined(const nn::Module& module) {
    std::string names;
    for (const auto& [name, x] : module.named_parameters()) names += name + " ";
    return names;
}

}  // namespace

TEST_CASE("module: parameters have dotted paths, in order of registration") {
    const Model model;
    CHECK(joined(model) ==
          "scale table.weight blocks.0.norm.weight blocks.0.norm.bias blocks.0.up.weight "
          "blocks.0.up.bias blocks.1.norm.weight blocks.1.norm.bias blocks.1.up.weight "
          "blocks.1.up.bias head.weight ");
    CHECK(model.parameter_count() == 4 + 28 + 2 * (4 + 4 + 16 + 4) + 28);
    CHECK(model.state_dict().contains("mask"));
    CHECK(model.named_generators()[1].first == "blocks.1.drop.rng");
}

TEST_CASE("module: tied weights count once and stay tied") {
    Model model;
    model.head.weight = model.table.weight;
    CHECK(!contains(joined(model), "head.weight"));
    CHECK(model.state_dict().contains("head.weight"));
    model.to(Dtype::f64);
    CHECK(model.head.weight.same_as(model.table.weight));
    CHECK(model.head.weight.dtype() == Dtype::f64);
    CHECK(model.head.weight.wants_grad());
    CHECK(model.mask.dtype() == Dtype::i32);
}

TEST_CASE("module: train and eval reach every part") {
    Model model;
    CHECK(model.blocks[1].drop.training());
    model.eval();
    CHECK_FALSE(model.blocks[1].drop.training());
    model.train();
    CHECK(model.blocks[1].drop.training());
}

TEST_CASE("module: an error names the part that ran") {
    Model model;
    model.blocks[1].up.weight = Tensor::ones({4, 5});
    const std::string error = error_of([&] { model(Tensor::zeros({2}, Dtype::i32)); });
    CHECK(contains(error, "... in model.blocks.1.up"));
}

TEST_CASE("module: a state dict copies a model") {
    nn::manual_seed(1);
    Model a, b;
    CHECK_FALSE(test::same_bits(a.state_dict(), b.state_dict()));
    b.load_state_dict(a.state_dict());
    CHECK(test::same_bits(a.state_dict(), b.state_dict()));
    CHECK_FALSE(a.scale.same_as(b.scale));
}

TEST_CASE("module: loading names everything that does not fit, and changes nothing") {
    Model model;
    const nn::StateDict before = test::copy(model.state_dict());
    nn::StateDict other = test::copy(model.state_dict());
    other["scale"] = Tensor::full({3}, 2);
    other["head.weight"] = other["head.weight"].to(Dtype::f64);
    other["extra"] = Tensor::ones({2});
    other.erase("blocks.0.up.bias");
    other["table.weight"].fill(5);

    const std::string error = error_of([&] { model.load_state_dict(other); });
    CHECK(contains(error, "missing:    blocks.0.up.bias [4] f32"));
    CHECK(contains(error, "unexpected: extra [2] f32"));
    CHECK(contains(error, "differs:    scale is [3] f32, expected [4] f32"));
    CHECK(contains(error, "differs:    head.weight is [7, 4] f64, expected [7, 4] f32"));
    CHECK(contains(error, "in model"));
    CHECK(test::same_bits(model.state_dict(), before));

    CHECK(error_of([&] { model.load_state_dict(other, nn::Strict::shapes); }) != "");
    other.erase("scale");
    other.erase("head.weight");
    model.load_state_dict(other, nn::Strict::shapes);
    CHECK(model.table.weight.at(0) == 5);
}

TEST_CASE("module: a name is given once") {
    struct Twice : nn::Module {
        Tensor a = Tensor::ones({1});
        Twice() {
            parameter("a", a);
            buffer("a", a);
        }
    };
    CHECK(contains(error_of([] { Twice twice; }), "the name a twice"));
}
