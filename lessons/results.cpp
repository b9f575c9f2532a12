// The figures of a lesson: table, pass marks, bands of expected.json. Declared in common.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "lessons/common.h"
#include "report/text.h"

namespace gradus::lesson {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A value with its unit; `exact` drops zeros at the end, as for a limit that somebody chose.
std::string in_unit(double value, const std::string& unit, bool exact = false) {
    std::string text;
    if (unit == "%") {
        text = exact ? report::short_number(100 * value)
                     : fmt::format("{}{:.2f}", value < 0 ? "−" : "", std::abs(100 * value));
        if (!std::isfinite(value)) text = report::number(value);
    } else {
        text = exact ? report::short_number(value) : report::number(value);
    }
    return text + (unit.empty() ? "" : " " + unit);
}

}  // namespace

std::string Requirement::text(const std::string& unit) const {
    if (std::isinf(high)) return "≥ " + in_unit(low, unit, true);
    if (std::isinf(low)) return "≤ " + in_unit(high, unit, true);
    return report::short_number((unit == "%" ? 50 : 0.5) * (low + high)) + " ± " +
           in_unit((high - low) / 2, unit, true);
}

bool Requirement::met(double value) const { return value >= low && value <= high; }

Requirement at_least(double low) { return {low, std::numeric_limits<double>::infinity()}; }

Requirement at_most(double high) { return {-std::numeric_limits<double>::infinity(), high}; }

Requirement within(double target, double tolerance) {
    return {target - tolerance, target + tolerance};
}

Results::Results(const Options& options, const char* lesson_file) : options_(options) {
    read_bands(fs::path(lesson_file).parent_path() / "expected.json");
}

void Results::read_bands(const fs::path& file) {
    bands_.clear();
    std::ifstream in(file);
    if (!in) return;
    try {
        const Json json = Json::parse(in);
        const Json figures = json.value("figures", Json::object());
        for (const auto& [key, band] : figures.items()) {
            const Band read{band.at("low").get<double>(), band.at("high").get<double>(),
                            band.value("unit", "")};
            check(read.low <= read.high, "expected.json", "{}: \"{}\": low is above high",
                  file.string(), key);
            bands_[key] = read;
        }
    } catch (const Json::exception& error) {
        check(false, "expected.json", "{} has not the form that lessons/common.h describes: {}",
              file.string(), error.what());
    }
}

void Results::section(const std::string& heading, const std::string& unit) {
    section_ = heading;
    unit_ = unit;
}

void Results::add(const std::string& name, double value) {
    add_figure(name, value, unit_, std::nullopt);
}

void Results::add(const std::string& name, double value, const Requirement& requirement) {
    add_figure(name, value, unit_, requirement);
}

void Results::add(const std::string& name, double value, const std::string& unit) {
    add_figure(name, value, unit, std::nullopt);
}

void Results::add(const std::string& name, double value, const std::string& unit,
                  const Requirement& requirement) {
    add_figure(name, value, unit, requirement);
}

void Results::add_figure(const std::string& name, double value, const std::string& unit,
                         std::optional<Requirement> requirement) {
    const std::string key = section_.empty() ? name : section_ + ": " + name;
    const bool known = std::any_of(figures_.begin(), figures_.end(),
                                   [&](const Figure& figure) { return figure.key == key; });
    check(!known, "Results::add", "\"{}\" was added before; give each figure a name of its own",
          key);
    figures_.push_back({key, section_, name, unit, value, requirement});
}

std::string Results::compared(const Figure& figure) const {
    const auto band = bands_.find(figure.key);
    if (band == bands_.end() || !options_.is_default_run()) return "";
    const auto [low, high, unit] = band->second;
    std::string text =
        low == high ? in_unit(low, figure.unit)
                    : fmt::format("{} – {}", in_unit(low, figure.unit), in_unit(high, figure.unit));
    const std::string suffix = " " + figure.unit;
    const std::size_t first = text.find(suffix + " – ");
    if (!figure.unit.empty() && first != std::string::npos) text.erase(first, suffix.size());
    // A last digit that was rounded away is no difference.
    const double slack = 1e-6 * std::max(std::abs(low), std::abs(high));
    const bool inside = figure.value >= low - slack && figure.value <= high + slack;
    return text + (inside ? "" : "  (outside)");
}

report::Table Results::table() const {
    const bool marks = std::any_of(figures_.begin(), figures_.end(),
                                   [](const Figure& f) { return f.requirement.has_value(); });
    const bool bands = std::any_of(figures_.begin(), figures_.end(),
                                   [&](const Figure& f) { return !compared(f).empty(); });
    std::vector<std::string> headers = {"figure", "value"};
    if (bands) headers.push_back("seen over seeds");
    if (marks) headers.push_back("must be");
    report::Table table(options_.title.empty() ? "Results" : options_.title + ", results", headers);
    std::string section;
    for (const Figure& figure : figures_) {
        if (figure.section != section) table.section(figure.section);
        section = figure.section;
        std::vector<std::string> cells = {figure.name, in_unit(figure.value, figure.unit)};
        if (bands) cells.push_back(compared(figure));
        auto mark = report::Mark::none;
        if (figure.requirement) {
            mark = figure.requirement->met(figure.value) ? report::Mark::pass : report::Mark::fail;
        }
        if (marks) {
            cells.push_back(figure.requirement ? figure.requirement->text(figure.unit) : "");
        }
        table.row(std::move(cells), mark);
    }
    if (!bands_.empty() && !options_.is_default_run()) {
        table.note(
            "A shortened or lengthened run: its figures are not compared with other seeds'.");
    }
    return table;
}

bool Results::passed() const {
    return std::all_of(figures_.begin(), figures_.end(), [](const Figure& figure) {
        return !figure.requirement || figure.requirement->met(figure.value);
    });
}

int Results::finish(report::Page& page) const {
    const report::Table results = table();
    std::fflush(stderr);
    fmt::print("\n{}", results.text());
    std::fflush(stdout);
    if (!options_.figures.empty()) {
        Json json;
        json["title"] = options_.title;
        json["seed"] = options_.seed;
        for (const Figure& figure : figures_) {
            json["figures"][figure.key] = {{"value", figure.value}, {"unit", figure.unit}};
        }
        report::write_file(options_.figures, json.dump(2) + "\n");
    }
    page.summary(results).save(options_.report);
    fmt::print("\nThe report, for a browser: {}\n",
               fs::absolute(options_.report).lexically_normal().string());
    std::fflush(stdout);
    return passed() ? 0 : 1;
}

}  // namespace gradus::lesson
