// Judges exercise.h of lesson 03: figures against closed forms in float64 and against the library's
// own optimizers, which are themselves tested against PyTorch's figures.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "models/mlp.h"
#include "nn/init.h"

using namespace gradus;
using Values = std::vector<double>;

namespace {

double mean_of(const Tensor& x) { return mean(x).item(); }
double variance_of(const Tensor& x) { return mean(square(x)).item() - std::pow(mean_of(x), 2); }

// The largest difference between two tensors.
double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

// A bowl ½ Σ λ x²: its gradient is λ x.
Tensor curvatures() { return Tensor::from<double>({0.5, 2, 7}); }
Tensor start() { return Tensor::from<double>({3, -1, 0.25}); }

// The library's optimizer, led over the same gradients λ θ for so many steps.
template <class Optimizer, class Options>
Tensor library_path(const Options& options, int steps) {
    Tensor theta = start();
    theta.requires_grad();
    Optimizer optimizer(std::vector<Tensor>{theta}, options);
    for (int step = 0; step < steps; ++step) {
        optimizer.zero_grad();
        Tape tape;
        tape.backward(sum(curvatures() * square(theta)) * 0.5);
        optimizer.step();
    }
    return theta;
}

// Hands its input on: logits that a test can choose.
struct Identity : nn::Layer {
    Tensor forward(const Tensor& x) override { return x; }
};

// Ten pictures of 6 pixels in 3 classes: noise, the labels too.
data::Batch noise(int64_t count = 10) {
    Rng rng(5);
    const Tensor x = rng.normal({count, 6});
    Tensor y = Tensor::zeros({count}, Dtype::i32);
    for (int64_t i = 0; i < count; ++i) y.set(i, static_cast<double>(i * i % 3));
    return {x, y};
}

// A small network that is the same each time.
struct Net : models::MLP {
    explicit Net(double dropout = 0) : MLP(seeded(), {.dropout = dropout}) {}

private:
    static std::vector<int64_t> seeded() {
        nn::manual_seed(11);
        return {6, 16, 3};
    }
};

Tensor all_weights(const nn::Module& model) {
    std::vector<Tensor> flat;
    for (const Tensor& p : model.parameters()) flat.push_back(reshape(p, {-1}));
    return concat(flat);
}

}  // namespace

// ---- task 1: initialisation ---------------------------------------------------------------------

TEST_CASE("task 1 (1 point): Kaiming's weights have mean 0 and variance gain² / in") {
    Rng rng(1);
    for (const double gain : {1.0, std::sqrt(2.0), 3.0}) {
        Tensor weight = Tensor::zeros({300, 100}, Dtype::f64);  // [out, in]: in is 100
        exercise::kaiming_normal(weight, gain, rng);
        CHECK(mean_of(weight) == doctest::Approx(0).scale(1).epsilon(0.01 * gain));
        CHECK(variance_of(weight) * 100 / (gain * gain) == doctest::Approx(1).epsilon(0.03));
        // A normal distribution: 68.27 % lie within one standard deviation.
        const Tensor inside = abs(weight) < Tensor::full({}, gain / 10, Dtype::f64);
        CHECK(mean_of(inside) == doctest::Approx(0.6827).epsilon(0.02));
    }
}

TEST_CASE("task 1 (1 point): Xavier's weights fill [-a, a] evenly with variance gain² 2/(in+out)") {
    Rng rng(2);
    for (const double gain : {1.0, 5.0 / 3}) {
        Tensor weight = Tensor::zeros({300, 100}, Dtype::f64);
        exercise::xavier_uniform(weight, gain, rng);
        const double variance = gain * gain * 2 / 400, a = std::sqrt(3 * variance);
        CHECK(mean_of(weight) == doctest::Approx(0).scale(1).epsilon(0.01 * gain));
        CHECK(variance_of(weight) / variance == doctest::Approx(1).epsilon(0.03));
        CHECK(max(abs(weight)).item() <= a);
        CHECK(max(abs(weight)).item() > 0.99 * a);
    }
}

TEST_CASE("task 1 (1 point): twenty layers of ReLU pass the mean square of their input on") {
    Rng rng(3);
    Tensor h = rng.normal({64, 256}, 0, 1, Dtype::f64);  // [B, D]
    for (int layer = 0; layer < 20; ++layer) {
        Tensor weight = Tensor::zeros({256, 256}, Dtype::f64);
        exercise::kaiming_normal(weight, std::sqrt(2.0), rng);
        h = matmul(h, weight, Trans::b);
        const double signal = mean(square(relu(h))).item();
        CAPTURE(layer);
        CHECK(signal > 0.4);
        CHECK(signal < 2.5);
        h = relu(h);
    }
}

TEST_CASE("task 1 (1 point): the generator moves on, and its state alone decides the weights") {
    Tensor a = Tensor::zeros({4, 5}), b = Tensor::zeros({4, 5}), c = Tensor::zeros({4, 5});
    Rng rng(4), same(4);
    exercise::kaiming_normal(a, 1, rng);
    exercise::kaiming_normal(b, 1, rng);
    exercise::kaiming_normal(c, 1, same);
    CHECK(distance(a, b) > 0);
    CHECK(distance(a, c) == 0);
}

// ---- task 2: momentum ---------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): under a constant gradient the velocity grows to g / (1 - μ)") {
    Tensor theta = Tensor::from<double>({1, -2}), v = Tensor::zeros({2}, Dtype::f64);
    const Tensor g = Tensor::from<double>({4, -8});
    exercise::sgd_step(theta, g, v, 0.1, 0.5);  // v = g
    CHECK(distance(theta, Tensor::from<double>({0.6, -1.2})) < 1e-12);
    exercise::sgd_step(theta, g, v, 0.1, 0.5);  // v = 1.5 g
    CHECK(distance(theta, Tensor::from<double>({0, 0})) < 1e-12);
    CHECK(distance(v, Tensor::from<double>({6, -12})) < 1e-12);
    for (int step = 0; step < 60; ++step) exercise::sgd_step(theta, g, v, 0.1, 0.5);
    CHECK(distance(v, Tensor::from<double>({8, -16})) < 1e-12);
}

TEST_CASE("task 2 (1 point): forty steps down a bowl agree with nn::SGD") {
    for (const double momentum : {0.0, 0.9}) {
        Tensor theta = start(), v = Tensor::zeros({3}, Dtype::f64);
        for (int step = 0; step < 40; ++step) {
            exercise::sgd_step(theta, curvatures() * theta, v, 0.05, momentum);
        }
        const nn::SgdOptions options{.lr = 0.05, .momentum = momentum};
        CAPTURE(momentum);
        CHECK(distance(theta, library_path<nn::SGD>(options, 40)) < 1e-12);
    }
}

// ---- task 3: Adam -------------------------------------------------------------------------------

TEST_CASE(
    "task 3 (1 point): the first step has length η in each coordinate, against the gradient") {
    Tensor theta = Tensor::zeros({4}, Dtype::f64);
    exercise::AdamState state{Tensor::zeros({4}, Dtype::f64), Tensor::zeros({4}, Dtype::f64)};
    exercise::adam_step(theta, Tensor::from<double>({1e-2, -1, 30, -1e4}), state, 0.25);
    CHECK(distance(theta, Tensor::from<double>({-0.25, 0.25, -0.25, 0.25})) < 1e-6);
    CHECK(state.t == 1);
    CHECK(distance(state.m, Tensor::from<double>({1e-3, -0.1, 3, -1e3})) < 1e-9);
}

TEST_CASE("task 3 (1 point): a hundred steps down a bowl agree with nn::Adam") {
    Tensor theta = start();
    exercise::AdamState state{Tensor::zeros({3}, Dtype::f64), Tensor::zeros({3}, Dtype::f64)};
    for (int step = 0; step < 100; ++step) {
        exercise::adam_step(theta, curvatures() * theta, state, 0.05, 0.8, 0.99, 1e-3);
    }
    const nn::AdamOptions options{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-3};
    CHECK(distance(theta, library_path<nn::Adam>(options, 100)) < 1e-10);
}

TEST_CASE("task 3 (1 point): where the gradient is zero nothing moves, and nothing becomes NaN") {
    Tensor theta = start();
    exercise::AdamState state{Tensor::zeros({3}, Dtype::f64), Tensor::zeros({3}, Dtype::f64)};
    for (int step = 0; step < 3; ++step) {
        exercise::adam_step(theta, Tensor::zeros({3}, Dtype::f64), state, 0.1);
    }
    CHECK(distance(theta, start()) == 0);
    CHECK(state.t == 3);
}

// ---- task 4: the schedule -----------------------------------------------------------------------

TEST_CASE("task 4 (1 point): warm-up is a line to the peak, and never zero") {
    for (int64_t step = 0; step < 10; ++step) {
        const double expected = 0.3 * static_cast<double>(step + 1) / 10;
        CHECK(exercise::warmup_cosine(step, 0.3, 10, 110) == doctest::Approx(expected));
    }
    CHECK(exercise::warmup_cosine(10, 0.3, 10, 110) == doctest::Approx(0.3));
    CHECK(exercise::warmup_cosine(0, 0.3, 0, 110) == doctest::Approx(0.3));
}

TEST_CASE("task 4 (1 point): then half a cosine to zero, as nn::WarmupCosine has it") {
    const auto at = [](int64_t step) { return exercise::warmup_cosine(step, 0.3, 10, 110); };
    CHECK(at(60) == doctest::Approx(0.15));
    CHECK(at(10 + 25) == doctest::Approx(0.15 * (1 + std::numbers::sqrt2 / 2)));
    CHECK(std::abs(at(110)) < 1e-12);
    CHECK(std::abs(at(500)) < 1e-12);
    const nn::WarmupCosine library{.peak = 0.3, .warmup = 10, .total = 110};
    for (int64_t step = 0; step < 130; ++step) CHECK(std::abs(at(step) - library(step)) < 1e-12);
}

// ---- task 5: dropout ----------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): elements are zero with probability p, else x / (1 - p)") {
    Rng rng(6);
    const Tensor x = Tensor::full({200, 500}, 3, Dtype::f64);
    for (const double p : {0.1, 0.5, 0.8}) {
        const Tensor y = exercise::dropout(x, p, true, rng);
        CAPTURE(p);
        CHECK(mean_of(equal(y, Tensor::zeros({}, Dtype::f64))) == doctest::Approx(p).epsilon(0.02));
        CHECK(max(y).item() == doctest::Approx(3 / (1 - p)));
        CHECK(mean_of(y) == doctest::Approx(3).epsilon(0.02));
    }
}

TEST_CASE("task 5 (1 point): each element has a coin of its own, and each call new ones") {
    Rng rng(7);
    const Tensor x = Tensor::ones({100, 100}, Dtype::f64);
    const Tensor a = exercise::dropout(x, 0.5, true, rng), b = exercise::dropout(x, 0.5, true, rng);
    // Two fair coins agree in half of all places; rows and columns have nothing in common.
    CHECK(mean_of(equal(a, b)) == doctest::Approx(0.5).epsilon(0.05));
    CHECK(variance_of(mean(a, {0})) < 0.05);
    CHECK(variance_of(mean(a, {1})) < 0.05);
}

TEST_CASE("task 5 (1 point): gradients pass where the element did; evaluation changes nothing") {
    Rng rng(8);
    Tensor x = rng.normal({6, 7}, 2, 1, Dtype::f64);
    const auto check = gradcheck(
        [](const std::vector<Tensor>& in) {
            Rng again(9);  // the same coins at each call
            return exercise::dropout(in[0], 0.4, true, again);
        },
        {x});
    CHECK_MESSAGE(check.ok, check.message);
    CHECK(distance(exercise::dropout(x, 0.4, false, rng), x) == 0);
    CHECK(distance(exercise::dropout(x, 0, true, rng), x) == 0);
}

// ---- task 6: clipping ---------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): long gradients are scaled together, and keep their direction") {
    Tensor a = Tensor::from<double>({3, 0}), b = Tensor::from<double>({0, -4, 12}, {3, 1});
    CHECK(exercise::clip_by_norm({a, b}, 6.5) == doctest::Approx(13));
    CHECK(distance(a, Tensor::from<double>({1.5, 0})) < 1e-5);
    CHECK(distance(b, Tensor::from<double>({0, -2, 6}, {3, 1})) < 1e-5);
}

TEST_CASE("task 6 (1 point): short gradients stay as they are, to the bit, and zero ones too") {
    Tensor a = Tensor::from<double>({0.3, -0.4});
    const Tensor before = a.clone();
    CHECK(exercise::clip_by_norm({a}, 6.5) == doctest::Approx(0.5));
    CHECK(distance(a, before) == 0);
    Tensor zero = Tensor::zeros({3}, Dtype::f64);
    CHECK(exercise::clip_by_norm({zero}, 1) == 0);
    CHECK(max(abs(zero)).item() == 0);
}

// ---- task 7: one epoch --------------------------------------------------------------------------

TEST_CASE("task 7 (2 points): two epochs end at the same weights as the steps written out") {
    const auto [x, y] = noise(20);
    Net mine, reference;
    nn::SGD my_optimizer(mine.parameters()), its_optimizer(reference.parameters());
    data::Batches my_batches(x, y, 4, {.seed = 2}), its_batches(x, y, 4, {.seed = 2});
    const auto rate = [](int64_t i) { return 0.3 / static_cast<double>(1 + i); };

    int64_t step = 0;
    for (int epoch = 0; epoch < 2; ++epoch) {
        const double loss = exercise::train_epoch(mine, my_optimizer, my_batches, rate, step);
        double total = 0;
        for (int64_t i = epoch * 5; i < epoch * 5 + 5; ++i) {
            const auto [bx, by] = its_batches.at(i);
            reference.zero_grad();
            Tape tape;
            const Tensor l = composed::softmax_cross_entropy(reference(bx), by);
            tape.backward(l);
            its_optimizer.set_lr(rate(i));
            its_optimizer.step();
            total += l.item();
        }
        CAPTURE(epoch);
        CHECK(loss == doctest::Approx(total / 5).epsilon(1e-5));
        CHECK(distance(all_weights(mine), all_weights(reference)) < 1e-5);
    }
    CHECK(step == 10);
}

TEST_CASE(
    "task 7 (1 point): the schedule is asked for each step in turn; the model is in training") {
    const auto [x, y] = noise(20);
    Net model(0.5);
    model.eval();
    nn::Adam optimizer(model.parameters());
    data::Batches batches(x, y, 4);
    Values asked;
    const auto rate = [&](int64_t i) {
        CHECK(model.training());
        asked.push_back(static_cast<double>(i));
        return 1e-3;
    };
    int64_t step = 7;  // a training that is resumed
    exercise::train_epoch(model, optimizer, batches, rate, step);
    CHECK(asked == Values{7, 8, 9, 10, 11});
    CHECK(step == 12);
    CHECK(model.training());
}

// ---- task 8: accuracy, one batch ----------------------------------------------------------------

TEST_CASE("task 8 (1 point): accuracy counts every row, those of a last, shorter portion too") {
    Identity model;
    const Tensor logits =
        Tensor::from<float>({9, 1, 0, -5, -1, -2, 0, 2, 1, 3, 4, 8, 7, 0, 1}, {5, 3});
    const Tensor labels = Tensor::from<int32_t>({0, 1, 1, 0, 2});  // three are right
    for (const int64_t at_once : {1, 2, 4, 5, 500}) {
        CAPTURE(at_once);
        CHECK(exercise::accuracy(model, logits, labels, at_once) == doctest::Approx(0.6));
    }
}

TEST_CASE("task 8 (1 point): accuracy is measured without dropout, and leaves the mode as it was") {
    nn::Sequential model;
    model.add<nn::Dropout>(0.9);
    const Tensor y = noise(50).y;
    Tensor right = Tensor::zeros({50, 3});
    for (int64_t i = 0; i < 50; ++i) right.set(i * 3 + static_cast<int64_t>(y.at(i)), 1);
    for (const bool training : {true, false}) {
        model.train(training);
        CHECK(exercise::accuracy(model, right, y, 7) == 1);
        CHECK(model.training() == training);
    }
}

TEST_CASE("task 8 (1 point): one batch can be learned by heart, and the steps are counted") {
    const data::Batch batch = noise();
    Net model, reference;
    nn::Adam optimizer(model.parameters(), {.lr = 0.02});
    nn::Adam its_optimizer(reference.parameters(), {.lr = 0.02});
    int64_t expected = 0;
    for (;; ++expected) {
        reference.zero_grad();
        Tape tape;
        const Tensor loss = nn::cross_entropy(reference(batch.x), batch.y);
        if (loss.item() < 0.01) break;
        tape.backward(loss);
        its_optimizer.step();
    }
    CHECK(exercise::steps_to_overfit(model, optimizer, batch, 0.01, 2 * expected) == expected);
    CHECK(nn::cross_entropy(model(batch.x), batch.y).item() < 0.01);
    CHECK(exercise::steps_to_overfit(model, optimizer, batch, 0.01, 20) == 0);

    Net stuck;
    nn::SGD idle(stuck.parameters(), {.lr = 0});
    CHECK(exercise::steps_to_overfit(stuck, idle, batch, 0.01, 20) == -1);
}
