// A report: one HTML file that needs nothing else.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "report/table.h"

namespace gradus::report {

// A page that grows from top to bottom. It follows light and dark, prints well, and forbids itself
// by a content policy to load anything and to run any script but that of an AttentionView. All text
// is escaped, wherever it comes from.
//
//     Page page("Lesson 03 · training");
//     page.heading("Loss").text("Adam, 10 epochs.").figure(plot.svg(), "Training loss.");
//     page.table(results).save("build/reports/03.html");
class Page {
public:
    explicit Page(std::string title, std::string subtitle = "");

    // A table right under the title, before everything else, whenever it is added.
    Page& summary(const Table& table);

    Page& heading(std::string_view text);
    Page& subheading(std::string_view text);
    Page& text(std::string_view paragraph);
    Page& preformatted(std::string_view text);
    Page& table(const Table& table);

    // A drawing of this room (its svg() or html(), put in as it is) with a caption.
    Page& figure(std::string_view drawing, std::string_view caption);

    // Drawings side by side where there is room: heads of an attention, say.
    Page& figures(const std::vector<std::string>& drawings, std::string_view caption);

    std::string html() const;

    // Errors as in write_file.
    void save(const std::filesystem::path& path) const;

private:
    std::string title_, subtitle_, summary_, body_;
};

// Writes the bytes beside `path` and renames, so that a reader finds the old file or the new one,
// whole. A missing folder is made. Errors name the file, the reason and the remedy.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace gradus::report
