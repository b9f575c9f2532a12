// Fused kernels against their twins in plain ops: values and all gradients.
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

void check_twins(const std::string& name, const Function& fused, const Function& twin,
                 const std::vector<Tensor>& inputs) {
    const auto fast = run(fused, inputs), plain = run(twin, inputs);
    for (size_t i = 0; i < fast.size(); ++i) {
        INFO(name << ", " << (i ? "gradient " : "value ") << i);
        CHECK(distance(fast[i], plain[i]) <= 1e-10);
    }
    // A tape that is opened as composed records the twin in the fused op's place.
    const auto asked = run(fused, inputs, Dtype::f64, Tape::Fused::composed);
    for (size_t i = 0; i < fast.size(); ++i) CHECK(distance(asked[i], plain[i]) <= 1e-10);
}

}  // namespace

TEST_CASE("fused: linear with every activation, with and without bias, for any leading axes") {
    for (int a = 0; a <= static_cast<int>(Activation::silu); ++a)
        for (const Shape& shape :
             {Shape{3, 5}, Shape{2, 3, 5}, Shape{1, 5}, Shape{0, 5}, Shape{5}}) {
            const auto activation = static_cast<Activation>(a);
            const Tensor x = apart(shape), w = uniform({7, 5}, -1, 1, 2),
                         b = uniform({7}, -1, 1, 3);
            check_twins(
                "linear " + std::to_string(a) + " of " + to_string(shape),
                [=](const auto& xs) { return linear(xs[0], xs[1], xs[2], activation); },
                [=](const auto& xs) { return composed::linear(xs[0], xs[1], xs[2], activation); },
                {x, w, b});
            check_twins(
                "linear, no bias",
                [=](const auto& xs) { return linear(xs[0], xs[1], {}, activation); },
                [=](const auto& xs) { return composed::linear(xs[0], xs[1], {}, activation); },
                {x, w});
        }
}

TEST_CASE("fused: linear of no inputs is the bias") {
    const Tensor x = Tensor::zeros({4, 0}, Dtype::f64), w = Tensor::zeros({3, 0}, Dtype::f64);
    const Tensor b = vector({1, 2, 3});
    CHECK(close(linear(x, w, b), broadcast_to(b, {4, 3})));
    CHECK(close(linear(x, w), Tensor::zeros({4, 3}, Dtype::f64)));
}

TEST_CASE("fused: gelu in both forms") {
    for (Gelu form : {Gelu::exact, Gelu::tanh})
        check_twins(
            "gelu", [=](const auto& xs) { return gelu(xs[0], form); },
            [=](const auto& xs) { return composed::gelu(xs[0], form); }, {uniform({5, 7}, -6, 6)});
}

TEST_CASE("fused: the softmax family along each axis") {
    for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{2, 3, 5}, Shape{4, 1}, Shape{1, 1}})
        for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
            const std::vector<Tensor> x = {uniform(shape, -4, 4)};
            const std::string label = " along " + std::to_string(axis) + " of " + to_string(shape);
            check_twins(
                "softmax" + label, [=](const auto& xs) { return softmax(xs[0], axis); },
                [=](const auto& xs) { return composed::softmax(xs[0], axis); }, x);
            check_twins(
                "log_softmax" + label, [=](const auto& xs) { return log_softmax(xs[0], axis); },
                [=](const auto& xs) { return composed::log_softmax(xs[0], axis); }, x);
            for (bool keep : {false, true})
                check_twins(
                    "logsumexp" + label,
                    [=](const auto& xs) { return logsumexp(xs[0], axis, keep); },
                    [=](const auto& xs) { return composed::logsumexp(xs[0], axis, keep); }, x);
        }
}

TEST_CASE("fused: cross entropy with ignored targets, smoothing and leading axes") {
    struct Setting {
        Shape shape;
        std::vector<int32_t> targets;
        CrossEntropy options;
    };
    const Setting settings[] = {
        {{3, 5}, {0, 4, 2}, {}},
        {{3, 5}, {0, -100, 2}, {}},
        {{3, 5}, {0, 1, 2}, {.ignore_index = 1}},
        {{3, 5}, {0, -1, 2}, {.ignore_index = -1, .label_smoothing = 0.2}},
        {{3, 5}, {3, 1, 2}, {.label_smoothing = 1}},
        {{2, 2, 3}, {0, 1, 2, -100}, {.label_smoothing = 0.1}},
        {{5}, {3}, {}},
        {{4, 1}, {0, 0, 0, 0}, {}},
    };
    for (const auto& [shape, targets, options] : settings) {
        Shape outer;
        for (int i = 0; i + 1 < shape.rank(); ++i) outer.append(shape[i]);
        const Tensor t = ids(targets, outer);
        check_twins(
            "cross entropy of " + to_string(shape),
            [=, options = options](const auto& xs) {
                return softmax_cross_entropy(xs[0], t, options);
            },
            [=, options = options](const auto& xs) {
                return composed::softmax_cross_entropy(xs[0], t, options);
            },
            {uniform(shape, -3, 3)});
    }
}

TEST_CASE("fused: soft cross entropy, and one-hot distributions are class ids") {
    const Tensor x = uniform({3, 5}, -3, 3), q = softmax(uniform({3, 5}, -1, 1, 2));
    check_twins(
        "soft", [=](const auto& xs) { return soft_cross_entropy(xs[0], q); },
        [=](const auto& xs) { return composed::soft_cross_entropy(xs[0], q); }, {x});
    Tensor one_hot = Tensor::zeros({3, 5}, Dtype::f64);
    for (int64_t i = 0; i < 3; ++i) one_hot.set(i * 5 + i, 1);
    CHECK(close(soft_cross_entropy(x, one_hot), softmax_cross_entropy(x, ids({0, 1, 2}, {3}))));
    Tensor wanted = q.clone();
    wanted.requires_grad();
    Tensor leaf = x.clone().requires_grad();
    Tape tape;
    tape.backward(soft_cross_entropy(leaf, wanted));
    CHECK_FALSE(wanted.grad().defined());  // distributions are data
}

TEST_CASE("fused: layer_norm over odd shapes") {
    for (const Shape& shape :
         {Shape{5}, Shape{3, 7}, Shape{2, 3, 5}, Shape{4, 1}, Shape{0, 3}, Shape{3, 0}}) {
        const Tensor w = uniform({shape[-1]}, 0.5, 1.5, 2), b = uniform({shape[-1]}, -1, 1, 3);
        for (double eps : {1e-5, 0.1})
            check_twins(
                "layer_norm of " + to_string(shape),
                [=](const auto& xs) { return layer_norm(xs[0], xs[1], xs[2], eps); },
                [=](const auto& xs) { return composed::layer_norm(xs[0], xs[1], xs[2], eps); },
                {uniform(shape), w, b});
    }
}

TEST_CASE("fused: a second use of a gradient adds to the first") {
    const Tensor targets = ids({1, -100, 2}, {3});
    const Function twice = [=](const auto& xs) {
        const Tensor z = xs[0] * 1;
        return softmax_cross_entropy(z, targets) + sum(softmax(z) * log_softmax(z)) +
               sum(layer_norm(z, xs[1], xs[1])) + sum(square(linear(z, z))) + logsumexp(z, 0) +
               softmax_cross_entropy(xs[0], targets);
    };
    check_gradient("all at one tensor", twice, {uniform({3, 3}), uniform({3}, 0.5, 1.5)});
}
