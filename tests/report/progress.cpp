#include "report/progress.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "report/text.h"
#include "tests/report/xml.h"

using namespace gradus::report;
using gradus::report::test::contains;
using gradus::report::test::count;

namespace {

// A file whose text can be read back, and a clock that is set by hand.
struct Screen {
    std::FILE* file = std::tmpfile();
    double now = 100;

    ~Screen() { std::fclose(file); }

    ProgressOptions options(bool terminal, int columns = 80) {
        ProgressOptions given;
        given.out = file;
        given.terminal = terminal;
        given.colour = false;
        given.columns = columns;
        given.clock = [this] { return now; };
        return given;
    }
    std::string text() const {
        std::fflush(file);
        std::rewind(file);
        std::string all;
        for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) all += static_cast<char>(c);
        return all;
    }
};

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == at) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

}  // namespace

TEST_CASE("progress: a pipe gets plain lines, few and far between") {
    Screen screen;
    Progress bar("train", 1000, screen.options(false));
    for (int step = 1; step <= 1000; ++step) {
        screen.now += 0.1;
        bar.update(step, {{"loss", 1.0 / step}, {"tokens/s", 8123}});
    }
    bar.finish();
    const std::string text = screen.text();
    CHECK_FALSE(contains(text, "\r"));
    CHECK_FALSE(contains(text, "\x1b"));
    CHECK(count(text, "\n") >= 10);
    CHECK(count(text, "\n") <= 21);
    CHECK(contains(text, "train  100 %  1000/1000  loss 0.001000 · tokens/s 8,123 · 1:40\n"));
    CHECK(count(text, "100 %") == 1);
    CHECK(contains(text, " left\n"));
}

TEST_CASE("progress: a short run in a pipe is one line") {
    Screen screen;
    Progress bar("test", 10, screen.options(false));
    for (int step = 1; step <= 10; ++step) bar.update(step);
    bar.finish();
    bar.finish();
    CHECK(screen.text() == "test  100 %  10/10  0.0 s\n");
}

TEST_CASE("progress: a terminal gets one line, at most ten times a second") {
    Screen screen;
    {
        Progress bar("train", 1000, screen.options(true));
        for (int step = 1; step <= 1000; ++step) {
            screen.now += 0.001;
            bar.update(step, {{"loss", 0.31}});
        }
        bar.finish();
    }
    const std::string text = screen.text();
    CHECK(count(text, "\r") <= 13);
    CHECK(count(text, "\n") == 1);
    CHECK(text.ends_with("100 %  loss 0.3100 · 1.0 s\n"));
    CHECK(contains(text, "█"));
    CHECK_FALSE(contains(text, "\x1b"));
}

TEST_CASE("progress: the line is never wider than the window") {
    for (const int columns : {1, 5, 20, 40, 60, 200}) {
        Screen screen;
        Progress bar("a long label é", 100, screen.options(true, columns));
        bar.update(50, {{"loss", 0.123456}, {"accuracy", 0.98}, {"tokens/s", 1e6}});
        for (const std::string& line : split(screen.text(), '\r')) {
            CHECK(display_width(line) < static_cast<std::size_t>(columns) + (columns == 1));
        }
    }
}

TEST_CASE("progress: a shorter line leaves nothing of the longer one before") {
    Screen screen;
    Progress bar("x", 0, screen.options(true));
    bar.update(1, {{"loss", 0.123}, {"accuracy", 0.98}});
    screen.now += 1;
    bar.update(2, {{"loss", 0.1}});
    const auto lines = split(screen.text(), '\r');
    REQUIRE(lines.size() == 3);
    CHECK(display_width(lines[2]) >= display_width(lines[1]));
}

TEST_CASE("progress: time left counts from where a resumed run began") {
    Screen screen;
    ProgressOptions options = screen.options(true, 120);
    options.start = 500;
    Progress bar("train", 1000, options);
    screen.now += 10;
    bar.update(750);
    CHECK(contains(screen.text(), " 75 %  10 s · 10 s left"));
}

TEST_CASE("progress: notes stand above the bar, and an abandoned bar ends its line") {
    Screen screen;
    {
        Progress bar("train", 10, screen.options(true));
        bar.update(1);
        bar.note("epoch 1: 97.1 %");
        bar.update(2);
    }
    const std::string text = screen.text();
    CHECK(contains(text, "\repoch 1: 97.1 %\n"));
    CHECK(text.ends_with("\n"));
}

TEST_CASE("progress: colour is escape codes around the bar alone") {
    Screen screen;
    ProgressOptions options = screen.options(true);
    options.colour = true;
    Progress bar("train", 10, options);
    bar.update(5);
    CHECK(contains(screen.text(), "train \x1b[36m▕"));
    CHECK(contains(screen.text(), "\x1b[0m▏  50 %"));
}

TEST_CASE("progress: more steps than announced, none announced, not a number") {
    Screen screen;
    Progress over("a", 10, screen.options(false));
    over.update(20, {{"loss", std::numeric_limits<double>::quiet_NaN()}});
    over.finish();
    Progress unknown("b", 0, screen.options(false));
    screen.now += 3;
    unknown.update(7);
    unknown.finish();
    Progress negative("c", -5, screen.options(true));
    negative.update(1);
    negative.finish();
    CHECK(contains(screen.text(), "loss NaN"));
    CHECK(contains(screen.text(), "b  step 7"));
}
