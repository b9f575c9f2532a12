#include "lessons/numbers.h"

#include <doctest/doctest.h>

using namespace gradus;

namespace {

// What is wrong with an option's value; nothing where it is fine.
std::string complaint(const CLI::Validator& check, const std::string& given) {
    CLI::App app;
    double value = NAN;
    app.add_option("--x", value)->check(check);
    try {
        app.parse("--x=" + given);
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("numbers on the command line: what does not fit is named, beside what is expected") {
    CHECK(complaint(lesson::not_negative, "-1") == "--x: -1 given; a number of 0 or more expected");
    CHECK(complaint(lesson::not_negative, "warm") ==
          "--x: warm given; a number of 0 or more expected");
    CHECK(complaint(lesson::not_negative, "nan") != "");
    CHECK(complaint(lesson::not_negative, "inf") != "");
    CHECK(complaint(lesson::positive, "0") == "--x: 0 given; a number above 0 expected");
    CHECK(complaint(lesson::positive, "-0.5") == "--x: -0.5 given; a number above 0 expected");
}

TEST_CASE("numbers on the command line: what fits is taken") {
    for (const char* number : {"0", "0.0", "1", "2.5e-3", "1e300"})
        CHECK(complaint(lesson::not_negative, number) == "");
    for (const char* number : {"1e-300", "1", "3e4"})
        CHECK(complaint(lesson::positive, number) == "");
}
