// Text that is shown to people: widths on a terminal, escaping for HTML and SVG, numbers, times.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gradus::report {

// Columns that UTF-8 text takes on a terminal: combining marks take none, East Asian wide
// characters and emoji two. A byte that is no UTF-8 counts as one.
std::size_t display_width(std::string_view text);

// The text cut to at most `columns`, with … in place of what is cut away.
std::string fit(std::string_view text, std::size_t columns);

// The text filled up with spaces to `columns`; longer text is left as it is.
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);

// Safe as text and as a quoted attribute of HTML and XML: & < > " ' are written as entities;
// control characters and bytes that are no UTF-8 become U+FFFD.
std::string escape(std::string_view text);

// A number for reading, to `digits` significant digits: 0.3125, 1,048,576, 3.2e-09, NaN, −∞.
// Whole numbers below 1e15 are written out in full.
std::string number(double value, int digits = 4);

// As number, without zeros at the end of a fraction: 0.98, 1.5.
std::string short_number(double value, int digits = 4);

// Seconds for reading: 0.8 s, 42 s, 3:07, 1:02:45.
std::string duration(double seconds);

// The bytes in base 64, as in a data: address.
std::string base64(std::string_view bytes);

}  // namespace gradus::report
