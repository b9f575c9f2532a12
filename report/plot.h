// Curves, points, bars and level sets over two axes, as SVG.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/plot/contour.h"
#include "report/plot/scale.h"

namespace gradus::report {

// A figure over an x and a y axis.
//
//     Plot plot("Training", "step", "loss (nats)");
//     plot.line("train", steps, train_losses).line("test", test_steps, test_losses);
//     plot.hline("optimum", 1.1946).log_x();
//     page.figure(plot.svg(), "The loss falls to the source's entropy.");
//
// Series take their colours and dashes in the order in which they are added. Values that are not
// finite, or not above 0 on a logarithmic axis, are left out, and the figure says how many. Lines
// of over 2,000 points keep the extremes of each stretch. Pointing at the figure shows the values.
// xs and ys of different lengths are an Error, and so are bars together with a series over x.
class Plot {
public:
    Plot(std::string title, std::string x_label, std::string y_label);

    Plot& line(std::string name, std::span<const double> xs, std::span<const double> ys);

    // A line with pale raw values under their running mean over about 1/50 of the points: a loss
    // for each batch.
    Plot& noisy_line(std::string name, std::span<const double> xs, std::span<const double> ys);

    // A line whose points are marked, in the order given: a path of gradient descent.
    Plot& path(std::string name, std::span<const double> xs, std::span<const double> ys);

    Plot& points(std::string name, std::span<const double> xs, std::span<const double> ys);

    // Points that show what they are, one label each, in place of a dot: embedded words. Another
    // number of labels is an Error.
    Plot& labels(std::string name, std::span<const double> xs, std::span<const double> ys,
                 std::span<const std::string> texts);

    // The area between lo and hi: a spread over seeds.
    Plot& band(std::string name, std::span<const double> xs, std::span<const double> lo,
               std::span<const double> hi);

    // A level across the whole figure: an optimum, a pass mark.
    Plot& hline(std::string name, double y);

    // One bar a label, from 0 (or from the axis, where it is logarithmic).
    Plot& bars(std::span<const std::string> labels, std::span<const double> values);

    // The level sets of a function behind everything else; the axes end where the grid ends. Without
    // levels, contour_levels() chooses them.
    Plot& contours(Field2D field, std::vector<double> levels = {});

    Plot& log_x();
    Plot& log_y();
    Plot& x_range(double low, double high);  // low < high, else an Error
    Plot& y_range(double low, double high);
    Plot& size(int width, int height);  // pixels; 760 x 400 if not given, at least 240 x 160

    std::string svg() const;

private:
    friend class PlotWriter;
    enum class Kind { line, noisy, path, points, band, level };
    struct Series {
        Kind kind;
        std::string name;
        std::vector<double> xs;
        std::vector<double> ys;            // a band's lower edge
        std::vector<double> top;           // a band's upper edge
        std::vector<std::string> texts{};  // of points with labels, one each
    };
    struct Range {
        double low;
        double high;
    };
    Plot& add(Kind kind, std::string name, std::span<const double> xs, std::span<const double> ys,
              std::span<const double> top = {});

    std::string title_, x_label_, y_label_;
    std::vector<Series> series_;
    std::vector<std::string> bar_labels_;
    std::vector<double> bar_values_;
    std::optional<Field2D> field_;
    std::vector<double> levels_;
    std::optional<Range> x_range_, y_range_;
    bool log_x_ = false, log_y_ = false;
    int width_ = 760, height_ = 400;
};

// Indices of at most about `keep` points that draw the same line: the first, the last, the lowest
// and the highest of each of keep / 2 stretches. All of them if there are no more than `keep`.
std::vector<std::size_t> decimate(std::span<const double> ys, std::size_t keep = 2000);

}  // namespace gradus::report
