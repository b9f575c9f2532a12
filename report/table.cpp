#include "report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "autograd/error.h"
#include "report/text.h"

namespace gradus::report {
namespace {

// Does the cell begin like a number: 12, −3.5, ≥ 97.5 %, 0.1–0.2?
bool is_numeric(std::string_view cell) {
    for (const std::string_view sign : {"≥ ", "≤ ", "± ", "−", "-", "+", "<", ">"}) {
        if (cell.starts_with(sign)) cell.remove_prefix(sign.size());
    }
    return cell == "∞" || cell == "NaN" ||
           (!cell.empty() && std::isdigit(static_cast<unsigned char>(cell[0])));
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string line;
    for (std::size_t i = 0; i < times; ++i) line += text;
    return line;
}

std::string trimmed(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

std::string to_string(Mark mark) {
    if (mark == Mark::none) return "";
    return mark == Mark::pass ? "✓ pass" : "✗ FAIL";
}

Table::Table(std::string title, std::vector<std::string> headers)
    : title_(std::move(title)), headers_(std::move(headers)) {
    check(!headers_.empty(), "Table", "a table needs at least one header");
}

Table& Table::row(std::vector<std::string> cells, Mark mark) {
    check(cells.size() == headers_.size(), "Table::row", "{} cells under {} headers in \"{}\"",
          cells.size(), headers_.size(), title_);
    rows_.push_back({std::move(cells), mark, false});
    return *this;
}

Table& Table::section(std::string heading) {
    rows_.push_back({{std::move(heading)}, Mark::none, true});
    return *this;
}

Table& Table::note(std::string line) {
    notes_.push_back(std::move(line));
    return *this;
}

bool Table::marked() const {
    return std::any_of(rows_.begin(), rows_.end(),
                       [](const Row& row) { return row.mark != Mark::none; });
}

std::vector<bool> Table::flush_right() const {
    std::vector<bool> right(headers_.size(), false);
    for (std::size_t c = 0; c < headers_.size(); ++c) {
        bool numbers = false, words = false;
        for (const Row& row : rows_) {
            if (row.section || row.cells[c].empty()) continue;
            (is_numeric(row.cells[c]) ? numbers : words) = true;
        }
        right[c] = numbers && !words;
    }
    return right;
}

std::string Table::text() const {
    const std::vector<bool> right = flush_right();
    std::vector<std::size_t> widths;
    for (const std::string& header : headers_) widths.push_back(display_width(header));
    bool sections = false;
    for (const Row& row : rows_) {
        sections = sections || row.section;
        for (std::size_t c = 0; c < row.cells.size() && !row.section; ++c) {
            widths[c] = std::max(widths[c], display_width(row.cells[c]));
        }
    }
    const std::string indent = sections ? "  " : "";
    const auto line = [&](const std::vector<std::string>& cells, const std::string& last) {
        std::string text = "  " + indent;
        for (std::size_t c = 0; c < cells.size(); ++c) {
            text += right[c] ? pad_left(cells[c], widths[c]) : pad_right(cells[c], widths[c]);
            text += "   ";
        }
        return trimmed(text + last) + "\n";
    };
    std::size_t total = indent.size() + 3 * (widths.size() - 1) + (marked() ? 9 : 0);
    for (const std::size_t width : widths) total += width;

    std::string text = title_.empty() ? "" : title_ + "\n";
    text += line(headers_, "") + "  " + repeat("─", total) + "\n";
    for (const Row& row : rows_) {
        text += row.section ? "  " + row.cells[0] + "\n" : line(row.cells, to_string(row.mark));
    }
    for (const std::string& note : notes_) text += "  " + note + "\n";
    return text;
}

std::string Table::html() const {
    const std::vector<bool> right = flush_right();
    const bool marks = marked();
    const auto cell = [&](std::string_view tag, std::size_t c, std::string_view text) {
        return fmt::format("<{}{}>{}</{}>", tag, right[c] ? " class=\"number\"" : "", escape(text),
                           tag);
    };
    std::string html = "<div class=\"wide\"><table>\n";
    if (!title_.empty()) html += fmt::format("<caption>{}</caption>\n", escape(title_));
    html += "<thead><tr>";
    for (std::size_t c = 0; c < headers_.size(); ++c) html += cell("th", c, headers_[c]);
    html += marks ? "<th></th></tr></thead>\n<tbody>\n" : "</tr></thead>\n<tbody>\n";
    for (const Row& row : rows_) {
        if (row.section) {
            html += fmt::format("<tr class=\"section\"><th colspan=\"{}\">{}</th></tr>\n",
                                headers_.size() + (marks ? 1 : 0), escape(row.cells[0]));
            continue;
        }
        html += "<tr>";
        for (std::size_t c = 0; c < row.cells.size(); ++c) html += cell("td", c, row.cells[c]);
        if (marks) {
            const std::string_view name = row.mark == Mark::none   ? ""
                                          : row.mark == Mark::pass ? " class=\"pass\""
                                                                   : " class=\"fail\"";
            html += fmt::format("<td{}>{}</td>", name, to_string(row.mark));
        }
        html += "</tr>\n";
    }
    html += "</tbody>\n</table></div>\n";
    for (const std::string& note : notes_) {
        html += fmt::format("<p class=\"note\">{}</p>\n", escape(note));
    }
    return html;
}

}  // namespace gradus::report
