// A matrix as coloured cells: attention, a confusion matrix, weights.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace gradus::report {

// Cells between row and column labels with a colour scale; pointing at a cell shows its value.
// Values of one sign run from the page's colour to blue; where both signs occur, below 0 is orange
// and above 0 is blue, and 0 the page's colour.
//
//     Heatmap map("Attention, layer 1, head 3", weights, source.size());
//     map.labels(target, source).axes("target", "source").range(0, 1);
//
// values: [rows, columns] in row-major order. Errors: a length that is no multiple of `columns`,
// a wrong number of labels. Values that are not finite are hatched, and stated.
class Heatmap {
public:
    Heatmap(std::string title, std::span<const double> values, std::size_t columns);

    Heatmap& labels(std::vector<std::string> rows, std::vector<std::string> columns);
    Heatmap& axes(std::string rows, std::string columns);  // what the labels are
    Heatmap& range(double low, double high);               // ends of the colours, else the data's
    Heatmap& log_scale();                                  // colours by the logarithm; 0 is blank
    Heatmap& cell_size(int pixels);                        // else chosen to suit the page

    std::string svg() const;

private:
    friend class HeatmapWriter;
    std::string title_, row_axis_, column_axis_;
    std::vector<double> values_;
    std::size_t columns_, rows_;
    std::vector<std::string> row_labels_, column_labels_;
    double low_ = 0, high_ = 0;
    bool ranged_ = false, log_ = false;
    int cell_ = 0;
};

}  // namespace gradus::report
