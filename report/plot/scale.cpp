#include "report/plot/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "autograd/error.h"
#include "report/text.h"

namespace gradus::report {
namespace {

// The smallest of 1, 2, 5 times a power of ten that is at least `step`.
double nice_step(double step) {
    const double power = std::pow(10.0, std::floor(std::log10(step)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (step <= factor * power * (1 + 1e-9)) return factor * power;
    }
    return 10 * power;
}

// Labels of one axis agree in their number of decimals; very big or small ones get an exponent.
std::string linear_label(double value, double step, double largest) {
    if (std::abs(value) < step * 1e-9) return "0";
    const int digits = static_cast<int>(std::floor(std::log10(largest) + 1e-9)) -
                       static_cast<int>(std::floor(std::log10(step) + 1e-9)) + 1;
    if (largest >= 1e7 || largest < 1e-4) {
        // Not number(): all labels keep their trailing zeros.
        std::string text = fmt::format("{:.{}e}", std::abs(value), std::clamp(digits - 1, 0, 6));
        return (value < 0 ? "−" : "") + text;
    }
    const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
    if (decimals == 0) return number(std::round(value));
    return (value < 0 ? "−" : "") + fmt::format("{:.{}f}", std::abs(value), decimals);
}

std::string log_label(double value) {
    if (value >= 0.9e-3 && value < 0.9e5) return number(value, 1);
    const int power = static_cast<int>(std::floor(std::log10(value) + 1e-9));
    const double factor = value / std::pow(10.0, power);
    static constexpr std::array<std::string_view, 10> kRaised = {"⁰", "¹", "²", "³", "⁴",
                                                                 "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text = std::abs(factor - 1) < 1e-6 ? "10" : fmt::format("{:.0f}·10", factor);
    if (power < 0) text += "⁻";
    for (const char digit : fmt::format("{}", std::abs(power))) {
        text += kRaised[static_cast<std::size_t>(digit - '0')];
    }
    return text;
}

struct Ends {
    double low, high;
};

// Two different finite ends around what was given.
Ends usable(double low, double high) {
    if (!std::isfinite(low) || !std::isfinite(high)) return {0, 1};
    if (low > high) std::swap(low, high);
    // So close together that the ticks between could not be told apart.
    const double size = std::max(std::abs(low), std::abs(high));
    if (high - low <= size * 1e-12) {
        const double room = size > 0 ? size * 0.1 : 1;
        return {low - room, high + room};
    }
    return {low, high};
}

double step_between(const Ends& ends, int wanted) {
    // Divided first: the difference of the ends may be beyond a double.
    const int parts = std::max(wanted, 2);
    return nice_step(ends.high / parts - ends.low / parts);
}

std::vector<Tick> linear_ticks(double low, double high, double step) {
    std::vector<Tick> ticks;
    const double largest = std::max(std::abs(low), std::abs(high));
    const double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
    for (double i = first; i <= last && ticks.size() < 100; i += 1) {
        ticks.push_back({i * step, linear_label(i * step, step, largest)});
    }
    return ticks;
}

}  // namespace

Scale Scale::linear(double low, double high, int wanted) {
    const Ends ends = usable(low, high);
    const double step = step_between(ends, wanted);
    Scale scale;
    scale.low_ = std::floor(ends.low / step + 1e-9) * step;
    scale.high_ = std::ceil(ends.high / step - 1e-9) * step;
    scale.ticks_ = linear_ticks(scale.low_, scale.high_, step);
    return scale;
}

Scale Scale::linear_exact(double low, double high, int wanted) {
    const Ends ends = usable(low, high);
    Scale scale;
    scale.low_ = ends.low;
    scale.high_ = ends.high;
    scale.ticks_ = linear_ticks(ends.low, ends.high, step_between(ends, wanted));
    return scale;
}

Scale Scale::log(double low, double high, int wanted) {
    check(!(low <= 0), "Scale::log", "a logarithmic axis needs values above 0; its low end is {}",
          low);
    const bool finite = std::isfinite(low) && std::isfinite(high);
    const Ends ends = finite ? usable(low, high) : Ends{0.1, 1};
    Scale scale;
    scale.log_ = true;
    scale.low_ = ends.low;
    scale.high_ = ends.high;
    const double decades = std::log10(ends.high) - std::log10(ends.low);
    if (decades < 0.8) {
        scale.ticks_ = linear_ticks(ends.low, ends.high, step_between(ends, wanted));
        return scale;
    }
    const bool all_decades = decades > 2.5;  // else a 2 and a 5 have a label too
    const int every = std::max(1, static_cast<int>(std::ceil(decades / std::max(wanted, 2))));
    const double first = std::floor(std::log10(ends.low)), last = std::log10(ends.high);
    for (double power = first; power <= last; power += 1) {
        for (int factor = 1; factor <= 9; ++factor) {
            const double value = factor * std::pow(10.0, power);
            if (value < ends.low * (1 - 1e-9) || value > ends.high * (1 + 1e-9)) continue;
            const bool decade = factor == 1 && std::fmod(std::abs(power), every) == 0;
            const bool between = !all_decades && (factor == 2 || factor == 5);
            if (decade || between) {
                scale.ticks_.push_back({value, log_label(value)});
            } else if (every == 1 || factor == 1) {
                scale.ticks_.push_back({value, ""});
            }
        }
    }
    return scale;
}

double Scale::place(double value) const {
    if (log_) return (std::log(value) - std::log(low_)) / (std::log(high_) - std::log(low_));
    // Halves first: the difference of the ends may be beyond a double.
    return (value / 2 - low_ / 2) / (high_ / 2 - low_ / 2);
}

bool Scale::shows(double value) const { return std::isfinite(value) && (!log_ || value > 0); }

}  // namespace gradus::report
