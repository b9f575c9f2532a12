// NaN, infinities, ties and masks: what IEEE arithmetic and PyTorch would give.
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {
constexpr Dtype kBoth[] = {Dtype::f32, Dtype::f64};
}

TEST_CASE("special: a NaN that goes into relu, maximum, minimum, clamp or max comes out") {
    for (Dtype dtype : kBoth) {
        const Tensor x = vector({kNaN, 1, -1}).to(dtype), y = vector({0, kNaN, 2}).to(dtype);
        CHECK(close(relu(x), {kNaN, 1, 0}));
        CHECK(close(abs(x), {kNaN, 1, 1}));
        CHECK(close(maximum(x, y), {kNaN, kNaN, 2}));
        CHECK(close(minimum(x, y), {kNaN, kNaN, -1}));
        CHECK(close(clamp(x, -0.5, 0.5), {kNaN, 0.5, -0.5}));
        CHECK(std::isnan(max(x).item()));
        CHECK(std::isnan(max(y).item()));
        CHECK(std::isnan(sum(x).item()));
        CHECK(argmax(y).item() == 1);
        CHECK(close(x > y, {0, 0, 0}));
        CHECK(close(equal(x, x), {0, 1, 1}));
    }
}

TEST_CASE("special: softmax of masked entries is exactly 0, and the rest sums to 1") {
    for (Dtype dtype : kBoth) {
        const Tensor x = vector({1, -kInfinity, 2, -kInfinity}).to(dtype);
        const Tensor p = softmax(x);
        CHECK(p.at(1) == 0);
        CHECK(std::abs(sum(p).item() - 1) < 1e-6);
        CHECK(log_softmax(x).at(3) == -kInfinity);
        const auto results = run([](const auto& xs) { return softmax(xs[0]); }, {x.to(Dtype::f64)});
        CHECK(results[1].at(1) == 0);
        CHECK(std::isfinite(results[1].at(0)));
    }
}

TEST_CASE("special: softmax of large values does not overflow") {
    for (Dtype dtype : kBoth) {
        const Tensor x = vector({1e4, 1e4 - 1, -1e4, 1e4}).to(dtype);
        const double norm = 2 + std::exp(-1);
        CHECK(close(softmax(x), {1 / norm, std::exp(-1) / norm, 0, 1 / norm}, 1e-6));
        CHECK(std::abs(logsumexp(x).item() - (1e4 + std::log(norm))) < 2e-3);
        CHECK(std::abs(log_softmax(x).at(0) + std::log(norm)) < 2e-3);
        CHECK(std::isnan(softmax(vector({kInfinity, 1}).to(dtype)).at(0)));
        CHECK(std::isnan(softmax(vector({1, kNaN}).to(dtype)).at(0)));
    }
}

TEST_CASE("special: logsumexp of nothing but -inf, and of nothing, is -inf") {
    for (Dtype dtype : kBoth) {
        CHECK(logsumexp(vector({-kInfinity, -kInfinity}).to(dtype)).item() == -kInfinity);
        CHECK(logsumexp(Tensor::zeros({2, 0}, dtype)).at(1) == -kInfinity);
    }
}

TEST_CASE("special: cross entropy of huge logits is finite, of an impossible target infinite") {
    for (Dtype dtype : kBoth) {
        const Tensor x = vector({1e4, -1e4, 0, -1e4, 1e4, 0}, {2, 3}).to(dtype);
        const Tensor targets = ids({0, 0}, {2});
        CHECK(softmax_cross_entropy(x, targets).item() == doctest::Approx(1e4));
        const Tensor masked = vector({1, -kInfinity, 2}, {1, 3}).to(dtype);
        CHECK(std::isfinite(softmax_cross_entropy(masked, ids({0}, {1})).item()));
        CHECK(softmax_cross_entropy(masked, ids({1}, {1})).item() == kInfinity);
        const auto g =
            run([](const auto& xs) { return softmax_cross_entropy(xs[0], ids({0}, {1})); },
                {masked.to(Dtype::f64)}, dtype);
        CHECK(g[1].at(1) == 0);
        CHECK(std::isfinite(g[1].at(0)));
    }
}

TEST_CASE("special: the mean over no counted target is NaN, its gradient 0") {
    const Tensor none = ids({-100, -100}, {2});
    const auto g =
        run([&](const auto& xs) { return softmax_cross_entropy(xs[0], none); }, {uniform({2, 3})});
    CHECK(std::isnan(g[0].item()));
    CHECK(close(g[1], Tensor::zeros({2, 3}, Dtype::f64)));
}

TEST_CASE("special: sigmoid, softplus and the logistic loss at the ends") {
    for (Dtype dtype : kBoth) {
        const Tensor x = vector({-1e4, -50, 50, 1e4}).to(dtype);
        CHECK(close(sigmoid(x), {0, 0, 1, 1}, 1e-6));
        CHECK(close(softplus(x), {0, 0, 50, 1e4}, 1e-6));
        CHECK(softplus(x).at(1) == doctest::Approx(std::exp(-50.0)).epsilon(1e-6));
        CHECK(close(silu(x), {0, 0, 50, 1e4}, 1e-6));
        CHECK(close(gelu(x), {0, 0, 50, 1e4}, 1e-6));
        CHECK(close(gelu(x, Gelu::tanh), {0, 0, 50, 1e4}, 1e-6));
        CHECK(bce_with_logits(x, vector({0, 0, 1, 1}).to(dtype)).item() == doctest::Approx(0));
        CHECK(bce_with_logits(x, vector({1, 0, 1, 0}).to(dtype)).item() == doctest::Approx(5e3));
        const auto g =
            run([](const auto& xs) { return softplus(xs[0]); }, {x.to(Dtype::f64)}, dtype);
        for (int i = 0; i < 4; ++i) CHECK(std::isfinite(g[1].at(i)));
    }
}

TEST_CASE("special: gradients at kinks and ties are those documented") {
    auto gradient = [](const Function& f, std::vector<Tensor> xs, size_t which = 0) {
        for (Tensor& x : xs) x.requires_grad();
        Tape tape;
        tape.backward(sum(f(xs)));
        return xs[which].grad();
    };
    const auto zeros = [] { return vector({0, 0}); };
    CHECK(close(gradient([](const auto& xs) { return abs(xs[0]); }, {zeros()}), {0, 0}));
    CHECK(close(gradient([](const auto& xs) { return relu(xs[0]); }, {zeros()}), {0, 0}));
    CHECK(close(gradient([](const auto& xs) { return clamp(xs[0], 0, 1); }, {vector({0, 1, 2})}),
                {1, 1, 0}));
    for (size_t which : {0, 1}) {
        const std::vector<Tensor> pair = {vector({1, 5, 2}), vector({1, 2, 5})};
        const std::vector<double> high =
            which ? std::vector<double>{0.5, 0, 1} : std::vector<double>{0.5, 1, 0};
        CHECK(close(gradient([](const auto& xs) { return maximum(xs[0], xs[1]); },
                             {pair[0].clone(), pair[1].clone()}, which),
                    high));
    }
    CHECK(close(gradient([](const auto& xs) { return max(xs[0]); }, {vector({1, 3, 3, 2})}),
                {0, 1, 0, 0}));
    CHECK(close(gradient([](const auto& xs) { return pow(xs[0], xs[1]); },
                         {vector({0, 2}), vector({2, 3})}, 1),
                {0, 8 * std::log(2)}));
    CHECK(close(gradient([](const auto& xs) { return pow(xs[0], 2); }, {zeros()}), {0, 0}));
    CHECK(close(gradient([](const auto& xs) { return pow(xs[0], 1); }, {zeros()}), {1, 1}));
    CHECK(close(gradient([](const auto& xs) { return where(xs[0], xs[1], xs[1] * 2); },
                         {vector({0, 3}), vector({1, 1})}, 1),
                {2, 1}));
}

TEST_CASE("special: no gradient passes through conditions and comparisons") {
    Tensor a = vector({1, 2}).requires_grad(), b = vector({2, 1}).requires_grad();
    Tape tape;
    const Tensor chosen = where(a > b, vector({1, 1}), vector({2, 2}));
    CHECK(close(chosen, {2, 1}));
    CHECK(fails([&] { tape.backward(sum(chosen)); }, {"not recorded"}));
}

TEST_CASE("special: reductions of nothing") {
    const Tensor none = Tensor::zeros({0}, Dtype::f64);
    CHECK(sum(none).item() == 0);
    CHECK(std::isnan(mean(none).item()));
    CHECK(close(sum(Tensor::zeros({0, 3}, Dtype::f64), 0), {0, 0, 0}));
    CHECK(close(matmul(Tensor::zeros({2, 0}, Dtype::f64), Tensor::zeros({0, 3}, Dtype::f64)),
                Tensor::zeros({2, 3}, Dtype::f64)));
    CHECK(std::isnan(var(vector({3}), 0).item()));
    CHECK(var(vector({3}), 0, 0).item() == 0);
}

TEST_CASE("special: kl_div counts q ln q as 0 where q is 0") {
    const Tensor log_p = log_softmax(vector({1, 2, 3}, {1, 3}));
    const Tensor q = vector({0, 0.5, 0.5}, {1, 3});
    const double expected = std::log(0.5) - 0.5 * (log_p.at(1) + log_p.at(2));
    CHECK(kl_div(log_p, q).item() == doctest::Approx(expected));
}
