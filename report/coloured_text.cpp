#include "report/coloured_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/error.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kColumn = 8.6, kLine = 21, kFont = 13.5;  // pixels

}  // namespace

ColouredText::ColouredText(std::string title, std::vector<std::string> tokens,
                           std::span<const double> values)
    : title_(std::move(title)), tokens_(std::move(tokens)), values_(values.begin(), values.end()) {
    check(tokens_.size() == values_.size(), "ColouredText",
          "\"{}\": {} tokens and {} values; one for each expected", title_, tokens_.size(),
          values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i)
        check(std::isfinite(values_[i]), "ColouredText",
              "\"{}\": the value of token {} is {}; a finite number expected", title_, i,
              values_[i]);
}

ColouredText& ColouredText::columns(std::size_t most) {
    check(most >= 1, "ColouredText::columns", "at least 1 expected, got {}", most);
    columns_ = most;
    return *this;
}

std::string ColouredText::svg() const {
    double size = 0;
    for (const double value : values_) size = std::max(size, std::abs(value));
    const double top = title_.empty() ? 4 : 34;
    std::string body = title_.empty() ? "" : svg_text(0, 18, "title", "start", title_);
    std::size_t line = 0, column = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const bool ends = tokens_[i] == "\n";
        const std::string shown = ends ? "⏎" : tokens_[i];
        const std::size_t width = std::max<std::size_t>(1, display_width(shown));
        // A ⏎ may stand beyond the edge: it would look odd alone on a line.
        if (column > 0 && column + width > columns_ && !ends) ++line, column = 0;
        const double x = kColumn * static_cast<double>(column);
        const double y = top + kLine * static_cast<double>(line);
        const double strong = size > 0 ? values_[i] / size : 0;
        body += fmt::format(
            "<rect class=\"cell mark{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
            "fill-opacity=\"{:.2f}\"><title>{}: {}</title></rect>\n",
            strong < 0 ? " below" : "", px(x), px(y), px(kColumn * static_cast<double>(width)),
            px(kLine - 2), 0.8 * std::abs(strong), escape(shown), number(values_[i], 3));
        if (shown.find_first_not_of(' ') != shown.npos)
            body += fmt::format(
                "<text class=\"{}\" style=\"font-family:ui-monospace,'DejaVu Sans Mono',monospace;"
                "font-size:{}px;pointer-events:none\" x=\"{}\" y=\"{}\">{}</text>\n",
                ends ? "soft" : "", kFont, px(x + 0.3), px(y + 14.5), escape(shown));
        column += width;
        if (ends) ++line, column = 0;
    }
    const double lines = static_cast<double>(line + (column > 0));
    return svg_frame(
        std::max(kColumn * static_cast<double>(columns_ + 1), text_width(title_, 15.5)),
        top + kLine * lines + 4, fmt::format("{}: {} tokens", title_, tokens_.size()), body);
}

}  // namespace gradus::report
