#include "nn/attention.h"

#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "nn/init.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

TEST_CASE("multi-head attention: outputs, weights and every gradient are PyTorch's") {
    const auto torch = test::fixture("multihead", "translation");
    nn::MultiheadAttention model(6, 2);
    model.to(Dtype::f64);
    model.load_state_dict(nn::with_prefix_removed(torch, "weights/"));
    const Tensor x = torch.at("x").clone().requires_grad(),
                 memory = torch.at("memory").clone().requires_grad();
    for (const auto fused : {Tape::Fused::kernels, Tape::Fused::composed}) {
        model.zero_grad();
        Tensor(x).zero_grad(), Tensor(memory).zero_grad();
        Tape tape(fused);
        const Tensor y = model(x, {.causal = true}).y;
        const auto [z, weights] = model(y, memory, {.key_lengths = torch.at("lengths")});
        tape.backward(sum(z * torch.at("scale")));
        CHECK(test::distance(z, torch.at("z")) < 1e-10);
        CHECK(test::distance(weights, torch.at("attention")) < 1e-10);
        CHECK(test::wrong_gradients(model, torch, 1e-10) == "");
        CHECK(test::distance(x.grad(), torch.at("dx")) < 1e-10);
        CHECK(test::distance(memory.grad(), torch.at("dmemory")) < 1e-10);
    }
}

TEST_CASE("multi-head attention: a memory read in two halves is the memory read at once") {
    nn::MultiheadAttention model(8, 4);
    const Tensor x = Rng(1).normal({2, 3, 8}), memory = Rng(2).normal({2, 5, 8});
    CHECK(test::same_bits(model.attend(x, model.keys_and_values(memory)).y, model(x, memory).y));
    CHECK(
        test::contains(test::error_of([] { nn::MultiheadAttention(8, 3); }), "8 does not divide"));
}

TEST_CASE("encoder attention: each score is its formula, its gradients are those of differences") {
    using nn::Score;
    nn::manual_seed(1);
    const Tensor h = Rng(1).normal({2, 4, 3}, 0, 1, Dtype::f64),
                 lengths = Tensor::from<int32_t>({4, 2});
    for (const Score score : {Score::additive, Score::dot, Score::scaled_dot, Score::general}) {
        nn::EncoderAttention model(score, 3, 3, 5);
        model.to(Dtype::f64);
        const auto dict = model.state_dict();
        const Tensor q = Rng(2).normal({2, 1, 3}, 0, 1, Dtype::f64);
        const auto compare = [&](const Tensor& a, const Tensor& b) {  // [3], [3] -> a number
            switch (score) {
                case Score::dot:
                    return sum(a * b).item();
                case Score::scaled_dot:
                    return sum(a * b).item() / std::sqrt(3.0);
                case Score::general:
                    return sum(linear(a, dict.at("query.weight")) * b).item();
                default:
                    return sum(dict.at("v") *
                               tanh(linear(a, dict.at("query.weight")) +
                                    linear(b, dict.at("key.weight"), dict.at("key.bias"))))
                        .item();
            }
        };
        const auto out = model(q, model.remember(h, lengths));
        for (int64_t b = 0; b < 2; ++b) {
            const int64_t n = b == 0 ? 4 : 2;
            Tensor e = Tensor::empty({n}, Dtype::f64);
            for (int64_t s = 0; s < n; ++s)
                e.set(s, compare(q.view({3}, b * 3), h.view({3}, (b * 4 + s) * 3)));
            const Tensor p = softmax(e);
            for (int64_t s = 0; s < 4; ++s)
                CHECK(out.weights.at(b * 4 + s) == doctest::Approx(s < n ? p.at(s) : 0));
        }
        const auto result = gradcheck(
            [&](const std::vector<Tensor>& xs) {
                return model(xs[0], model.remember(xs[1], lengths)).y;
            },
            {q, h});
        INFO(result.message);
        CHECK(result.ok);
    }
    CHECK(test::contains(test::error_of([] { nn::EncoderAttention(Score::dot, 3, 4); }),
                         "queries as wide as states, not 3 and 4"));
    CHECK(test::contains(test::error_of([] { nn::EncoderAttention(Score::additive, 3, 4); }),
                         "comparison of width 0"));
}
