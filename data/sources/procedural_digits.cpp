#include "data/sources/procedural_digits.h"

#include <array>
#include <cmath>
#include <vector>

#include "autograd/parallel.h"
#include "autograd/random.h"

namespace gradus::data {
namespace {

constexpr int kSide = 28;
constexpr int kBends = 8;  // straight pieces that a curve is drawn with

struct Point {
    double x, y;  // in a box 0 ... 1 wide and high, y down
};

// A stroke: quadratic Bézier curves start, control, end = start, control, end ... A control point
// midway between its neighbours makes a straight line.
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// clang-format off
const std::array<Glyph, 10> kGlyphs{{
    {{{.5, 0}, {.1, 0}, {.1, .5}, {.1, 1}, {.5, 1}, {.9, 1}, {.9, .5}, {.9, 0}, {.5, 0}}},
    {{{.3, .2}, {.42, .15}, {.55, 0}, {.55, .5}, {.55, 1}}},
    {{{.12, .25}, {.2, 0}, {.5, 0}, {.88, 0}, {.85, .3}, {.8, .55}, {.1, 1}, {.5, 1}, {.9, 1}}},
    {{{.15, .1}, {.4, -.05}, {.65, .05}, {.9, .2}, {.75, .38}, {.65, .48}, {.4, .48}},
     {{.4, .48}, {.85, .48}, {.85, .75}, {.8, 1}, {.45, 1}, {.2, 1}, {.1, .85}}},
    {{{.65, 1}, {.65, .5}, {.65, 0}, {.35, .35}, {.08, .7}, {.5, .7}, {.92, .7}}},
    {{{.85, 0}, {.5, 0}, {.22, 0}, {.2, .2}, {.18, .45}, {.35, .4}, {.85, .35}, {.85, .68},
      {.8, 1}, {.45, 1}, {.25, 1}, {.1, .88}}},
    {{{.75, .02}, {.3, .15}, {.17, .6}, {.1, 1}, {.5, 1}, {.85, 1}, {.85, .7}, {.8, .45},
      {.5, .45}, {.25, .45}, {.17, .68}}},
    {{{.1, 0}, {.5, 0}, {.9, 0}, {.6, .4}, {.4, 1}}},
    {{{.5, .47}, {.15, .42}, {.2, .2}, {.25, 0}, {.5, 0}, {.8, 0}, {.8, .2}, {.8, .42}, {.5, .47},
      {.1, .52}, {.12, .76}, {.15, 1}, {.5, 1}, {.88, 1}, {.88, .76}, {.88, .52}, {.5, .47}}},
    {{{.83, .32}, {.75, .55}, {.5, .55}, {.15, .55}, {.15, .3}, {.2, 0}, {.5, 0}, {.85, 0},
      {.83, .32}, {.83, .7}, {.6, 1}}},
}};
// clang-format on

// Everything that differs from one picture to the next, in pixels around the centre.
class Hand {
public:
    Hand(Rng& rng, double wildness) : rng_(rng), wildness_(wildness) {
        const double turn = spread(0.3), slant = spread(0.35);
        const double wide = 12 * (1 + spread(0.3)), high = 18 * (1 + spread(0.22));
        const double c = std::cos(turn), s = std::sin(turn);
        xx_ = c * wide, xy_ = (c * slant - s) * high;
        yx_ = s * wide, yy_ = (s * slant + c) * high;
        x_ = kSide / 2.0 + spread(3.5), y_ = kSide / 2.0 + spread(3);
        pen_ = 1.15 + spread(0.55);
    }

    // A control point, moved a little and put onto the paper.
    Point place(Point p) {
        const double x = p.x - 0.5 + spread(0.08), y = p.y - 0.5 + spread(0.08);
        return {x_ + xx_ * x + xy_ * y, y_ + yx_ * x + yy_ * y};
    }
    double pen() const { return pen_; }

private:
    double spread(double limit) { return wildness_ * limit * (2 * rng_.uniform() - 1); }

    Rng& rng_;
    double wildness_;
    double xx_, xy_, yx_, yy_, x_, y_, pen_;
};

double distance(Point p, Point a, Point b) {
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    const double along =
        length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
    const double x = p.x - a.x - along * dx, y = p.y - a.y - along * dy;
    return std::sqrt(x * x + y * y);
}

// A straight line of the pen: full ink inside its radius, fading out over one pixel.
void draw_line(float* pixels, Point a, Point b, double pen) {
    const auto clip = [](double v) { return static_cast<int>(std::clamp(v, 0.0, kSide - 1.0)); };
    const double reach = pen + 1;
    for (int y = clip(std::min(a.y, b.y) - reach); y <= clip(std::max(a.y, b.y) + reach); ++y) {
        for (int x = clip(std::min(a.x, b.x) - reach); x <= clip(std::max(a.x, b.x) + reach); ++x) {
            const double away = distance({x + 0.5, y + 0.5}, a, b);
            const double ink = std::clamp(pen + 0.5 - away, 0.0, 1.0);
            float& pixel = pixels[y * kSide + x];
            pixel = std::max(pixel, static_cast<float>(ink));
        }
    }
}

void draw(float* pixels, int digit, Rng& rng, const ProceduralDigits& options) {
    std::fill_n(pixels, kSide * kSide, 0.0f);
    Hand hand(rng, options.wildness);
    for (const Stroke& stroke : kGlyphs[static_cast<size_t>(digit)]) {
        Point start = hand.place(stroke[0]);
        for (size_t i = 1; i + 1 < stroke.size(); i += 2) {
            const Point control = hand.place(stroke[i]), end = hand.place(stroke[i + 1]);
            Point from = start;
            for (int bend = 1; bend <= kBends; ++bend) {
                const double t = static_cast<double>(bend) / kBends, r = 1 - t;
                const Point to{r * r * start.x + 2 * r * t * control.x + t * t * end.x,
                               r * r * start.y + 2 * r * t * control.y + t * t * end.y};
                draw_line(pixels, from, to, hand.pen());
                from = to;
            }
            start = end;
        }
    }
    for (int i = 0; i < kSide * kSide; ++i) {
        const double noisy = static_cast<double>(pixels[i]) + options.noise * rng.normal();
        pixels[i] = static_cast<float>(std::clamp(noisy, 0.0, 1.0));
    }
}

}  // namespace

Images procedural_digits(int64_t count, const ProceduralDigits& options) {
    check(count >= 1, "procedural_digits", "{} pictures asked for; at least 1 expected", count);
    Images images{Tensor::empty({count, kSide * kSide}), Tensor::empty({count}, Dtype::i32), kSide,
                  kSide, 10};
    float* pixels = images.pixels.data<float>();
    int32_t* labels = images.labels.data<int32_t>();
    const uint64_t start = Rng(options.seed).state();
    parallel_for(count, 64, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            Rng rng(Rng::at(start, static_cast<uint64_t>(i)));
            labels[i] = static_cast<int32_t>(rng.below(10));
            draw(pixels + i * kSide * kSide, labels[i], rng, options);
        }
    });
    return images;
}

}  // namespace gradus::data
