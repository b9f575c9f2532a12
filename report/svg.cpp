#include "report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "autograd/error.h"
#include "report/html.h"
#include "report/text.h"

namespace gradus::report {

// A page narrower than this share of a drawing scrolls it instead of making it illegible.
constexpr double kLeastScale = 0.6;

constexpr double kMargin = 16;  // around a drawing that stands alone

std::string_view svg_style() {
    // Series colours after Okabe and Ito, told apart with every kind of colour vision; the dark set
    // is the same hues, lighter. The yellow of the original is left out: it vanishes on white.
    static constexpr std::string_view kStyle = R"(
:root {
  --paper: #ffffff; --ink: #1f2328; --soft: #656d76; --grid: #e6e8eb; --line: #b6bcc3;
  --s0: #0067a5; --s1: #d1500a; --s2: #00855f; --s3: #a3478c;
  --s4: #b67a00; --s5: #3c9bd0; --s6: #7a4b1f; --s7: #5b5f66;
  --pass: #00704f; --fail: #c0310a; --leaf: #e7f1f8; --op: #f5f6f8; --output: #fdeee4;
}
@media (prefers-color-scheme: dark) { :root {
  --paper: #15181c; --ink: #e4e7eb; --soft: #9aa3ad; --grid: #2a2f36; --line: #545c66;
  --s0: #5ab0e6; --s1: #f58a4b; --s2: #3cc79a; --s3: #e08ccb;
  --s4: #e9b949; --s5: #a3d8f7; --s6: #c99a6b; --s7: #aab1ba;
  --pass: #4bd1a0; --fail: #ff8a66; --leaf: #16303f; --op: #21262c; --output: #3d2719;
} }
@media print { :root {
  --paper: #ffffff; --ink: #000000; --soft: #444444; --grid: #dddddd; --line: #888888;
  --s0: #0067a5; --s1: #d1500a; --s2: #00855f; --s3: #a3478c;
  --s4: #b67a00; --s5: #3c9bd0; --s6: #7a4b1f; --s7: #5b5f66;
  --pass: #00704f; --fail: #c0310a; --leaf: #e7f1f8; --op: #f5f6f8; --output: #fdeee4;
} }
.g { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
  font-size: 12px; font-variant-numeric: tabular-nums; -webkit-print-color-adjust: exact;
  print-color-adjust: exact; }
.g text { fill: var(--ink); }
.g .title { font-size: 15px; font-weight: 600; }
.g .soft { fill: var(--soft); }
.g .small { font-size: 11px; }
.g .invert { fill: var(--paper); }
.g .paper { fill: var(--paper); }
.g .grid { stroke: var(--grid); stroke-width: 1; fill: none; shape-rendering: crispEdges; }
.g .axis { stroke: var(--line); stroke-width: 1; fill: none; shape-rendering: crispEdges; }
.g .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.g .pale { stroke-width: .75; stroke-opacity: .28; }
.g .ring { fill: var(--paper); stroke-width: 2; }
.g .level { fill: none; stroke-width: 1.5; stroke-dasharray: 6 4; }
.g .area { stroke: none; fill-opacity: .2; }
.g .dot { stroke: var(--paper); stroke-width: 1; }
.g .contour { fill: var(--s0); fill-opacity: .055; stroke: var(--s0); stroke-opacity: .4;
  stroke-width: .7; }
.g .cell { fill: var(--s0); } .g .cell.below { fill: var(--s1); }
.g .hit { fill: transparent; stroke: none; }
.g .tip { visibility: hidden; pointer-events: none; }
.g .hover:hover .tip { visibility: visible; }
.g .tip line { stroke: var(--soft); stroke-width: 1; }
.g .mark:hover { stroke: var(--ink); stroke-width: 1.5; }
.g .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
.g .box { stroke: var(--line); stroke-width: 1; }
.g .leaf { fill: var(--leaf); stroke: var(--s0); } .g .op { fill: var(--op); }
.g .output { fill: var(--output); stroke: var(--s1); }
.g .edge { fill: none; stroke: var(--line); stroke-width: 1.3; }
.g .head { fill: var(--line); }
.g .c0 { stroke: var(--s0); } .g .c1 { stroke: var(--s1); } .g .c2 { stroke: var(--s2); }
.g .c3 { stroke: var(--s3); } .g .c4 { stroke: var(--s4); } .g .c5 { stroke: var(--s5); }
.g .c6 { stroke: var(--s6); } .g .c7 { stroke: var(--s7); }
.g .f0 { fill: var(--s0); } .g .f1 { fill: var(--s1); } .g .f2 { fill: var(--s2); }
.g .f3 { fill: var(--s3); } .g .f4 { fill: var(--s4); } .g .f5 { fill: var(--s5); }
.g .f6 { fill: var(--s6); } .g .f7 { fill: var(--s7); }
)";
    return kStyle;
}

std::string svg_frame(double width, double height, std::string_view description,
                      std::string_view body) {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"g\" role=\"img\" aria-label=\"{4}\" "
        "width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "style=\"min-width:{2}px\">\n{3}</svg>\n",
        px(width), px(height), px(width * kLeastScale), body, escape(description));
}

void save_svg(const std::filesystem::path& path, std::string_view svg) {
    // svg_frame writes width="W" height="H"; around that goes a margin of the page's colour.
    const auto size = [&](std::string_view name) {
        const std::string key = fmt::format(" {}=\"", name);
        const std::size_t at = svg.find(key);
        check(svg.starts_with("<svg") && at != svg.npos, "save_svg",
              "{}: this is no drawing of svg_frame's form", path.string());
        return std::stod(std::string(svg.substr(at + key.size(), 12)));
    };
    const double width = size("width") + 2 * kMargin, height = size("height") + 2 * kMargin;
    write_file(path,
               fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"g\" width=\"{0}\" "
                           "height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n<style>{2}</style>\n"
                           "<rect class=\"paper\" width=\"{0}\" height=\"{1}\"/>\n"
                           "<g transform=\"translate({3} {3})\">\n{4}</g>\n</svg>\n",
                           px(width), px(height), svg_style(), px(kMargin), svg));
}

std::string px(double value) {
    std::string text = fmt::format("{:.1f}", value);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double font_size) {
    // After DejaVu Sans, which is wider than most: what fits it fits the others.
    const auto among = [](char c, std::string_view set) { return set.find(c) != set.npos; };
    double ems = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0u) == 0x80u) continue;  // the rest of a character beyond ASCII
        if (byte >= 0xE3u) {
            ems += 1;
        } else if (among(c, " .,:;'!|ilj")) {
            ems += 0.32;
        } else if (among(c, "tfrI()[]/-")) {
            ems += 0.4;
        } else if (among(c, "sczkvxy")) {
            ems += 0.56;
        } else if (among(c, "mwMW@%")) {
            ems += 0.95;
        } else {
            ems += (c >= 'A' && c <= 'Z') || byte >= 0x80u ? 0.7 : 0.635;
        }
    }
    return ems * font_size;
}

std::string fit_pixels(std::string_view text, double font_size, double pixels) {
    if (text_width(text, font_size) <= pixels) return std::string(text);
    std::size_t columns = display_width(text);
    while (columns > 1 && text_width(fit(text, columns), font_size) > pixels) --columns;
    return fit(text, columns);
}

std::string svg_text(double x, double y, std::string_view classes, std::string_view anchor,
                     std::string_view text) {
    return fmt::format("<text x=\"{}\" y=\"{}\"{}{}>{}</text>\n", px(x), px(y),
                       classes.empty() ? "" : fmt::format(" class=\"{}\"", classes),
                       anchor == "start" ? "" : fmt::format(" text-anchor=\"{}\"", anchor),
                       escape(text));
}

}  // namespace gradus::report
