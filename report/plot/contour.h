// Level sets of a function of two variables, by marching squares.
#pragma once

#include <functional>
#include <vector>

namespace gradus::report {

// Values of a function on a grid: values[row * xs.size() + column] at (xs[column], ys[row]),
// with xs and ys ascending.
struct Field2D {
    std::vector<double> xs;
    std::vector<double> ys;
    std::vector<double> values;
};

struct Point {
    double x;
    double y;
};

// f on columns x rows points over [x0, x1] x [y0, y1]; at least two of each, else an Error.
Field2D sample(const std::function<double(double x, double y)>& f, double x0, double x1, double y0,
               double y1, int columns = 128, int rows = 128);

// `count` levels between the smallest and the largest finite value: evenly spaced in the value, or
// in its logarithm when none is below 0 and the largest is over 100 times nearly all the smallest.
std::vector<double> contour_levels(const Field2D& field, int count = 12);

// The border of {f ≥ level} as closed loops, running along the edge of the grid where the set
// meets it. Filled with the even-odd rule they give the set. Values that are not finite count as
// below every level.
std::vector<std::vector<Point>> contour_loops(const Field2D& field, double level);

}  // namespace gradus::report
