// Checks of numbers on the command line that say in words what is expected. (CLI11's own
// PositiveNumber and NonNegativeNumber print the largest double with all its 309 digits.)
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <string>

namespace gradus::lesson {

inline CLI::Validator number_that(bool (*fits)(double), const std::string& expected) {
    return {[=](const std::string& given) {
                double value = NAN;
                const bool fine = CLI::detail::lexical_cast(given, value) && std::isfinite(value);
                return fine && fits(value) ? "" : given + " given; " + expected + " expected";
            },
            ""};
}

const CLI::Validator positive = number_that([](double x) { return x > 0; }, "a number above 0");
const CLI::Validator not_negative =
    number_that([](double x) { return x >= 0; }, "a number of 0 or more");

}  // namespace gradus::lesson
