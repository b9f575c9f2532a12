#include "data/sources/dates.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using std::chrono::year_month_day, std::chrono::sys_days, std::chrono::year, std::chrono::days;
using test::contains, test::error_of;

TEST_CASE("dates: every style, as people write it") {
    const year_month_day day = year(1979) / 5 / 3;
    const std::vector<std::string> expected{"3 May 1979",
                                            "May 3, 1979",
                                            "May 3rd, 1979",
                                            "3rd May 1979",
                                            "the 3rd of May 1979",
                                            "May the 3rd, 1979",
                                            "Thursday, 3 May 1979",
                                            "Thursday, May 3rd, 1979",
                                            "Thursday the 3rd of May, 1979",
                                            "Thu 3 May 1979",
                                            "3 May 1979",
                                            "May 3 '79",
                                            "3-May-1979",
                                            "3 MAY 1979",
                                            "3.V.1979",
                                            "3/5/1979",
                                            "03/05/79",
                                            "03.05.1979",
                                            "1979/05/03",
                                            "19790503"};
    REQUIRE(static_cast<int64_t>(expected.size()) == Dates::kStyles);
    for (int64_t style = 0; style < Dates::kStyles; ++style)
        CHECK(Dates::write(day, style) == expected[static_cast<size_t>(style)]);
    CHECK(Dates::iso(day) == "1979-05-03");
    CHECK(Dates::write(year(2008) / 9 / 21, 9) == "Sun 21 Sep 2008");
    CHECK(Dates::write(year(2008) / 9 / 21, 11) == "Sep 21 '08");
    CHECK(Dates::write(year(2000) / 2 / 29, 7) == "Tuesday, February 29th, 2000");

    const std::map<unsigned, std::string> ordinals{{1, "1st"},   {2, "2nd"},   {4, "4th"},
                                                   {11, "11th"}, {12, "12th"}, {13, "13th"},
                                                   {22, "22nd"}, {23, "23rd"}, {31, "31st"}};
    for (const auto& [number, ordinal] : ordinals)
        CHECK(Dates::write(year(1999) / 12 / static_cast<int>(number), 3) ==
              ordinal + " December 1999");
}

TEST_CASE("dates: every style of every day is read again, and no two days look the same") {
    std::map<std::string, std::string> read;
    size_t others = 0;
    // Every 11th day: each day of a month, each month and year of a century.
    for (sys_days day = year(1950) / 1 / 1; day <= sys_days(year(2049) / 12 / 31);
         day += days(11)) {
        const std::string iso = Dates::iso(day);
        for (int64_t style = 0; style < Dates::kStyles; ++style) {
            const std::string text = Dates::write(day, style);
            const auto [before, is_new] = read.emplace(text, iso);
            others += !is_new && before->second != iso;
            if (Dates::solution(text) != iso)
                FAIL(text << " was read as " << Dates::solution(text));
        }
    }
    CHECK(others == 0);
    CHECK(read.size() > 3000 * 18);
}

TEST_CASE("dates: samples are right, and in all styles") {
    Rng rng(1);
    std::set<std::string> texts, years;
    std::map<bool, int> slashes;
    for (const auto& [source, target] : Dates::sample(rng, 5000)) {
        CHECK(Dates::solution(source) == target);
        CHECK(target.size() == 10);
        texts.insert(source);
        years.insert(target.substr(0, 4));
        ++slashes[source.find('/') != source.npos];
    }
    CHECK(texts.size() > 4800);
    CHECK(years.size() == 100);
    CHECK(*years.begin() == "1950");
    CHECK(*years.rbegin() == "2049");
    CHECK(slashes[true] == doctest::Approx(5000 * 3 / 20).epsilon(0.15));
}

TEST_CASE("dates: same seed, same dates") {
    const auto last = [](uint64_t seed) {
        Rng rng(seed);
        return Dates::sample(rng, 9).back().source;
    };
    CHECK(last(1) == last(1));
    CHECK(last(1) != last(2));
}

TEST_CASE("dates: what is no date is an error") {
    for (const char* text : {"", "May", "3 May", "30 February 1999", "1/13/1999", "3 May 1949",
                             "Friday, 3 May 1979", "3th May 1979", "3 May 1979 ", "May 3 1979",
                             "1979-05-03", "197905030", "99999999999/1/1", "3 5 May 1979"}) {
        CAPTURE(text);
        CHECK(contains(error_of([&] { Dates::solution(text); }), "is no day from 1950 to 2049"));
    }
    CHECK(contains(error_of([] { Dates::write(year(1979) / 5 / 3, 20); }), "style 20; 0 ... 19"));
    CHECK(contains(error_of([] { Dates::write(year(1979) / 2 / 29, 0); }), "1979-02-29 is no day"));
    CHECK(contains(error_of([] { Dates::write(year(2050) / 1 / 1, 0); }), "2050-01-01 is no day"));
}
