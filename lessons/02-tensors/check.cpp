// Judges exercise.h of lesson 02, in float64: against closed forms, against the engine's own ops
// (which have tests of their own) and against central differences.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"

using namespace gradus;
using Values = std::vector<double>;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor normal(const Shape& shape, uint64_t seed = 1) {
    return Rng(seed).normal(shape, 0, 1, Dtype::f64);
}

Values values(const Tensor& x) {
    const auto span = x.values<double>();
    return {span.begin(), span.end()};
}

// The largest difference, relative to numbers above 1; infinite where shapes differ.
double distance(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape()) return kInfinity;
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const double error = std::abs(a.at(i) - b.at(i)) / std::max(1.0, std::abs(b.at(i)));
        if (std::isnan(error)) return kInfinity;
        worst = std::max(worst, error);
    }
    return worst;
}

// What the engine makes of y = f(x) on the way back from dy.
template <class F>
Tensor engine_gradient(F f, const Tensor& x, const Tensor& dy) {
    Tensor leaf = x.clone().requires_grad();
    Tape tape;
    const Tensor y = f(leaf);
    tape.backward(y, dy.view(y.shape()));
    return leaf.grad();
}

// Of a product [m, k] x [k, n].
struct Sizes {
    int64_t m, n, k;
};

Tensor ids(const std::vector<int32_t>& targets) { return Tensor::from<int32_t>(targets); }

}  // namespace

// ---- Task 1 -------------------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): shapes are laid against each other from the last axis on") {
    using exercise::broadcast_shape;
    CHECK(broadcast_shape({2, 3}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast_shape({2, 3}, {3}) == Shape{2, 3});
    CHECK(broadcast_shape({3}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast_shape({4, 1}, {1, 5}) == Shape{4, 5});
    CHECK(broadcast_shape({7, 1, 5}, {3, 1}) == Shape{7, 3, 5});
    CHECK(broadcast_shape({}, {2, 3}) == Shape{2, 3});
    CHECK(broadcast_shape({}, {}) == Shape{});
    CHECK(broadcast_shape({1}, {1, 1, 1}) == Shape{1, 1, 1});
    CHECK(broadcast_shape({0, 3}, {1, 3}) == Shape{0, 3});
    CHECK(broadcast_shape({1}, {0}) == Shape{0});
}

TEST_CASE("task 1 (1 point): shapes that do not fit are an Error that names both") {
    using exercise::broadcast_shape;
    CHECK_THROWS_AS(broadcast_shape({2, 3}, {2}), Error);
    CHECK_THROWS_AS(broadcast_shape({2, 3}, {3, 3}), Error);
    CHECK_THROWS_AS(broadcast_shape({0}, {2}), Error);
    std::string text;
    try {
        broadcast_shape({5, 3}, {5, 1, 4});
    } catch (const Error& error) {
        text = error.what();
    }
    CHECK(text.find("[5, 3]") != std::string::npos);
    CHECK(text.find("[5, 1, 4]") != std::string::npos);
}

// ---- Task 2 -------------------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): what was not stretched comes back; a scalar gets the whole sum") {
    const Values dy = {1, 2, 3, 4, 5, 6};
    CHECK(exercise::sum_back(dy, {2, 3}, {2, 3}) == dy);
    CHECK(exercise::sum_back(dy, {2, 3}, {}) == Values{21});
    CHECK(exercise::sum_back({5}, {1, 1}, {1}) == Values{5});
    CHECK(exercise::sum_back({}, {0, 3}, {3}) == Values{0, 0, 0});
}

TEST_CASE("task 2 (2 points): axes that were missing and axes of size 1 are summed, others not") {
    const Values dy = {1, 2, 3, 4, 5, 6};
    CHECK(exercise::sum_back(dy, {2, 3}, {3}) == Values{5, 7, 9});
    CHECK(exercise::sum_back(dy, {2, 3}, {1, 3}) == Values{5, 7, 9});
    CHECK(exercise::sum_back(dy, {2, 3}, {2, 1}) == Values{6, 15});
    CHECK(exercise::sum_back(dy, {2, 3}, {1, 1}) == Values{21});

    const Shape from = {5, 2, 3, 7};
    const Tensor gradient = normal(from);
    for (const Shape& to : {Shape{7},
                            {3, 7},
                            {3, 1},
                            {1, 7},
                            {2, 1, 7},
                            {2, 3, 1},
                            {1, 3, 7},
                            {5, 1, 3, 1},
                            {1, 2, 1, 7},
                            {5, 2, 3, 7},
                            {1, 1, 1, 1},
                            {}}) {
        const Tensor expected = sum_to(gradient, to);
        const Values received = exercise::sum_back(values(gradient), from, to);
        CAPTURE(to_string(to));
        REQUIRE(received.size() == static_cast<size_t>(to.size()));
        CHECK(distance(Tensor::from(received, to), expected) <= 1e-12);
    }
}

// ---- Task 3 -------------------------------------------------------------------------------------

TEST_CASE("task 3 (2 points): the gradients of a product are the two sums over dC") {
    // Rectangles, a square (where a forgotten transpose changes no shape), rows, columns, one number.
    for (const Sizes& sizes : {Sizes{3, 7, 5}, {5, 5, 5}, {1, 1, 5}, {5, 3, 1}, {1, 1, 1}}) {
        const int64_t m = sizes.m, n = sizes.n, k = sizes.k;
        const Tensor a = normal({m, k}, 1), b = normal({k, n}, 2), dc = normal({m, n}, 3);
        Tensor da = Tensor::zeros(a.shape(), Dtype::f64), db = Tensor::zeros(b.shape(), Dtype::f64);
        for (int64_t i = 0; i < m; ++i) {
            for (int64_t p = 0; p < k; ++p) {
                for (int64_t j = 0; j < n; ++j) {
                    da.set(i * k + p, da.at(i * k + p) + dc.at(i * n + j) * b.at(p * n + j));
                    db.set(p * n + j, db.at(p * n + j) + a.at(i * k + p) * dc.at(i * n + j));
                }
            }
        }
        const auto received = exercise::product_gradients(a, b, dc);
        CAPTURE(m);
        CAPTURE(k);
        CAPTURE(n);
        CHECK(distance(received.da, da) <= 1e-12);
        CHECK(distance(received.db, db) <= 1e-12);
    }
}

TEST_CASE("task 3 (2 points): leading axes that were broadcast are summed") {
    const std::pair<Shape, Shape> shapes[] = {
        {{2, 3, 5}, {2, 5, 7}},      // a product each
        {{2, 3, 5}, {5, 7}},         // one B for all
        {{3, 5}, {2, 5, 7}},         // one A for all
        {{2, 1, 3, 5}, {11, 5, 2}},  // each A with each B
        {{1, 3, 5}, {2, 5, 1}},      // size 1 stretched
        {{0, 3, 5}, {5, 2}},         // no product at all
    };
    for (const auto& pair : shapes) {
        const Shape shape_a = pair.first, shape_b = pair.second;
        Tensor a = normal(shape_a, 1).requires_grad(), b = normal(shape_b, 2).requires_grad();
        Tensor dc;
        {
            Tape tape;
            const Tensor c = matmul(a, b);
            dc = normal(c.shape(), 3);
            tape.backward(c, dc);
        }
        const auto received = exercise::product_gradients(a, b, dc);
        CAPTURE(to_string(shape_a));
        CAPTURE(to_string(shape_b));
        CHECK(distance(received.da, a.grad()) <= 1e-12);
        CHECK(distance(received.db, b.grad()) <= 1e-12);
    }
}

// ---- Task 4 -------------------------------------------------------------------------------------

TEST_CASE("task 4 (1 point): a mean hands each element an equal share") {
    const Tensor row = Tensor::from<double>({3, 1, 4, 1, 5}, {1, 5});
    const Tensor share = exercise::mean_gradient(row, Tensor::from<double>({10}, {1, 1}), 1);
    CHECK(values(share) == Values{2, 2, 2, 2, 2});
    for (const Shape& shape : {Shape{2, 3, 5}, {7, 1, 3}, {1, 1, 1}}) {
        for (int axis = -1; axis < shape.rank(); ++axis) {
            const Tensor x = normal(shape), dy = normal(mean(x, axis, true).shape(), 2);
            const auto f = [&](const Tensor& t) { return mean(t, axis, true); };
            CAPTURE(axis);
            CHECK(distance(exercise::mean_gradient(x, dy, axis), engine_gradient(f, x, dy)) <=
                  1e-12);
        }
    }
}

TEST_CASE("task 4 (2 points): a maximum hands all to its winner, the first among equals") {
    const Tensor x = Tensor::from<double>({-3, -1, -2, 4, 4, 4}, {2, 3});
    const Tensor rows = exercise::max_gradient(x, Tensor::from<double>({5, 7}, {2, 1}), 1);
    CHECK(values(rows) == Values{0, 5, 0, 7, 0, 0});
    const Tensor columns = exercise::max_gradient(x, Tensor::from<double>({1, 2, 3}, {1, 3}), 0);
    CHECK(values(columns) == Values{0, 0, 0, 1, 2, 3});
    for (const Shape& shape : {Shape{2, 3, 5}, {7, 1, 3}, {1, 1, 1}, {13}}) {
        for (int axis = -1; axis < shape.rank(); ++axis) {
            const Tensor t = normal(shape), dy = normal(max(t, axis, true).shape(), 2);
            const auto f = [&](const Tensor& leaf) { return max(leaf, axis, true); };
            CAPTURE(axis);
            CHECK(distance(exercise::max_gradient(t, dy, axis), engine_gradient(f, t, dy)) <=
                  1e-12);
        }
    }
}

// ---- Task 5 -------------------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): ln of a sum of exponentials") {
    using exercise::log_sum_exp;
    const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-14); };
    CHECK(log_sum_exp(Values{0, 0}) == near(std::log(2)));
    CHECK(log_sum_exp(Values{std::log(1), std::log(2), std::log(3)}) == near(std::log(6)));
    CHECK(log_sum_exp(Values{-2.5}) == near(-2.5));
    CHECK(log_sum_exp(Values(17, 3.0)) == near(3 + std::log(17)));
}

TEST_CASE("task 5 (2 points): numbers whose exponentials no double can hold") {
    using exercise::log_sum_exp;
    const auto near = [](double x) { return doctest::Approx(x).epsilon(1e-14); };
    CHECK(log_sum_exp(Values{1000, 1000}) == near(1000 + std::log(2)));
    CHECK(log_sum_exp(Values{-1000, -1000}) == near(-1000 + std::log(2)));
    CHECK(log_sum_exp(Values{-2000, 800, -800}) == near(800));
    CHECK(log_sum_exp(Values{1e300, -1e300}) == near(1e300));
    CHECK(log_sum_exp(Values(1009, -5000.0)) == near(-5000 + std::log(1009)));
    CHECK(log_sum_exp(Values{-kInfinity, 2}) == near(2));
    CHECK(log_sum_exp(Values{-kInfinity, -kInfinity}) == -kInfinity);
    CHECK(log_sum_exp(Values{}) == -kInfinity);
    CHECK(log_sum_exp(Values{1, kInfinity}) == kInfinity);
}

// ---- Task 6 -------------------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): who knows nothing loses ln C; in general the engine's loss") {
    using exercise::my_cross_entropy;
    for (int64_t classes : {1, 2, 10, 101}) {
        const Tensor flat = Tensor::full({3, classes}, -4.25, Dtype::f64);
        const double expected = std::log(static_cast<double>(classes));
        CHECK(my_cross_entropy(flat, ids({0, 0, 0})).item() ==
              doctest::Approx(expected).epsilon(1e-13));
    }
    const Tensor logits = normal({5, 7}) * 3, targets = ids({6, 0, 3, 3, 1});
    CHECK(my_cross_entropy(logits, targets).shape() == Shape{});
    CHECK(my_cross_entropy(logits, targets).item() ==
          doctest::Approx(softmax_cross_entropy(logits, targets).item()).epsilon(1e-13));
}

TEST_CASE("task 6 (3 points): the gradient is dloss · (softmax − onehot) / N") {
    using exercise::my_cross_entropy;
    // Probabilities 1/6, 2/6, 3/6 and, in the second row, a third each.
    Tensor logits = Tensor::from<double>({std::log(1), std::log(2), std::log(3), 7, 7, 7}, {2, 3});
    logits.requires_grad();
    {
        Tape tape;
        tape.backward(my_cross_entropy(logits, ids({1, 2})) * 12.0);
    }
    const Tensor expected = Tensor::from<double>({1, -4, 3, 2, 2, -4}, {2, 3});
    REQUIRE(logits.grad().defined());
    CHECK(distance(logits.grad(), expected) <= 1e-13);

    const Tensor z = normal({5, 7}) * 3, targets = ids({6, 0, 3, 3, 1});
    const auto mine = [&](const Tensor& x) { return my_cross_entropy(x, targets); };
    const auto engine = [&](const Tensor& x) { return softmax_cross_entropy(x, targets); };
    const Tensor one = Tensor::ones({}, Dtype::f64);
    CHECK(distance(engine_gradient(mine, z, one), engine_gradient(engine, z, one)) <= 1e-13);

    // By differences, in a longer chain and with logits that are used twice.
    const auto chain = [&](const std::vector<Tensor>& x) {
        return exp(my_cross_entropy(x[0] * x[0], targets)) + my_cross_entropy(x[0], targets);
    };
    const auto result = gradcheck(chain, {normal({5, 7}, 4)});
    INFO(result.message);
    CHECK(result.ok);
}

TEST_CASE("task 6 (1 point): huge and infinite logits; one node on the tape, none without a tape") {
    using exercise::my_cross_entropy;
    Tensor logits = Tensor::from<double>({2000, 0, -2000, -kInfinity, 5, 5}, {2, 3});
    logits.requires_grad();
    Tape tape;
    const Tensor loss = my_cross_entropy(logits, ids({1, 2}));
    CHECK(loss.item() == doctest::Approx((2000 + std::log(2)) / 2).epsilon(1e-13));
    const auto entries = tape.entries();
    REQUIRE(entries.size() == 2);  // the leaf and the op
    CHECK(std::string(entries[1].op) == "my_cross_entropy");
    tape.backward(loss);
    const Tensor expected = Tensor::from<double>({0.5, -0.5, 0, 0, 0.25, -0.25}, {2, 3});
    CHECK(distance(logits.grad(), expected) <= 1e-13);
}

// ---- Task 7 -------------------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): ignored rows count neither in the sum nor in the mean") {
    using exercise::my_smooth_cross_entropy;
    const Tensor logits = normal({5, 3}) * 2, targets = ids({-1, 2, 0, -1, -1});
    const Tensor counted = slice(logits, 0, 1, 3), its_targets = ids({2, 0});
    CHECK(my_smooth_cross_entropy(logits, targets, -1, 0).item() ==
          doctest::Approx(softmax_cross_entropy(counted, its_targets).item()).epsilon(1e-13));
    const auto mine = [&](const Tensor& x) { return my_smooth_cross_entropy(x, targets, -1, 0); };
    const auto engine = [&](const Tensor& x) {
        return softmax_cross_entropy(slice(x, 0, 1, 3), its_targets);
    };
    const Tensor seven = Tensor::full({}, 7, Dtype::f64);
    CHECK(distance(engine_gradient(mine, logits, seven), engine_gradient(engine, logits, seven)) <=
          1e-13);
}

TEST_CASE("task 7 (2 points): a smoothed target takes its share from every class") {
    using exercise::my_smooth_cross_entropy;
    const Tensor logits = normal({7, 5}) * 2, targets = ids({4, 0, 9, 1, 1, 9, 3});
    for (double smoothing : {0.0, 0.1, 0.5, 1.0}) {
        const CrossEntropy options{9, smoothing};
        const auto mine = [&](const Tensor& x) {
            return my_smooth_cross_entropy(x, targets, 9, smoothing);
        };
        const auto engine = [&](const Tensor& x) {
            return softmax_cross_entropy(x, targets, options);
        };
        CAPTURE(smoothing);
        CHECK(mine(logits).item() == doctest::Approx(engine(logits).item()).epsilon(1e-13));
        const Tensor one = Tensor::ones({}, Dtype::f64);
        CHECK(distance(engine_gradient(mine, logits, one), engine_gradient(engine, logits, one)) <=
              1e-13);
        const auto result =
            gradcheck([&](const std::vector<Tensor>& x) { return mine(x[0]); }, {logits});
        INFO(result.message);
        CHECK(result.ok);
    }
    // A class that no weight falls on may be impossible.
    const Tensor impossible = Tensor::from<double>({-kInfinity, 1, 1}, {1, 3});
    CHECK(my_smooth_cross_entropy(impossible, ids({1}), 9, 0).item() ==
          doctest::Approx(std::log(2)).epsilon(1e-13));
}

// ---- Task 8 -------------------------------------------------------------------------------------

namespace {

// The textbook's loops.
void naive_matmul(int64_t m, int64_t n, int64_t k, const double* a, const double* b, double* c) {
    for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (int64_t p = 0; p < k; ++p) sum += a[i * k + p] * b[p * n + j];
            c[i * n + j] = sum;
        }
    }
}

// The shortest of several runs, in seconds.
template <class F>
double shortest(F run) {
    using Clock = std::chrono::steady_clock;
    double best = kInfinity;
    for (int repeat = 0; repeat < 7; ++repeat) {
        const auto begin = Clock::now();
        run();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best;
}

}  // namespace

TEST_CASE("task 8 (3 points): the product, whatever is left over at the blocks' borders") {
    for (const Sizes& sizes : {Sizes{1, 1, 1},
                               {13, 17, 19},
                               {16, 16, 16},
                               {1, 29, 31},
                               {29, 1, 3},
                               {3, 5, 0},
                               {0, 4, 4},
                               {37, 33, 31}}) {
        const int64_t m = sizes.m, n = sizes.n, k = sizes.k;
        for (int64_t block : {1, 4, 7, 16, 32, 1000}) {
            const Values a = values(normal({m, k}, 1)), b = values(normal({k, n}, 2));
            const auto size = static_cast<size_t>(m * n);
            // Two numbers behind C's end: they stay, and what was in C before goes.
            Values expected(size), received(size + 2, 1e9);
            naive_matmul(m, n, k, a.data(), b.data(), expected.data());
            exercise::blocked_matmul(m, n, k, a.data(), b.data(), received.data(), block);
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(k);
            CAPTURE(block);
            double worst = 0;
            for (size_t i = 0; i < size; ++i) {
                worst = std::max(worst, std::abs(received[i] - expected[i]));
            }
            CHECK(worst <= 1e-12);
            CHECK(received[size] == 1e9);
            CHECK(received[size + 1] == 1e9);
        }
    }
}

TEST_CASE("task 8 (1 point): at least twice as fast as the textbook's loops") {
    const int64_t n = 320;
    const Values a = values(normal({n, n}, 1)), b = values(normal({n, n}, 2));
    Values c(static_cast<size_t>(n * n));
    const double naive = shortest([&] { naive_matmul(n, n, n, a.data(), b.data(), c.data()); });
    const double blocked =
        shortest([&] { exercise::blocked_matmul(n, n, n, a.data(), b.data(), c.data(), 128); });
    const double billions = 2e-9 * static_cast<double>(n * n * n);
    MESSAGE("naive ", billions / naive, " GFLOP/s, yours ", billions / blocked, " GFLOP/s");
#ifdef NDEBUG
    CHECK(naive >= 2 * blocked);
#else
    CHECK(blocked > 0);  // a build for finding faults says nothing about speed
#endif
}
