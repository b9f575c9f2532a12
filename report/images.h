// Small grey pictures with captions, side by side: digits, filters, weights.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/table.h"

namespace gradus::report {

// A grey picture of 8 bits a pixel as the bytes of a PNG file. pixels: [height, width]; `low` is
// black and `high` is white, beyond them is cut, NaN is black.
std::string png(std::span<const double> pixels, int height, int width, double low = 0,
                double high = 1);

// A grid of pictures.
//
//     Images images("Wrongly read");
//     for (...) images.add(pixels, 28, 28, "3, read as 8", Mark::fail);
//     page.figure(images.html(), "The 24 worst.");
class Images {
public:
    explicit Images(std::string title) : title_(std::move(title)) {}

    // Errors: a number of pixels other than height x width, a size that is not positive.
    Images& add(std::span<const double> pixels, int height, int width, std::string caption,
                Mark mark = Mark::none, double low = 0, double high = 1);

    // The longer side of each picture in pixels of the page; 72 if not given.
    Images& display_size(int pixels);

    std::string html() const;

private:
    struct Item {
        std::string png;
        int height, width;
        std::string caption;
        Mark mark;
    };
    std::string title_;
    std::vector<Item> items_;
    int display_size_ = 72;
};

}  // namespace gradus::report
