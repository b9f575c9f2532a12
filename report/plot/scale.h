// Axes: where the ticks stand, what they say, and where a value lies between the ends.
#pragma once

#include <string>
#include <vector>

namespace gradus::report {

struct Tick {
    double value;
    std::string label;  // empty: a line of the grid without a label
};

// One axis of a plot. Linear ticks are 1, 2 or 5 times a power of ten apart; logarithmic ones stand
// on the decades, and on 2 and 5 of each where these are few. Ends that are equal are moved apart;
// ends that are not finite, when there is no data, give an axis of some kind. `wanted` is about the
// number of labels that there is room for.
class Scale {
public:
    // From the tick at or below `low` to the tick at or above `high`.
    static Scale linear(double low, double high, int wanted = 6);

    // From low to high as they are.
    static Scale linear_exact(double low, double high, int wanted = 6);

    // From low to high as they are; low > 0, else an Error.
    static Scale log(double low, double high, int wanted = 6);

    // 0 at the low end, 1 at the high end; beyond them outside of the axis.
    double place(double value) const;

    // Can the value stand on this axis? Finite, and above 0 if it is logarithmic.
    bool shows(double value) const;

    const std::vector<Tick>& ticks() const { return ticks_; }
    double low() const { return low_; }
    double high() const { return high_; }
    bool is_log() const { return log_; }

private:
    double low_ = 0;
    double high_ = 1;
    bool log_ = false;
    std::vector<Tick> ticks_;
};

}  // namespace gradus::report
