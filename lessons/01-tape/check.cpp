// Judges exercise.h of lesson 01. All in float64; where differences are involved to 1e-6, else to 1e-9
// of the closed form, both relative to max(1, |expected|).
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"

using namespace gradus;
using namespace gradus::exercise;

namespace {

doctest::Approx near(double expected, double tolerance = 1e-9) {
    return doctest::Approx(expected).epsilon(tolerance).scale(1);
}

// The slope of the edges from y's node to x; NaN where there is none.
double slope_towards(Var y, Var x) {
    double total = 0;
    bool found = false;
    for (const Edge& edge : y.tape->nodes.at(y.at).edges) {
        if (edge.input != x.at) continue;
        total += edge.slope;
        found = true;
    }
    return found ? total : std::numeric_limits<double>::quiet_NaN();
}

// What an op of one or two inputs has just written.
void check_op(const std::string& op, Var y, double number, Var a, double da) {
    INFO("y = ", op);
    REQUIRE(y.number() == near(number));
    INFO("the slope ∂y/∂a");
    REQUIRE(slope_towards(y, a) == near(da));
}
void check_op(const std::string& op, Var y, double number, Var a, double da, Var b, double db) {
    check_op(op, y, number, a, da);
    INFO("y = ", op, ", the slope ∂y/∂b");
    REQUIRE(slope_towards(y, b) == near(db));
}

Tensor f64(const std::vector<double>& numbers) { return Tensor::from(numbers); }

const std::vector<double> kPoints = {-30, -2.5, -1, -0.1, 0, 1e-3, 0.7, 3, 40};

double exact_squareplus(double x) { return (x + std::sqrt(x * x + 4)) / 2; }
double exact_squareplus_slope(double x) { return (1 + x / std::sqrt(x * x + 4)) / 2; }

// Rosenbrock's valley: its lowest point is (1, 1), where it is 0.
Tensor rosenbrock(const Tensor& x, const Tensor& y) {
    return square(1 - x) + 100 * square(y - square(x));
}
Point rosenbrock_gradient(Point p) {
    const double off = p.y - p.x * p.x;
    return {-2 * (1 - p.x) - 400 * p.x * off, 200 * off};
}

}  // namespace

// Task 1 ----------------------------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): a parabola's slope is exact however wide the step") {
    INFO("f(x) = x², step 0.5: the two sides of x make the same error, and it cancels");
    const auto square_of = [](double x) { return x * x; };
    REQUIRE(slope(square_of, 3, 0.5) == near(6));
    REQUIRE(slope(square_of, -2, 0.25) == near(-4));
    REQUIRE(slope(square_of, 0, 1e-3) == near(0));
}

TEST_CASE("task 1 (1 point): sin and exp and 1/x to 1e-9") {
    for (const double x : {-1.3, -0.2, 0.4, 1.0, 2.0}) {
        CAPTURE(x);
        REQUIRE(slope([](double t) { return std::sin(t); }, x) == near(std::cos(x)));
        REQUIRE(slope([](double t) { return std::exp(t); }, x) == near(std::exp(x)));
        REQUIRE(slope([](double t) { return 1 / t; }, x, 1e-6) == near(-1 / (x * x), 1e-8));
    }
}

TEST_CASE("task 1 (1 point): the step grows with x and calls f twice") {
    INFO("at x = 1e9 a step of 1e-5 is lost in rounding: the distance is step · max(1, |x|)");
    int calls = 0;
    const auto counted = [&](double t) {
        ++calls;
        return t * t;
    };
    REQUIRE(slope(counted, -1e9) == near(-2e9));
    REQUIRE(calls == 2);
    REQUIRE(slope([](double t) { return std::log(t); }, 1e6) == near(1e-6, 1e-12));
}

// Task 2 ----------------------------------------------------------------------------------------------

TEST_CASE("task 2 (2 points): + * / write their numbers and slopes") {
    for (const double p : {-1.5, 0.0, 3.0}) {
        for (const double q : {-4.0, 0.25, 2.0}) {
            INFO("a = ", p, ", b = ", q);
            MiniTape tape;
            const Var a = write(tape, p), b = write(tape, q);
            check_op("a + b", a + b, p + q, a, 1, b, 1);
            check_op("a * b", a * b, p * q, a, q, b, p);
            check_op("a / b", a / b, p / q, a, 1 / q, b, -p / (q * q));
        }
    }
}

TEST_CASE("task 2 (1 point): sin and exp write their numbers and slopes") {
    for (const double p : {-2.0, 0.0, 0.5, 3.0}) {
        INFO("a = ", p);
        MiniTape tape;
        const Var a = write(tape, p);
        check_op("sin(a)", sin(a), std::sin(p), a, std::cos(p));
        check_op("exp(a)", exp(a), std::exp(p), a, std::exp(p));
    }
}

TEST_CASE("task 2 (1 point): relu has slope 0 at its kink and each op is one node") {
    MiniTape tape;
    const Var low = write(tape, -2), kink = write(tape, 0), high = write(tape, 3);
    const Var a = relu(low), b = relu(kink), c = relu(high);
    check_op("relu(a) at -2", a, 0, low, 0);
    check_op("relu(a) at 0", b, 0, kink, 0);
    check_op("relu(a) at 3", c, 3, high, 1);
    const Var three_more[] = {a + c, a * c, exp(a)};
    INFO("three inputs and six ops make nine nodes");
    REQUIRE(three_more[2].at == 8);
    REQUIRE(tape.nodes.size() == 9);
}

// Task 3: on tapes written by hand, so that it does not need task 2 -------------------------------------

TEST_CASE("task 3 (1 point): slopes multiply along a chain") {
    MiniTape tape;
    const Var x = write(tape, 1);
    const Var u = write(tape, 2, {{x.at, 3}}), v = write(tape, 5, {{u.at, -7}});
    const Var y = write(tape, 4, {{v.at, 0.5}});
    const auto gradient = gradients(y);
    REQUIRE(gradient.size() == 4);
    REQUIRE(gradient[y.at] == near(1));
    REQUIRE(gradient[v.at] == near(0.5));
    REQUIRE(gradient[u.at] == near(-3.5));
    REQUIRE(gradient[x.at] == near(-10.5));
}

TEST_CASE("task 3 (2 points): a value used twice gets both contributions") {
    MiniTape tape;
    const Var a = write(tape, 5);
    const Var b = write(tape, 10, {{a.at, 1}, {a.at, 1}});  // a + a
    {
        INFO("b = a + a: two ways lead from a to b, each with slope 1");
        REQUIRE(gradients(b).at(a.at) == near(2));
    }
    const Var c = write(tape, 20, {{b.at, 1}, {b.at, 1}});  // b + b
    INFO("b = a + a; c = b + b: four ways lead from a to c, each with slope 1");
    REQUIRE(gradients(c).at(b.at) == near(2));
    REQUIRE(gradients(c).at(a.at) == near(4));

    INFO("d = b · c uses b directly and through c");
    const Var d = write(tape, 200, {{b.at, 20}, {c.at, 10}});
    REQUIRE(gradients(d).at(b.at) == near(40));
    REQUIRE(gradients(d).at(a.at) == near(80));

    INFO("doubled thirty times: 2³⁰ ways, but only thirty nodes; go through the nodes");
    MiniTape doubled;
    Var y = write(doubled, 1);
    for (int i = 0; i < 30; ++i) y = write(doubled, 2 * y.number(), {{y.at, 1}, {y.at, 1}});
    REQUIRE(gradients(y).at(0) == near(std::exp2(30)));
}

TEST_CASE("task 3 (1 point): what y does not depend on has gradient 0") {
    MiniTape tape;
    const Var x = write(tape, 2), unused = write(tape, 7);
    const Var y = write(tape, 4, {{x.at, 4}});
    const Var later = write(tape, 12, {{y.at, 3}, {unused.at, 1}});
    const auto gradient = gradients(y);
    INFO("one number for each node of the tape, also for those that were computed after y");
    REQUIRE(gradient.size() == 4);
    REQUIRE(gradient[x.at] == near(4));
    REQUIRE(gradient[unused.at] == 0);
    REQUIRE(gradient[later.at] == 0);
    INFO("asking again, from another node, starts afresh");
    REQUIRE(gradients(later).at(x.at) == near(12));
    REQUIRE(gradients(unused).at(unused.at) == 1);
    REQUIRE(gradients(unused).at(x.at) == 0);
}

TEST_CASE("task 3 (1 point): with the ops of task 2 an expression's gradient is the closed form") {
    for (const double p : {-0.8, 0.3, 2.0}) {
        CAPTURE(p);
        MiniTape tape;
        const Var x = write(tape, p), z = write(tape, 1.7);
        const Var y = sin(x * z) / (exp(x) + z) - relu(x) * x;
        const auto gradient = gradients(y);
        const double s = std::sin(1.7 * p), c = std::cos(1.7 * p), e = std::exp(p), d = e + 1.7;
        REQUIRE(y.number() == near(s / d - std::max(p, 0.0) * p));
        REQUIRE(gradient.at(x.at) == near((1.7 * c * d - s * e) / (d * d) - 2 * std::max(p, 0.0)));
        REQUIRE(gradient.at(z.at) == near((p * c * d - s) / (d * d)));
    }
}

// Task 4 ----------------------------------------------------------------------------------------------

TEST_CASE("task 4 (2 points): squareplus and its gradient are the closed forms") {
    const Tensor x = f64(kPoints).requires_grad();
    Tape tape;
    const Tensor y = squareplus(x);
    REQUIRE(y.shape() == x.shape());
    tape.backward(y,
                  Tensor::full(x.shape(), 3, Dtype::f64));  // three times the gradient of the sum
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
        CAPTURE(kPoints[i]);
        const auto at = static_cast<int64_t>(i);
        REQUIRE(y.at(at) == near(exact_squareplus(kPoints[i])));
        INFO("dx is the slope times dy, and dy is 3 here");
        REQUIRE(x.grad().at(at) == near(3 * exact_squareplus_slope(kPoints[i])));
    }
    const auto checked =
        gradcheck([](const auto& in) { return squareplus(in[0]); }, {f64({-3, 0.2, 8})});
    INFO(checked.message);
    REQUIRE(checked.ok);
}

TEST_CASE("task 4 (1 point): squareplus can be differentiated twice") {
    INFO("the second derivative is 2 / (x² + 4)^1.5");
    const Tensor x = f64(kPoints).requires_grad();
    Tape tape;
    const Tensor first = tape.gradients(sum(squareplus(x)), {x})[0];
    const Tensor second = tape.gradients(sum(first), {x})[0];
    for (std::size_t i = 0; i < kPoints.size(); ++i) {
        CAPTURE(kPoints[i]);
        const double expected = 2 / std::pow(kPoints[i] * kPoints[i] + 4, 1.5);
        REQUIRE(second.at(static_cast<int64_t>(i)) == near(expected));
    }
}

TEST_CASE("task 4 (1 point): squareplus is one op by that name and keeps shape and dtype") {
    Tape tape;
    const Tensor y = squareplus(Tensor::zeros({2, 3}).requires_grad());
    REQUIRE(y.shape() == Shape{2, 3});
    REQUIRE(y.dtype() == Dtype::f32);
    REQUIRE(y.at(5) == near(1));
    const auto entries = tape.entries();
    REQUIRE(entries.size() == 2);
    REQUIRE(std::string(entries[1].op) == "squareplus");
}

// Task 5 ----------------------------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): a right gradient passes") {
    const Function f = [](const std::vector<double>& x) {
        return x[0] * x[0] * x[1] + std::sin(x[2]);
    };
    const std::vector<double> x = {1.5, -2, 0.3};
    REQUIRE(gradient_error(f, x, {2 * 1.5 * -2, 1.5 * 1.5, std::cos(0.3)}) < 1e-8);
    INFO("a coordinate that f does not use");
    const Function first = [](const std::vector<double>& p) { return p[0]; };
    REQUIRE(gradient_error(first, {2, 5}, {1, 0}) < 1e-8);
}

TEST_CASE("task 5 (2 points): a wrong gradient is caught and its error has the size defined") {
    const Function f = [](const std::vector<double>& x) { return 10 * x[0] + 0.1 * x[1]; };
    const std::vector<double> x = {1, 2};
    INFO("large slopes are compared relatively, small ones absolutely");
    REQUIRE(gradient_error(f, x, {10.1, 0.1}) == near(0.01, 1e-6));
    REQUIRE(gradient_error(f, x, {9.9, 0.1}) == near(0.01, 1e-6));
    REQUIRE(gradient_error(f, x, {10, 0.101}) == near(0.001, 1e-6));
    INFO("the wrong sign, and the worst of two errors wherever it stands");
    REQUIRE(gradient_error(f, x, {-10, 0.1}) == near(2, 1e-6));
    REQUIRE(gradient_error(f, x, {10, 0.6}) == near(0.5, 1e-6));
    REQUIRE(gradient_error(f, x, {15, 0.1}) == near(0.5, 1e-6));
}

TEST_CASE("task 5 (1 point): at a kink a difference is no judge and NaN never passes") {
    const Function kinked = [](const std::vector<double>& x) { return std::max(x[0], 0.0); };
    INFO("ReLU at 0: one side has slope 0, the other 1, the central difference says 1/2");
    REQUIRE(gradient_error(kinked, {0}, {0}) == near(0.5, 1e-6));
    REQUIRE(gradient_error(kinked, {0}, {0.5}) == near(0, 1e-6));
    REQUIRE(gradient_error(kinked, {0.1}, {1}) == near(0, 1e-6));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    REQUIRE(gradient_error(kinked, {1}, {nan}) == std::numeric_limits<double>::infinity());
    const Function two = [](const std::vector<double>& x) { return x[0] + x[1]; };
    INFO("a NaN before or after a good coordinate");
    REQUIRE(gradient_error(two, {1, 1}, {nan, 1}) == std::numeric_limits<double>::infinity());
    REQUIRE(gradient_error(two, {1, 1}, {1, nan}) == std::numeric_limits<double>::infinity());
}

// Task 6 ----------------------------------------------------------------------------------------------

TEST_CASE("task 6 (2 points): first and second derivatives are the closed forms") {
    for (const Point p : {Point{-1.2, 1}, Point{0, 0}, Point{1, 1}, Point{2.5, -3}}) {
        CAPTURE(p.x);
        CAPTURE(p.y);
        const Derivatives d = derivatives(rosenbrock, p);
        REQUIRE(d.x == near(rosenbrock_gradient(p).x));
        REQUIRE(d.y == near(rosenbrock_gradient(p).y));
        REQUIRE(d.xx == near(1200 * p.x * p.x - 400 * p.y + 2));
        REQUIRE(d.xy == near(-400 * p.x));
        REQUIRE(d.yy == near(200));
    }
    const Derivatives d = derivatives(
        [](const Tensor& x, const Tensor& y) { return exp(x * y) + tanh(x); }, {0.5, -1.5});
    const double e = std::exp(-0.75), t = std::tanh(0.5);
    REQUIRE(d.x == near(-1.5 * e + 1 - t * t));
    REQUIRE(d.y == near(0.5 * e));
    REQUIRE(d.xx == near(2.25 * e - 2 * t * (1 - t * t)));
    INFO("∂/∂x of x · exp(x y): the product rule");
    REQUIRE(d.xy == near((1 - 0.75) * e));
    REQUIRE(d.yy == near(0.25 * e));
}

TEST_CASE("task 6 (2 points): one Newton step reaches the bottom of any bowl") {
    const Surface bowl = [](const Tensor& x, const Tensor& y) {  // lowest at (2, −1)
        return 3 * square(x - 2) + 2 * (x - 2) * (y + 1) + 5 * square(y + 1);
    };
    for (const Point p : {Point{0, 0}, Point{-7, 3}, Point{2, -1}}) {
        CAPTURE(p.x);
        CAPTURE(p.y);
        const Point step = newton_step(derivatives(bowl, p));
        REQUIRE(p.x + step.x == near(2));
        REQUIRE(p.y + step.y == near(-1));
    }
    INFO("H = (2 1; 1 3), ∇f = (−4, −7): the step is (1, 2)");
    const Point step = newton_step({-4, -7, 2, 1, 3});
    REQUIRE(step.x == near(1));
    REQUIRE(step.y == near(2));
}

// Task 7 ----------------------------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): without momentum each step multiplies the distance") {
    INFO("f = (x² + 4 y²) / 2 at rate 0.1: x shrinks by 0.9 and y by 0.6 in each step");
    const auto bowl = [](Point p) { return Point{p.x, 4 * p.y}; };
    const Descent ten = descend(bowl, {1, -2}, 0.1, 0, 1e-12, 10);
    REQUIRE(ten.steps == 10);
    REQUIRE(ten.end.x == near(std::pow(0.9, 10)));
    REQUIRE(ten.end.y == near(-2 * std::pow(0.6, 10)));
    INFO("nothing to do at the bottom, nothing done with no steps");
    REQUIRE(descend(bowl, {0, 0}, 0.1, 0.9, 1e-12, 10).steps == 0);
    REQUIRE(descend(bowl, {3, 5}, 0.1, 0.9, 1e-12, 0).end.y == 5);
}

TEST_CASE("task 7 (1 point): momentum remembers the velocity") {
    INFO("f = x² / 2, rate 0.25, momentum 0.5, from 16: v = −4, −5, −4.25; x = 12, 7, 2.75");
    const auto bowl = [](Point p) { return p; };
    REQUIRE(descend(bowl, {16, 0}, 0.25, 0.5, 1e-12, 1).end.x == near(12));
    REQUIRE(descend(bowl, {16, 0}, 0.25, 0.5, 1e-12, 2).end.x == near(7));
    REQUIRE(descend(bowl, {16, 0}, 0.25, 0.5, 1e-12, 3).end.x == near(2.75));
}

TEST_CASE("task 7 (1 point): momentum reaches the bottom of Rosenbrock's valley") {
    const Descent found = descend(rosenbrock_gradient, {-1.2, 1}, 1e-3, 0.9, 1e-8, 20000);
    const Point g = rosenbrock_gradient(found.end);
    REQUIRE(found.steps > 100);
    REQUIRE(found.steps < 20000);
    REQUIRE(std::hypot(g.x, g.y) < 1e-8);
    REQUIRE(found.end.x == near(1, 1e-6));
    REQUIRE(found.end.y == near(1, 1e-6));
}
