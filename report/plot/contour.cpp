#include "report/plot/contour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_map>

#include "autograd/error.h"

namespace gradus::report {
namespace {

constexpr double kBelow = -std::numeric_limits<double>::infinity();

// The field with a border of width 0 below every level, so that every level's loops close.
class Padded {
public:
    explicit Padded(const Field2D& field) : field_(field) {}

    std::size_t columns() const { return field_.xs.size() + 2; }
    std::size_t rows() const { return field_.ys.size() + 2; }

    double value(std::size_t row, std::size_t column) const {
        if (row == 0 || column == 0 || row + 1 == rows() || column + 1 == columns()) return kBelow;
        const double v = field_.values[(row - 1) * field_.xs.size() + column - 1];
        return std::isfinite(v) ? v : kBelow;
    }
    double x(std::size_t column) const { return at(field_.xs, column); }
    double y(std::size_t row) const { return at(field_.ys, row); }

    // Where the level crosses between two neighbouring grid points.
    Point crossing(std::size_t r0, std::size_t c0, std::size_t r1, std::size_t c1,
                   double level) const {
        const double a = value(r0, c0), b = value(r1, c1);
        // Beside a value that is not finite the border runs through the finite point.
        const double t = a == kBelow ? 1 : b == kBelow ? 0 : (level - a) / (b - a);
        return {x(c0) + t * (x(c1) - x(c0)), y(r0) + t * (y(r1) - y(r0))};
    }

private:
    static double at(const std::vector<double>& axis, std::size_t i) {
        return axis[std::clamp<std::size_t>(i, 1, axis.size()) - 1];
    }
    const Field2D& field_;
};

void check_field(const Field2D& field) {
    check(field.xs.size() >= 2 && field.ys.size() >= 2, "contour",
          "the grid needs at least 2 x 2 points; it has {} x {}", field.xs.size(), field.ys.size());
    check(field.values.size() == field.xs.size() * field.ys.size(), "contour",
          "{} values on a grid of {} columns and {} rows", field.values.size(), field.xs.size(),
          field.ys.size());
}

}  // namespace

Field2D sample(const std::function<double(double, double)>& f, double x0, double x1, double y0,
               double y1, int columns, int rows) {
    check(columns >= 2 && rows >= 2 && x0 < x1 && y0 < y1, "sample",
          "needs x0 < x1, y0 < y1 and at least 2 x 2 points; got [{}, {}] x [{}, {}], {} x {}", x0,
          x1, y0, y1, columns, rows);
    Field2D field;
    for (int i = 0; i < columns; ++i) field.xs.push_back(x0 + (x1 - x0) * i / (columns - 1));
    for (int i = 0; i < rows; ++i) field.ys.push_back(y0 + (y1 - y0) * i / (rows - 1));
    for (const double y : field.ys) {
        for (const double x : field.xs) field.values.push_back(f(x, y));
    }
    return field;
}

std::vector<double> contour_levels(const Field2D& field, int count) {
    std::vector<double> sorted;
    for (const double value : field.values) {
        if (std::isfinite(value)) sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> levels;
    if (sorted.empty() || sorted.front() == sorted.back()) return levels;
    const double low = sorted.front(), high = sorted.back();
    // How near the grid's points come to a zero is chance: count from where 1 % of them are.
    const double floor = sorted[sorted.size() / 100];
    const bool logarithmic = low >= 0 && floor > 0 && high > 100 * floor;
    for (int i = 0; i < count; ++i) {
        levels.push_back(logarithmic
                             ? floor * std::pow(high / floor, i / static_cast<double>(count))
                             : low + (i + 1.0) / (count + 1.0) * (high - low));
    }
    return levels;
}

std::vector<std::vector<Point>> contour_loops(const Field2D& field, double level) {
    check_field(field);
    const Padded grid(field);
    const std::size_t columns = grid.columns();
    // A crossing lies on an edge of the grid: 2 · point for the edge to the right of a point,
    // 2 · point + 1 for the edge above it. Segments run with the set on their left, so each
    // crossing has one successor.
    std::unordered_map<std::size_t, std::size_t> next;
    std::unordered_map<std::size_t, Point> where;
    for (std::size_t r = 0; r + 1 < grid.rows(); ++r) {
        for (std::size_t c = 0; c + 1 < columns; ++c) {
            const std::array<bool, 4> in = {
                grid.value(r, c) >= level, grid.value(r, c + 1) >= level,
                grid.value(r + 1, c + 1) >= level, grid.value(r + 1, c) >= level};
            const std::size_t corner = r * columns + c;
            const std::array<std::size_t, 4> edge = {2 * corner, 2 * (corner + 1) + 1,
                                                     2 * (corner + columns), 2 * corner + 1};
            std::array<std::size_t, 4> leaving{}, entering{};  // edges, walking around the cell
            std::size_t crossings = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                const std::size_t j = (i + 1) % 4;
                if (in[i] == in[j]) continue;
                const std::size_t r0 = r + (i >= 2), c0 = c + (i == 1 || i == 2);
                const std::size_t r1 = r + (j >= 2), c1 = c + (j == 1 || j == 2);
                where[edge[i]] = grid.crossing(r0, c0, r1, c1, level);
                (in[i] ? leaving : entering)[crossings / 2] = edge[i];
                ++crossings;
            }
            if (crossings == 2) {
                next[leaving[0]] = entering[0];
            } else if (crossings == 4) {
                // A saddle: two opposite corners are in. The middle of the cell says whether they
                // are joined. In order around the cell, in[0] leaves first, or enters first.
                const double middle = (grid.value(r, c) + grid.value(r, c + 1) +
                                       grid.value(r + 1, c + 1) + grid.value(r + 1, c)) /
                                      4;
                const bool joined = middle >= level;
                const bool straight = in[0] == joined;
                next[leaving[0]] = entering[straight ? 0 : 1];
                next[leaving[1]] = entering[straight ? 1 : 0];
            }
        }
    }
    std::vector<std::vector<Point>> loops;
    while (!next.empty()) {
        std::vector<Point> loop;
        for (auto at = next.begin(); at != next.end();) {
            loop.push_back(where[at->first]);
            const std::size_t following = at->second;
            next.erase(at);
            at = next.find(following);
        }
        loops.push_back(std::move(loop));
    }
    return loops;
}

}  // namespace gradus::report
