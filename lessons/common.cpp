#include "lessons/common.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "autograd/error.h"
#include "autograd/parallel.h"
#include "lessons/numbers.h"

namespace gradus::lesson {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> stop_wanted{false};

extern "C" void on_interrupt(int) {
    stop_wanted = true;
    constexpr char kText[] = "\nstopping after this step; Ctrl-C again leaves at once\n";
    const auto ignored = ::write(STDERR_FILENO, kText, sizeof kText - 1);
    static_cast<void>(ignored);
}

// The handler serves once; the next Ctrl-C has its usual effect.
void watch_for_interrupt() {
    stop_wanted = false;
    struct sigaction action = {};
    action.sa_handler = on_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, nullptr);
}

// "Lesson 03: training" -> "03".
std::string lesson_number(const std::string& title) {
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    const auto begin = std::find_if(title.begin(), title.end(), is_digit);
    return {begin, std::find_if_not(begin, title.end(), is_digit)};
}

// "Lesson 03: training" -> "./run lesson 03", as a reader types it.
std::string command(const Options& options) {
    return options.number.empty() ? "lesson" : "./run lesson " + options.number;
}

std::string quoted(const std::string& argument) {
    const bool plain =
        !argument.empty() &&
        argument.find_first_not_of(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=./,:+@%") ==
            std::string::npos;
    if (plain) return argument;
    std::string text = "'";
    for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

}  // namespace

fs::path report_folder() {
    // This file stands in lessons/ of the source tree; if the tree was moved, look upwards.
    std::vector<fs::path> candidates = {fs::path(__builtin_FILE()).parent_path().parent_path()};
    std::error_code error;
    for (fs::path at = fs::current_path(error); !error; at = at.parent_path()) {
        candidates.push_back(at);
        if (at == at.parent_path()) break;
    }
    for (const fs::path& root : candidates) {
        if (root.is_absolute() && fs::exists(root / "lessons" / "common.h", error)) {
            return root / "build" / "reports";
        }
    }
    return fs::current_path();
}

Options Options::parse(int argc, const char* const* argv, const std::string& title,
                       const OptionHook& more) {
    Options options;
    options.title = title;
    options.number = lesson_number(title);
    options.arguments.assign(argv + std::min(argc, 1), argv + argc);
    const std::string stem = options.number.empty() ? "report" : options.number;
    options.report = report_folder() / (stem + ".html");

    CLI::App app(title, command(options));
    app.add_option("--seed", options.seed, "Seed of weights, data and order")
        ->check(not_negative)
        ->capture_default_str();
    app.add_option("--threads", options.threads, "Threads; the figures do not depend on them")
        ->check(CLI::Range(1, 1024))
        ->default_str(std::to_string(thread_count()));
    app.add_option("--epochs", options.epochs, "Passes over the data, instead of the lesson's own")
        ->check(CLI::Range(1, 1000000));
    app.add_flag("--quick", options.quick, "A short run that shows that all works, as in CI");
    app.add_option("--data", options.data, "A file or folder, a data set's name, or \"generated\"");
    app.add_option("--report", options.report, "Where the report goes (HTML)")
        ->capture_default_str();
    app.add_option("--save", options.save, "Save the trained model here");
    app.add_option("--resume", options.resume, "Go on from what --save or Ctrl-C saved")
        ->check(CLI::ExistingFile);
    app.add_option("--figures", options.figures, "Write the figures as JSON, for expected.json");
    app.get_option("--data")->type_name("PATH|NAME|generated");
    for (const char* file : {"--report", "--save", "--resume", "--figures"}) {
        app.get_option(file)->type_name("FILE");
    }
    if (more) more(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 prints the help or the message; its own codes for mistakes are many, ours is one.
        throw LeaveEarly{app.exit(error) == 0 ? 0 : 2};
    }
    if (options.threads > 0) set_thread_count(options.threads);
    options.threads = thread_count();
    watch_for_interrupt();
    return options;
}

int Options::epochs_or(int full, int shortened) const {
    return epochs.value_or(quick ? shortened : full);
}

fs::path Options::checkpoint() const {
    return save.empty() ? fs::path(report).replace_extension(".safetensors") : save;
}

bool Options::is_default_run() const { return !quick && !epochs; }

int run(int argc, const char* const* argv, const std::string& title,
        const std::function<int(const Options&)>& body, const OptionHook& more) {
    try {
        return body(Options::parse(argc, argv, title, more));
    } catch (const LeaveEarly& leave) {
        return leave.status;
    } catch (const std::exception& error) {
        std::fflush(stdout);
        fmt::print(stderr, "error: {}\n", error.what());
        return 1;
    }
}

bool interrupted() { return stop_wanted; }

int stopped(const Options& options, const fs::path& checkpoint) {
    std::string line = command(options);
    const auto& given = options.arguments;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i] == "--resume") {
            ++i;  // its file
        } else if (!given[i].starts_with("--resume=")) {
            line += " " + quoted(given[i]);
        }
    }
    fmt::print("Stopped. What was learned is in {}. To go on:\n  {} --resume {}\n",
               checkpoint.string(), line, quoted(checkpoint.string()));
    return 130;
}

fs::path data_path(const std::string& data) {
    fs::path path = data;
    if (!fs::exists(path) && !path.has_parent_path())  // a name: where ./run data puts it
        path = report_folder().parent_path().parent_path() / ".data" / path;
    check(fs::exists(path), "data",
          "there is nothing at {}. Fetch a known set with ./run data NAME (./run data lists them), "
          "give a file or folder of your own with --data PATH, or go on with --data generated",
          path.string());
    return path;
}

}  // namespace gradus::lesson
