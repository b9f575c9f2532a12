// The table of results that every lesson prints, as plain text and as HTML.
#pragma once

#include <string>
#include <vector>

namespace gradus::report {

// What became of a row's pass mark.
enum class Mark { none, pass, fail };

// "✓ pass", "✗ FAIL" or nothing.
std::string to_string(Mark mark);

// Rows under headers. Columns whose cells are all numbers are set flush right.
//
//     Table table("mnist, test accuracy", {"line", "value", "must be"});
//     table.row({"chance", "10.0 %", ""});
//     table.row({"ours: 784-256-10", "98.1 %", "≥ 97.5 %"}, Mark::pass);
//     fmt::print("{}", table.text());
class Table {
public:
    Table(std::string title, std::vector<std::string> headers);

    // One cell a header, else an Error; a mark adds a last column of its own.
    Table& row(std::vector<std::string> cells, Mark mark = Mark::none);

    // A heading across all columns, over the rows that follow.
    Table& section(std::string heading);

    // A line below the table.
    Table& note(std::string line);

    std::string text() const;  // ends with a newline
    std::string html() const;  // a <table>; everything in it is escaped

    const std::string& title() const { return title_; }
    std::size_t rows() const { return rows_.size(); }

private:
    struct Row {
        std::vector<std::string> cells;  // a section has one cell
        Mark mark = Mark::none;
        bool section = false;
    };
    bool marked() const;
    std::vector<bool> flush_right() const;

    std::string title_;
    std::vector<std::string> headers_;
    std::vector<Row> rows_;
    std::vector<std::string> notes_;
};

}  // namespace gradus::report
