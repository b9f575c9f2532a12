// What all drawings share: colours that follow light and dark, an SVG frame, widths of text.
//
// A drawing is an <svg> element whose colours are classes. Inside a Page the page's own style gives
// them; `save_svg` puts the style into the file, so that it can stand alone, in a README say.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gradus::report {

inline constexpr int kSeriesColours = 8;

// The CSS of every drawing: variables for light, dark and print, and the classes that use them.
std::string_view svg_style();

// <svg ...> to its end tag, of the given size in pixels, which shrinks with a narrow page.
// `description` is what a screen reader says; it is escaped here, `body` is not.
std::string svg_frame(double width, double height, std::string_view description,
                      std::string_view body);

// Writes the drawing as a file of its own. Errors as in write_file.
void save_svg(const std::filesystem::path& path, std::string_view svg);

// A coordinate in as few characters as a tenth of a pixel needs: 12.5, 7, -0.3.
std::string px(double value);

// About how wide a sans-serif font of this size sets the text, in pixels.
double text_width(std::string_view text, double font_size);

// The text cut to a width in pixels, with … in place of what is cut away.
std::string fit_pixels(std::string_view text, double font_size, double pixels);

// An <text> element; `anchor` is start, middle or end. The text is escaped here.
std::string svg_text(double x, double y, std::string_view classes, std::string_view anchor,
                     std::string_view text);

}  // namespace gradus::report
