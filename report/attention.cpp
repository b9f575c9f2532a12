#include "report/attention.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "autograd/error.h"
#include "report/text.h"

namespace gradus::report {
namespace {

using nlohmann::json;

constexpr double kLargest = 65534;        // a weight of 1 in 16 bits
constexpr unsigned kNotFinite = 65535;    // and one that is no number
constexpr double kRounding = 1e-4;        // of sums in float32
constexpr std::size_t kLongestName = 96;  // in columns

// Of bytes that are no UTF-8 the page says so with U+FFFD.
std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A token as its label: one of blanks alone would not be seen.
std::string visible(const std::string& token) {
    if (token.find_first_not_of(" \t\r\n") != token.npos) return token;
    if (token.empty()) return "∅";
    std::string signs;
    for (const char c : token) signs += c == ' ' ? "␣" : c == '\t' ? "⇥" : "↵";
    return signs;
}

std::vector<std::string> visible(const std::vector<std::string>& tokens) {
    std::vector<std::string> labels;
    for (const std::string& token : tokens) labels.push_back(visible(token));
    return labels;
}

std::string joined(const std::vector<std::string>& tokens) {
    std::string text;
    for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
    return text;
}

// 16 bits a weight, the low byte first, in base 64.
std::string packed(const AttentionGroup& group) {
    const std::size_t columns = group.columns.size(), map = group.rows.size() * columns;
    std::string bytes;
    bytes.reserve(2 * group.weights.size());
    for (std::size_t i = 0; i < group.weights.size(); ++i) {
        const double w = group.weights[i];
        check(!std::isfinite(w) || (w >= -kRounding && w <= 1 + kRounding), "AttentionView::add",
              "{}, layer {}, head {}: the weight at [{}, {}] is {}; 0 to 1 expected (after the "
              "softmax, without dropout)",
              group.name, i / map / group.heads + 1, i / map % group.heads + 1, i % map / columns,
              i % columns, w);
        const unsigned bits =
            std::isfinite(w)
                ? static_cast<unsigned>(std::lround(std::fmin(std::fmax(w, 0), 1) * kLargest))
                : kNotFinite;
        bytes += static_cast<char>(bits & 0xFFu);
        bytes += static_cast<char>(bits >> 8u);
    }
    return base64(bytes);
}

}  // namespace

AttentionView::AttentionView(std::string title) : title_(std::move(title)) {}

AttentionView& AttentionView::add(const std::vector<AttentionGroup>& groups, std::string name) {
    constexpr auto kWhat = "AttentionView::add";
    check(!groups.empty(), kWhat, "\"{}\": no maps; one group or more expected", title_);
    std::vector<Kind> kinds;
    json maps = json::array();
    for (const AttentionGroup& group : groups) {
        const std::size_t rows = group.rows.size(), columns = group.columns.size();
        check(rows > 0 && columns > 0 && group.layers > 0 && group.heads > 0, kWhat,
              "{}: {} layers of {} heads over {} rows and {} columns; at least one of each "
              "expected",
              group.name, group.layers, group.heads, rows, columns);
        check(group.weights.size() == group.layers * group.heads * rows * columns, kWhat,
              "{}: {} weights, but [layers, heads, rows, columns] = [{}, {}, {}, {}] has {}",
              group.name, group.weights.size(), group.layers, group.heads, rows, columns,
              group.layers * group.heads * rows * columns);
        kinds.push_back({group.name, group.layers, group.heads});
        maps.push_back({{"name", group.name},
                        {"layers", group.layers},
                        {"heads", group.heads},
                        {"axes", {group.row_axis, group.column_axis}},
                        {"rows", visible(group.rows)},
                        {"columns", visible(group.columns)},
                        {"weights", packed(group)}});
    }
    const auto list = [](const std::vector<Kind>& all) {
        std::string text;
        for (const Kind& kind : all)
            text += fmt::format("{}{} [{}, {}]", text.empty() ? "" : ", ", kind.name, kind.layers,
                                kind.heads);
        return text;
    };
    check(kinds_.empty() || kinds == kinds_, kWhat,
          "\"{}\": the groups [layers, heads] are {}; those of the first sentence, {}, expected",
          title_, list(kinds), list(kinds_));
    kinds_ = std::move(kinds);
    if (name.empty()) {
        const AttentionGroup& last = groups.back();
        name = joined(last.columns);
        if (last.rows != last.columns) name += " → " + joined(last.rows);
    }
    if (!sentences_.empty()) sentences_ += ',';
    sentences_ += dump({{"name", fit(name, kLongestName)}, {"groups", std::move(maps)}});
    return *this;
}

std::string AttentionView::html() const {
    check(!sentences_.empty(), "AttentionView::html", "\"{}\" has no sentence; add() one", title_);
    const std::string view =
        fmt::format("{{\"title\":{},\"sentences\":[{}]}}", dump(title_), sentences_);
    return fmt::format(
        "<div class=\"attention\" data-view=\"{}\"><noscript><p class=\"note\">These maps are "
        "drawn "
        "by a script inside of this file, and scripts are switched off here.</p></noscript></div>"
        "\n",
        escape(view));
}

}  // namespace gradus::report
