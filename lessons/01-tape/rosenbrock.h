// Rosenbrock's valley (1960) and three ways down: f(x, y) = (1 − x)² + 100 (y − x²)².
//
// Its lowest point is (1, 1), where it is 0. The floor of the valley follows the parabola y = x²;
// across it f rises 2,500 times as steeply as along it.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace gradus::tape_lesson {

struct Point {
    double x, y;
};
inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator*(double c, Point a) { return {c * a.x, c * a.y}; }
inline double length(Point a) { return std::hypot(a.x, a.y); }

struct Hessian {
    double xx, xy, yy;
};

// ∇f and H at a point.
struct Slopes {
    Point gradient;
    Hessian hessian;
};

inline Tensor rosenbrock(const Tensor& x, const Tensor& y) {
    return square(x - 1) + 100 * square(y - square(x));
}
inline double rosenbrock(Point p) {
    const double a = p.x - 1, b = p.y - p.x * p.x;
    return a * a + 100 * b * b;
}

inline Tensor variable(double number) {
    return Tensor::full({}, number, Dtype::f64).requires_grad();
}

// By hand: what the tape has to find.
inline Slopes slopes_by_hand(Point p) {
    const double off = p.y - p.x * p.x;
    return {{2 * (p.x - 1) - 400 * p.x * off, 200 * off},
            {1200 * p.x * p.x - 400 * p.y + 2, -400 * p.x, 200}};
}

// One way back.
inline Point gradient_by_tape(Point p) {
    const Tensor x = variable(p.x), y = variable(p.y);
    Tape tape;
    tape.backward(rosenbrock(x, y));
    return {x.grad().item(), y.grad().item()};
}

// Three ways back: of f, and of both parts of its gradient.
inline Slopes slopes_by_tape(Point p) {
    const Tensor x = variable(p.x), y = variable(p.y);
    Tape tape;
    const auto first = tape.gradients(rosenbrock(x, y), {x, y});
    const auto of_x = tape.gradients(first[0], {x, y});
    const auto of_y = tape.gradients(first[1], {x, y});
    return {{first[0].item(), first[1].item()}, {of_x[0].item(), of_x[1].item(), of_y[1].item()}};
}

// The step that solves H step = −∇f, by Cramer's rule.
inline Point newton_step(const Slopes& s) {
    const auto [g, h] = s;
    const double determinant = h.xx * h.yy - h.xy * h.xy;
    return {(h.xy * g.y - h.yy * g.x) / determinant, (h.xy * g.x - h.xx * g.y) / determinant};
}

// A way down. `step` gives the next step from the point, its slopes and the step before.
struct Method {
    std::string name;
    std::function<Slopes(Point)> slopes;
    std::function<Point(const Slopes&, Point last_step)> step;
};

// Gradient descent: rate and momentum stay as they are (Polyak 1964).
inline Method descent(const std::string& name, double rate, double momentum) {
    return {name,
            [](Point p) {
                return Slopes{gradient_by_tape(p), {}};
            },
            [=](const Slopes& s, Point last) { return momentum * last + -rate * s.gradient; }};
}

inline Method newton(const std::string& name, const std::function<Slopes(Point)>& slopes) {
    return {name, slopes, [](const Slopes& s, Point) { return newton_step(s); }};
}

// Where a method has been.
struct Walk {
    std::vector<Point> path = {{-1.2, 1}};
    std::vector<double> norms;  // |∇f| at each point
    Point last_step = {0, 0};
    bool arrived = false;  // |∇f| < tolerance

    double steps() const { return static_cast<double>(path.size() - 1); }
    Point end() const { return path.back(); }
};

// Goes on until |∇f| < tolerance, `most` steps in all, f overflows, or `stop` says so.
inline void go_on(Walk& walk, const Method& method, int most, double tolerance,
                  const std::function<bool(const Walk&)>& stop) {
    walk.norms.resize(walk.path.size() - 1);
    for (;;) {
        const Slopes slopes = method.slopes(walk.end());
        walk.norms.push_back(length(slopes.gradient));
        walk.arrived = walk.norms.back() < tolerance;
        const bool lost = !std::isfinite(walk.norms.back());
        if (walk.arrived || lost || walk.path.size() > static_cast<std::size_t>(most)) return;
        if (stop(walk)) return;
        walk.last_step = method.step(slopes, walk.last_step);
        walk.path.push_back(walk.end() + walk.last_step);
    }
}

}  // namespace gradus::tape_lesson
