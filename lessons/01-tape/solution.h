// Lesson 01, written out. Read it after your own exercise.h passes, or when you are stuck.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "autograd/ops/elementwise.h"

namespace gradus::exercise {

/// Task 1. The slope of f at x by a central difference: f is called at equal distances on both
/// sides of x, and the distance is step · max(1, |x|).
inline double slope(const std::function<double(double)>& f, double x, double step = 1e-5) {
    const double h = step * std::max(1.0, std::abs(x));
    return (f(x + h) - f(x - h)) / (2 * h);
}

using gradus::exp;  // of numbers and Tensors, beside that of Var below

/// A tape of numbers, for tasks 2 and 3. Each node knows the slopes towards its inputs at the
/// numbers of this run; a node without edges is an input of the whole computation.
struct Edge {
    int input;     // its position on the tape
    double slope;  // ∂(this node) / ∂(that input)
};
struct Node {
    double number;
    std::vector<Edge> edges;
};
struct MiniTape {
    std::vector<Node> nodes;  // in the order in which they were computed
};

/// A node of a tape, to compute with.
struct Var {
    MiniTape* tape;
    int at;
    double number() const { return tape->nodes[at].number; }
};

/// Writes a node at the end of the tape.
inline Var write(MiniTape& tape, double number, std::vector<Edge> edges = {}) {
    tape.nodes.push_back({number, std::move(edges)});
    return {&tape, static_cast<int>(tape.nodes.size()) - 1};
}

/// The pattern for task 2: ∂(a − b)/∂a = 1 and ∂(a − b)/∂b = −1.
inline Var operator-(Var a, Var b) {
    return write(*a.tape, a.number() - b.number(), {{a.at, 1}, {b.at, -1}});
}

/// Task 2. Six ops: each writes one node, with its number and its slopes.
inline Var operator+(Var a, Var b) {
    return write(*a.tape, a.number() + b.number(), {{a.at, 1}, {b.at, 1}});
}
inline Var operator*(Var a, Var b) {
    return write(*a.tape, a.number() * b.number(), {{a.at, b.number()}, {b.at, a.number()}});
}
inline Var operator/(Var a, Var b) {
    const double y = a.number() / b.number();
    return write(*a.tape, y, {{a.at, 1 / b.number()}, {b.at, -y / b.number()}});
}
inline Var sin(Var a) {
    return write(*a.tape, std::sin(a.number()), {{a.at, std::cos(a.number())}});
}
inline Var exp(Var a) {
    const double y = std::exp(a.number());
    return write(*a.tape, y, {{a.at, y}});
}
/// max(0, a), with slope 0 at the kink.
inline Var relu(Var a) {
    const bool on = a.number() > 0;
    return write(*a.tape, on ? a.number() : 0, {{a.at, on ? 1.0 : 0.0}});
}

/// Task 3. ∂y/∂node for every node of y's tape, in the tape's order; 0 where y does not depend on
/// a node.
inline std::vector<double> gradients(Var y) {
    const std::vector<Node>& nodes = y.tape->nodes;
    std::vector<double> gradient(nodes.size(), 0.0);
    gradient[y.at] = 1;
    for (int i = y.at; i >= 0; --i) {
        for (const Edge& edge : nodes[i].edges) {
            gradient[edge.input] += gradient[i] * edge.slope;
        }
    }
    return gradient;
}

/// Task 4. An op of your own for the engine, named "squareplus": y = (x + √(x² + 4)) / 2, a ReLU
/// without a kink (Barron 2021). Differentiable twice, in f32 and in f64.
inline Tensor squareplus(const Tensor& X) {
    return elementwise(
        "squareplus", X, [](auto x) { return as(x, 0.5) * (x + sqrt(x * x + as(x, 4))); },
        [](Unused /*x*/, auto y, auto dy) { return dy * (y * y) / (y * y + as(y, 1)); });
}

/// Task 5. How far `gradient` is from the truth: the largest |expected − received| / max(1, |expected|)
/// of all coordinates, where the slopes of task 1 are expected. Infinity if one of these is NaN.
using Function = std::function<double(const std::vector<double>&)>;
inline double gradient_error(const Function& f, const std::vector<double>& x,
                             const std::vector<double>& gradient) {
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto along_axis = [&](double number) {
            std::vector<double> moved = x;
            moved[i] = number;
            return f(moved);
        };
        const double expected = slope(along_axis, x[i]);
        const double error = std::abs(expected - gradient[i]) / std::max(1.0, std::abs(expected));
        if (std::isnan(error)) return std::numeric_limits<double>::infinity();
        worst = std::max(worst, error);
    }
    return worst;
}

struct Point {
    double x, y;
};

/// The derivatives of a function of two variables at a point.
struct Derivatives {
    double x, y;        // ∂f/∂x, ∂f/∂y
    double xx, xy, yy;  // ∂²f/∂x², ∂²f/∂x∂y, ∂²f/∂y²
};
using Surface = std::function<Tensor(const Tensor& x, const Tensor& y)>;

/// Task 6. First and second derivatives through the engine's tape, in f64.
inline Derivatives derivatives(const Surface& f, Point at) {
    const Tensor x = Tensor::full({}, at.x, Dtype::f64).requires_grad();
    const Tensor y = Tensor::full({}, at.y, Dtype::f64).requires_grad();
    Tape tape;
    const std::vector<Tensor> first = tape.gradients(f(x, y), {x, y});
    const std::vector<Tensor> of_x = tape.gradients(first[0], {x, y});
    const std::vector<Tensor> of_y = tape.gradients(first[1], {x, y});
    return {first[0].item(), first[1].item(), of_x[0].item(), of_x[1].item(), of_y[1].item()};
}

/// Task 6. Newton's step: the (x, y) that solves H (x, y)ᵀ = −∇f.
inline Point newton_step(const Derivatives& d) {
    const double determinant = d.xx * d.yy - d.xy * d.xy;
    return {(d.xy * d.y - d.yy * d.x) / determinant, (d.xy * d.x - d.xx * d.y) / determinant};
}

/// Task 7. Gradient descent with momentum: from velocity 0, again and again
/// v ← momentum · v − rate · ∇f(p), then p ← p + v; until |∇f(p)| < tolerance, or `most` steps.
struct Descent {
    Point end;
    int steps;  // taken
};
inline Descent descend(const std::function<Point(Point)>& gradient, Point start, double rate,
                       double momentum, double tolerance, int most) {
    Point p = start, v = {0, 0};
    for (int step = 0; step < most; ++step) {
        const Point g = gradient(p);
        if (std::hypot(g.x, g.y) < tolerance) return {p, step};
        v = {momentum * v.x - rate * g.x, momentum * v.y - rate * g.y};
        p = {p.x + v.x, p.y + v.y};
    }
    return {p, most};
}

}  // namespace gradus::exercise
