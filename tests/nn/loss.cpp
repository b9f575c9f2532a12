#include "nn/loss.h"

#include <doctest/doctest.h>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

TEST_CASE("cosine_embedding: loss and gradients are PyTorch's") {
    const nn::StateDict torch = test::fixture("cosine");
    Tensor a = torch.at("a").clone(), b = torch.at("b").clone();
    a.requires_grad();
    b.requires_grad();
    Tape tape;
    const Tensor loss = nn::cosine_embedding(a, b, torch.at("labels"), 0.1);
    tape.backward(loss);
    CHECK(std::abs(loss.item() - torch.at("loss").item()) < 1e-12);
    CHECK(test::distance(a.grad(), torch.at("da")) < 1e-12);
    CHECK(test::distance(b.grad(), torch.at("db")) < 1e-12);
}

TEST_CASE("cosine_embedding: refuses labels that are not 1 or -1, and shapes that differ") {
    const Tensor a = Tensor::ones({2, 3});
    CHECK(test::contains(test::error_of([&] {
                             nn::cosine_embedding(a, a, Tensor::from<int32_t>({1, 0}));
                         }),
                         "label 1 is 0"));
    CHECK(test::error_of([&] {
              nn::cosine_embedding(a, Tensor::ones({2, 4}), Tensor::from<int32_t>({1, 1}));
          }) != "");
}

TEST_CASE("cross_entropy: ids and distributions give the same loss") {
    const Tensor logits = Rng(1).normal({4, 3}, 0, 1, Dtype::f64);
    const Tensor ids = Tensor::from<int32_t>({0, 2, 1, 1});
    Tensor rows = Tensor::zeros({4, 3}, Dtype::f64);
    for (int64_t i = 0; i < 4; ++i) rows.set(3 * i + static_cast<int64_t>(ids.at(i)), 1);
    CHECK(nn::cross_entropy(logits, ids).item() ==
          doctest::Approx(nn::cross_entropy(logits, rows).item()).epsilon(1e-12));
    CHECK(test::contains(
        test::error_of([&] { nn::cross_entropy(logits, rows, {.label_smoothing = 0.1}); }),
        "targets that are ids"));
}
