// Dates as people write them, and as ISO 8601 does.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/random.h"
#include "data/pairs/pairs.h"

namespace gradus::data {

/// Days from 1950-01-01 to 2049-12-31 in twenty styles of English, each of which tells the day
/// without doubt: in numbers the day is first, unless a year of four digits is; a year of two digits
/// is 1950 ... 2049; a weekday is that of the day.
///
///     "Thursday, 3 May 1979" -> "1979-05-03"
class Dates {
public:
    static constexpr int64_t kStyles = 20;

    /// Every style is equally likely, then every day.
    static Pair sample(Rng& rng);
    static std::vector<Pair> sample(Rng& rng, int64_t count);

    /// A day in one of the styles, 0 ... kStyles - 1.
    static std::string write(std::chrono::year_month_day day, int64_t style);
    /// 1979-05-03
    static std::string iso(std::chrono::year_month_day day);

    /// The one right target, read from any of the styles. Throws Error where a text is no date in
    /// one of them, there is no such day, or it has another weekday.
    static std::string solution(std::string_view text);
};

}  // namespace gradus::data
