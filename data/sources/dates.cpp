#include "data/sources/dates.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "autograd/error.h"

namespace gradus::data {
namespace {

using std::chrono::sys_days, std::chrono::year_month_day;

constexpr std::array<std::string_view, Dates::kStyles> kStyleForms{
    "{day} {Month} {year}",
    "{Month} {day}, {year}",
    "{Month} {nth}, {year}",
    "{nth} {Month} {year}",
    "the {nth} of {Month} {year}",
    "{Month} the {nth}, {year}",
    "{Weekday}, {day} {Month} {year}",
    "{Weekday}, {Month} {nth}, {year}",
    "{Weekday} the {nth} of {Month}, {year}",
    "{Wkd} {day} {Mon} {year}",
    "{day} {Mon} {year}",
    "{Mon} {day} '{yy:02}",
    "{day}-{Mon}-{year}",
    "{day} {MONTH} {year}",
    "{day}.{roman}.{year}",
    "{day}/{month}/{year}",
    "{day:02}/{month:02}/{yy:02}",
    "{day:02}.{month:02}.{year}",
    "{year}/{month:02}/{day:02}",
    "{year}{month:02}{day:02}"};

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 12> kRoman{"I",   "II",   "III", "IV", "V",  "VI",
                                                  "VII", "VIII", "IX",  "X",  "XI", "XII"};
constexpr std::array<std::string_view, 7> kWeekdays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};

const sys_days kFirst = std::chrono::year(1950) / 1 / 1, kLast = std::chrono::year(2049) / 12 / 31;

std::string upper(std::string_view text) {
    std::string result;
    for (const char c : text)
        result += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

std::string ordinal(unsigned day) {
    const unsigned last = 11 <= day && day <= 13 ? 0 : day % 10;
    return fmt::format("{}{}", day, last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

// What a text says, without regard to its style: a month as a word, and numbers in their order.
struct Reading {
    unsigned month = 0;  // 1 ... 12; 0 where no word names it
    std::vector<std::string> numbers;

    explicit Reading(std::string_view text) {
        for (size_t begin = 0; begin < text.size();) {
            const auto kind = [&](size_t i) {
                const auto c = static_cast<unsigned char>(text[i]);
                return std::isdigit(c) ? 1 : std::isalpha(c) ? 2 : 0;
            };
            size_t end = begin + 1;
            while (end < text.size() && kind(end) == kind(begin)) ++end;
            const std::string_view part = text.substr(begin, end - begin);
            if (kind(begin) == 1) numbers.emplace_back(part);
            if (kind(begin) == 2) read_month(part);
            begin = end;
        }
        if (numbers.size() == 1 && numbers[0].size() == 8)
            numbers = {numbers[0].substr(0, 4), numbers[0].substr(4, 2), numbers[0].substr(6)};
    }

    // No date where the parts are not those of one.
    year_month_day date() const {
        const bool year_first = !numbers.empty() && numbers[0].size() == 4;
        if (numbers.size() != (month ? 2 : 3) || (month && year_first)) return {};
        for (const std::string& number : numbers)
            if (number.size() > 4) return {};
        const std::string& year = year_first ? numbers[0] : numbers.back();
        const std::string& day = year_first ? numbers[2] : numbers[0];
        const unsigned m = month ? month : static_cast<unsigned>(std::stoi(numbers[1]));
        return std::chrono::year(full_year(year)) / static_cast<int>(m) / std::stoi(day);
    }

private:
    void read_month(std::string_view word) {
        for (unsigned i = 0; i < kMonths.size(); ++i)
            if (word == kRoman[i] || upper(word.substr(0, 3)) == upper(kMonths[i].substr(0, 3)))
                month = i + 1;
    }

    static int full_year(const std::string& number) {
        const int year = std::stoi(number);
        return number.size() > 2 ? year : year < 50 ? 2000 + year : 1900 + year;
    }
};

}  // namespace

std::string Dates::write(year_month_day date, int64_t style) {
    check(0 <= style && style < kStyles, "dates", "style {}; 0 ... {} expected", style,
          kStyles - 1);
    check(date.ok() && kFirst <= sys_days(date) && sys_days(date) <= kLast, "dates",
          "{} is no day from 1950-01-01 to 2049-12-31", iso(date));
    const auto day = unsigned{date.day()}, month = unsigned{date.month()};
    const std::string_view month_name = kMonths[month - 1];
    const std::string_view weekday = kWeekdays[std::chrono::weekday(date).c_encoding()];
    return fmt::format(fmt::runtime(kStyleForms[static_cast<size_t>(style)]),
                       fmt::arg("day", day),                      // 3
                       fmt::arg("nth", ordinal(day)),             // 3rd
                       fmt::arg("month", month),                  // 5
                       fmt::arg("Month", month_name),             // May
                       fmt::arg("MONTH", upper(month_name)),      // MAY
                       fmt::arg("Mon", month_name.substr(0, 3)),  // May
                       fmt::arg("roman", kRoman[month - 1]),      // V
                       fmt::arg("year", int{date.year()}),        // 1979
                       fmt::arg("yy", int{date.year()} % 100),    // 79
                       fmt::arg("Weekday", weekday),              // Thursday
                       fmt::arg("Wkd", weekday.substr(0, 3)));    // Thu
}

std::string Dates::iso(year_month_day date) {
    return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()},
                       unsigned{date.day()});
}

Pair Dates::sample(Rng& rng) {
    const int64_t style = rng.below(kStyles);
    const year_month_day date(kFirst + std::chrono::days(rng.below((kLast - kFirst).count() + 1)));
    return {write(date, style), iso(date)};
}

std::vector<Pair> Dates::sample(Rng& rng, int64_t count) {
    std::vector<Pair> pairs;
    for (int64_t i = 0; i < count; ++i) pairs.push_back(sample(rng));
    return pairs;
}

std::string Dates::solution(std::string_view text) {
    const year_month_day date = Reading(text).date();
    const bool possible = date.ok() && kFirst <= sys_days(date) && sys_days(date) <= kLast;
    for (int64_t style = 0; possible && style < kStyles; ++style)
        if (write(date, style) == text) return iso(date);
    fail("dates", fmt::format("\"{}\" is no day from 1950 to 2049 in a style known here, such as "
                              "\"3 May 1979\", or has another weekday",
                              text));
}

}  // namespace gradus::data
