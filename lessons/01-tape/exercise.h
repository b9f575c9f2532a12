// Lesson 01: the tape. Yours to write: each function below takes from one line to fifteen. README.md
// says what they are for, the comment above each what it must do, and ./run check 01 whether it does.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "lessons/not_yet_written.h"

namespace gradus::exercise {

using lesson::NotYetWritten;

// The stubs do not use what they are given yet.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/// Task 1. The slope of f at x by a central difference: f is called at equal distances on both
/// sides of x, and the distance is step · max(1, |x|).
inline double slope(const std::function<double(double)>& f, double x, double step = 1e-5) {
    throw NotYetWritten("task 1");
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
inline Var operator+(Var a, Var b) { throw NotYetWritten("task 2"); }
inline Var operator*(Var a, Var b) { throw NotYetWritten("task 2"); }
inline Var operator/(Var a, Var b) { throw NotYetWritten("task 2"); }
inline Var sin(Var a) { throw NotYetWritten("task 2"); }
inline Var exp(Var a) { throw NotYetWritten("task 2"); }
/// max(0, a), with slope 0 at the kink.
inline Var relu(Var a) { throw NotYetWritten("task 2"); }

/// Task 3. ∂y/∂node for every node of y's tape, in the tape's order; 0 where y does not depend on
/// a node.
inline std::vector<double> gradients(Var y) { throw NotYetWritten("task 3"); }

/// Task 4. An op of your own for the engine, named "squareplus": y = (x + √(x² + 4)) / 2, a ReLU
/// without a kink (Barron 2021). Differentiable twice, in f32 and in f64.
inline Tensor squareplus(const Tensor& X) { throw NotYetWritten("task 4"); }

/// Task 5. How far `gradient` is from the truth: the largest |expected − received| / max(1, |expected|)
/// of all coordinates, where the slopes of task 1 are expected. Infinity if one of these is NaN.
using Function = std::function<double(const std::vector<double>&)>;
inline double gradient_error(const Function& f, const std::vector<double>& x,
                             const std::vector<double>& gradient) {
    throw NotYetWritten("task 5");
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
inline Derivatives derivatives(const Surface& f, Point at) { throw NotYetWritten("task 6"); }

/// Task 6. Newton's step: the (x, y) that solves H (x, y)ᵀ = −∇f.
inline Point newton_step(const Derivatives& d) { throw NotYetWritten("task 6"); }

/// Task 7. Gradient descent with momentum: from velocity 0, again and again
/// v ← momentum · v − rate · ∇f(p), then p ← p + v; until |∇f(p)| < tolerance, or `most` steps.
struct Descent {
    Point end;
    int steps;  // taken
};
inline Descent descend(const std::function<Point(Point)>& gradient, Point start, double rate,
                       double momentum, double tolerance, int most) {
    throw NotYetWritten("task 7");
}

#pragma GCC diagnostic pop

}  // namespace gradus::exercise
