#include "autograd/gradcheck.h"

#include "autograd/ops/elementwise.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// Twice x, with a gradient that is wrong by `factor`.
Tensor doubled(const Tensor& X, double factor) {
    return elementwise(
        "doubled", X, [](auto x) { return x + x; },
        [factor](Unused, Unused, auto dy) { return (dy + dy) * as(dy, factor); });
}

}  // namespace

TEST_CASE("gradcheck: a gradient that is wrong by a hundred-thousandth is caught and named") {
    const std::vector<Tensor> inputs = {uniform({2, 2}), uniform({3}, 1, 2)};
    auto f = [](double factor) {
        return
            [factor](const std::vector<Tensor>& xs) { return sum(xs[0]) * doubled(xs[1], factor); };
    };
    CHECK(gradcheck(f(1), inputs).ok);
    const std::vector<Tensor> big = {uniform({3}, 1, 2)};
    const GradcheckResult result =
        gradcheck([](const auto& xs) { return doubled(xs[0], 1.00001); }, big);
    CHECK_FALSE(result.ok);
    CHECK_FALSE(static_cast<bool>(result));
    CHECK(result.worst > 9e-6);
    CHECK(result.worst < 1.1e-5);
    for (const char* part : {"doubled", "input 0", "[3]", "element", "expected", "received"}) {
        INFO(result.message);
        CHECK(result.message.find(part) != std::string::npos);
    }
    CHECK(gradcheck(f(1.001), inputs).message.find("input 1") != std::string::npos);
}

TEST_CASE("gradcheck: big inputs are checked along random directions") {
    const std::vector<Tensor> x = {uniform({40, 50})};
    auto f = [](double factor) {
        return [factor](const std::vector<Tensor>& xs) { return doubled(xs[0], factor); };
    };
    CHECK(gradcheck(f(1), x).ok);
    const GradcheckResult result = gradcheck(f(1.0001), x);
    CHECK_FALSE(result.ok);
    CHECK(result.message.find("direction") != std::string::npos);
    // One wrong element of 2000.
    const Function one_wrong = [](const std::vector<Tensor>& xs) {
        const Tensor& a = xs[0];
        return record("one_wrong", {a}, a.clone(), [](const Tensor& dy, Gradient da) {
            Tensor d = dy.clone();
            d.set(777, d.at(777) * 1.01);
            da += d;
        });
    };
    CHECK_FALSE(gradcheck(one_wrong, x).ok);
}

TEST_CASE("gradcheck: a missing, a NaN and an unwanted gradient are caught") {
    const std::vector<Tensor> x = {uniform({3}, 1, 2)};
    const Function missing = [](const auto& xs) { return xs[0] * xs[0].view(xs[0].shape()); };
    CHECK_FALSE(gradcheck(missing, x).ok);
    const Function nan = [](const auto& xs) { return doubled(xs[0], kNaN); };
    const GradcheckResult result = gradcheck(nan, x);
    CHECK_FALSE(result.ok);
    CHECK(result.message.find("nan") != std::string::npos);
    const Function unwanted = [](const auto& xs) {
        return record("constant", {xs[0]}, Tensor::ones({3}, Dtype::f64),
                      [](const Tensor& dy, Gradient dx) { dx += dy; });
    };
    CHECK_FALSE(gradcheck(unwanted, x).ok);
}

TEST_CASE("gradcheck: inputs are left as they were, constants and empty inputs pass") {
    const Tensor x = uniform({3}), before = x.clone();
    CHECK(gradcheck([](const auto& xs) { return exp(xs[0]); }, {x}).ok);
    CHECK(same_bits(x, before));
    CHECK_FALSE(x.wants_grad());
    CHECK(gradcheck([](const auto&) { return Tensor::ones({2}, Dtype::f64); }, {x}).ok);
    CHECK(gradcheck([](const auto& xs) { return xs[0] * 2; }, {Tensor::zeros({0}, Dtype::f64)}).ok);
}

TEST_CASE("gradcheck: float32 is refused") {
    CHECK(fails([] { gradcheck([](const auto& xs) { return xs[0]; }, {Tensor::ones({2})}); },
                {"gradcheck", "input 0", "f32", ".to(Dtype::f64)"}));
}
