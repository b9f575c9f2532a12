// How a plot becomes SVG; private to layout.cpp and draw.cpp.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "report/plot.h"

namespace gradus::report {

class PlotWriter {
public:
    explicit PlotWriter(const Plot& plot) : p_(plot) {}
    std::string write();

private:
    using Kind = Plot::Kind;
    using Series = Plot::Series;

    // layout.cpp: what stands around the values.
    void lay_out_legend();
    void draw_sample(const Series& s, std::size_t i, double at, double middle);
    void set_scales();
    void make_room_for_bar_labels();
    void draw_axes();
    void draw_notes();

    // draw.cpp: the values.
    void draw_contours();
    void draw_area(const Series& s, std::size_t i);
    void draw_bars();
    void draw_bar_label(std::size_t i, double middle);
    void draw_curve(const Series& s, std::size_t i);
    void add_curve(const Series& s, std::size_t i, const std::vector<double>& ys,
                   std::string_view classes, bool count);
    void draw_hover();
    void draw_marks(const Series& s, std::size_t i);
    void draw_dots(const Series& s, std::size_t i);
    void draw_path_ends(const Series& s, std::size_t i);

    double x(double value) const { return left_ + x_.place(value) * (right_ - left_); }
    double y(double value) const { return bottom_ - y_.place(value) * (bottom_ - top_); }
    bool shows(double xv, double yv) const { return x_.shows(xv) && y_.shows(yv); }
    bool inside(double at_x, double at_y) const;
    double bar_slot() const;
    void leave_out(const std::string& name) { ++left_out_[name]; }

    const Plot& p_;
    Scale x_, y_;
    double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0, height_ = 0;
    bool slanted_ = false;                             // the bars' labels, else wrapped:
    std::vector<std::vector<std::string>> bar_lines_;  // the lines of each label
    std::map<std::string, int> left_out_;              // values that could not be drawn
    std::vector<std::string> notes_;
    std::string body_;
    std::string unclipped_;  // drawn after the curves, may leave the plot's area
};

// The colours, and the dashes that tell series apart where colours do not.
std::size_t series_colour(std::size_t i);
std::string dash_attribute(bool level, std::size_t i);

}  // namespace gradus::report
