// Text whose tokens are coloured by a number each: what a hidden unit says of each character.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace gradus::report {

// Lines of tokens in a typewriter's columns, each on a ground that shows its value: above 0 blue,
// below 0 orange, 0 the page's colour; the largest absolute value is the full colour. Pointing at a
// token shows its value. A token "\n" ends its line and is shown as ⏎; lines of more columns than
// there is room for go on in the next one.
//
//     ColouredText text("Unit 17", {"\"", "Y", "e", "s"}, values);
//     page.figure(text.columns(72).svg(), "Blue where a quotation is open.");
//
// Errors: as many values as tokens expected, all of them finite.
class ColouredText {
public:
    ColouredText(std::string title, std::vector<std::string> tokens,
                 std::span<const double> values);

    ColouredText& columns(std::size_t most);  // 80 if not given; at least 1, else an Error

    std::string svg() const;

private:
    std::string title_;
    std::vector<std::string> tokens_;
    std::vector<double> values_;
    std::size_t columns_ = 80;
};

}  // namespace gradus::report
