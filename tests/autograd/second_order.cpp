// Gradients of gradients: the way back of an op is itself made of ops.
#include "autograd/ops/elementwise.h"
#include "tests/autograd/catalogue.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// The gradient of f with respect to its first input, as a value that can be differentiated once more. (Plus 0 x, for where
// it does not depend on x.)
Function derivative(const Function& f, Tape::Fused fused = Tape::Fused::kernels) {
    return [=](const std::vector<Tensor>& xs) {
        std::vector<Tensor> inputs = xs;
        if (Tape::current()) {
            const Tensor y = f(inputs);
            const Tensor weighted = sum(y * Rng(4).uniform(y.shape(), 0.5, 1.5, Dtype::f64));
            return Tape::current()->gradients(weighted, {inputs[0]})[0] + inputs[0] * 0;
        }
        for (Tensor& x : inputs) x = x.clone().requires_grad();
        Tape tape(fused);
        const Tensor y = f(inputs);
        const Tensor weighted = sum(y * Rng(4).uniform(y.shape(), 0.5, 1.5, Dtype::f64));
        return tape.gradients(weighted, {inputs[0]})[0];
    };
}

// Two layers, and the loss of a small batch.
struct Network {
    std::vector<Tensor> parameters = {uniform({7, 5}, -0.8, 0.8, 1), uniform({7}, -0.3, 0.3, 2),
                                      uniform({3, 7}, -0.8, 0.8, 3), uniform({3}, -0.3, 0.3, 4)};
    Tensor x = uniform({4, 5}, -1, 1, 5), targets = ids({2, 0, -100, 1}, {4});
    Activation activation;

    Tensor loss(const std::vector<Tensor>& p) const {
        const Tensor hidden = linear(x, p[0], p[1], activation);
        const Tensor logits = matmul(hidden, p[2], Trans::b) + p[3];
        return softmax_cross_entropy(logits, targets, {.label_smoothing = 0.1}) +
               0.1 * mean(square(softmax(logits)));
    }
    std::vector<Tensor> first(const std::vector<Tensor>& at) const {
        std::vector<Tensor> leaves, gradients;
        for (const Tensor& p : at) leaves.push_back(p.clone().requires_grad());
        Tape tape;
        tape.backward(loss(leaves));
        for (const Tensor& p : leaves) gradients.push_back(p.grad());
        return gradients;
    }
};

}  // namespace

TEST_CASE("second order: a Hessian-vector product is the difference of first gradients") {
    for (Activation activation : {Activation::tanh, Activation::gelu, Activation::gelu_tanh,
                                  Activation::sigmoid, Activation::silu}) {
        Network net{.activation = activation};
        std::vector<Tensor> v, up, down;
        const double step = 1e-5;
        for (size_t i = 0; i < 4; ++i) {
            v.push_back(Rng(20 + i).normal(net.parameters[i].shape(), 0, 1, Dtype::f64));
            up.push_back(net.parameters[i] + v[i] * step);
            down.push_back(net.parameters[i] - v[i] * step);
            net.parameters[i].requires_grad();
        }
        Tape tape(Tape::Fused::composed);
        const auto g = tape.gradients(net.loss(net.parameters), net.parameters);
        Tensor product = Tensor::zeros({}, Dtype::f64);
        for (size_t i = 0; i < 4; ++i) product = product + sum(g[i] * v[i]);
        for (const Tensor& p : net.parameters) CHECK_FALSE(p.grad().defined());
        tape.backward(product);
        const auto above = net.first(up), below = net.first(down);
        for (size_t i = 0; i < 4; ++i) {
            INFO("activation " << static_cast<int>(activation) << ", parameter " << i);
            const Tensor expected = (above[i] - below[i]) / (2 * step);
            CHECK(max(abs(expected)).item() > 1e-3);
            CHECK(close(net.parameters[i].grad(), expected, 1e-6));
        }
    }
}

TEST_CASE("second order: gradients are those of backward") {
    Network net{.activation = Activation::tanh};
    const auto first = net.first(net.parameters);
    for (Tensor& p : net.parameters) p.requires_grad();
    Tape tape(Tape::Fused::composed);
    const auto again = tape.gradients(net.loss(net.parameters), net.parameters);
    for (size_t i = 0; i < 4; ++i) CHECK(close(again[i], first[i], 1e-12));
}

TEST_CASE("second order: each formula's second derivative is that of differences of its first") {
    for (const Case& c : formulas({3, 5})) check_gradient(c.name + "''", derivative(c.f), c.inputs);
}

TEST_CASE("second order: ops of two inputs and of whole axes, through either input") {
    for (const Case& c : catalogue(5, 7)) {
        if (c.name.starts_with("softmax") || c.name.starts_with("log_softmax") ||
            c.name.starts_with("cross") || c.name.starts_with("layer_norm") ||
            c.name.starts_with("soft cross"))
            continue;  // fused: below
        check_gradient(c.name + "''", derivative(c.f), c.inputs);
        if (c.inputs.size() < 2) continue;
        const Function f = c.f;
        const Function swapped = [f](const auto& xs) {
            std::vector<Tensor> inputs = xs;
            std::swap(inputs[0], inputs[1]);
            return f(inputs);
        };
        std::vector<Tensor> inputs = c.inputs;
        std::swap(inputs[0], inputs[1]);
        check_gradient(c.name + "'' through the second", derivative(swapped), inputs);
    }
}

TEST_CASE("second order: the composed twin of every fused op has second derivatives") {
    const Tensor x = uniform({3, 4}), q = softmax(uniform({3, 4}, -1, 1, 2));
    const Tensor targets = ids({1, -100, 3}, {3});
    // gradcheck opens a tape of fused kernels; the twins are called by name.
    auto twice = [&](const char* name, const Function& f, const std::vector<Tensor>& inputs) {
        check_gradient(name, derivative(f), inputs);
    };
    for (int axis : {0, 1}) {
        twice("softmax", [=](const auto& xs) { return composed::softmax(xs[0], axis); }, {x});
        twice("log_softmax", [=](const auto& xs) { return composed::log_softmax(xs[0], axis); },
              {x});
        twice("logsumexp", [=](const auto& xs) { return composed::logsumexp(xs[0], axis); }, {x});
    }
    twice("cross entropy",
          [=](const auto& xs) { return composed::softmax_cross_entropy(xs[0], targets); }, {x});
    twice("soft cross entropy",
          [=](const auto& xs) { return composed::soft_cross_entropy(xs[0], q); }, {x});
    twice("layer_norm", [](const auto& xs) { return composed::layer_norm(xs[0], xs[1], xs[2]); },
          {x, uniform({4}, 0.5, 1.5), uniform({4})});
}

TEST_CASE("second order: a fused kernel on the way is an error that names it and the remedy") {
    Tensor x = uniform({3, 4}).requires_grad();
    const Tensor targets = ids({1, 2, 3}, {3}), w = Tensor::ones({4}, Dtype::f64);
    auto gradient = [&](const Function& f) {
        Tape tape;
        return tape.gradients(f({x}), {x});
    };
    const std::string remedy = "Tape::Fused::composed";
    CHECK(fails([&] { gradient([](const auto& xs) { return sum(square(softmax(xs[0]))); }); },
                {"softmax", remedy}));
    CHECK(fails([&] { gradient([](const auto& xs) { return sum(square(log_softmax(xs[0]))); }); },
                {"log_softmax", remedy}));
    CHECK(fails([&] { gradient([&](const auto& xs) { return sum(layer_norm(xs[0], w, w)); }); },
                {"layer_norm", remedy}));
    CHECK(fails(
        [&] { gradient([&](const auto& xs) { return softmax_cross_entropy(xs[0], targets); }); },
        {"softmax_cross_entropy", remedy}));
}

TEST_CASE("second order: after such an error the tape still goes back the ordinary way") {
    Tensor x = uniform({3, 4}).requires_grad();
    Tape tape;
    const Tensor y = softmax(x * 2), loss = sum(square(y));
    CHECK(fails([&] { tape.gradients(loss, {x}); }, {"composed"}));
    tape.backward(loss);
    REQUIRE(x.grad().defined());
    const auto expected = run([](const auto& xs) { return sum(square(softmax(xs[0] * 2))); }, {x});
    const double weight = Rng(9).uniform({}, 0.5, 1.5, Dtype::f64).item();
    CHECK(close(x.grad() * weight, expected[1]));
}

TEST_CASE("second order: an x that y does not depend on has zero gradient") {
    Tensor a = uniform({3}).requires_grad(), b = uniform({2, 2}).requires_grad();
    Tape tape;
    const Tensor unrelated = b * 2, y = sum(square(a));
    const auto g = tape.gradients(y, {a, b, unrelated});
    CHECK(close(g[0], 2 * a));
    CHECK(close(g[1], Tensor::zeros({2, 2}, Dtype::f64)));
    CHECK(close(g[2], Tensor::zeros({2, 2}, Dtype::f64)));
    CHECK_FALSE(a.grad().defined());
}

TEST_CASE("second order: gradients at a recorded value, and a third derivative") {
    Tensor x = vector({0.7}).requires_grad();
    Tape tape;
    const Tensor u = x * 3, y = pow(u, 4);
    const Tensor du = tape.gradients(y, {u})[0];
    CHECK(close(du, {4 * std::pow(2.1, 3)}));
    const Tensor first = tape.gradients(y, {x})[0], second = tape.gradients(first, {x})[0];
    const Tensor third = tape.gradients(second, {x})[0];
    CHECK(close(third, {81. * 24 * 0.7}, 1e-12));
    tape.backward(third);
    CHECK(close(x.grad(), {81. * 24}, 1e-12));
}

TEST_CASE("second order: gradients() leaves gradients that are already there as they are") {
    Tensor x = vector({2}).requires_grad();
    {
        Tape tape;
        tape.backward(square(x));
    }
    Tape tape;
    CHECK(tape.gradients(x * 7, {x})[0].item() == 7);
    CHECK(x.grad().item() == 4);
}
