#include "lessons/language_model.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "lessons/common.h"
#include "models/ngram.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/safetensors.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using lesson::Corpus, lesson::Checkpoint, lesson::History, lesson::LmTrainingOptions;
using test::contains, test::error_of, test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// Words of a small language, so that there is something to learn.
data::TextData small_text() {
    const char* words[] = {"the ", "cat ", "sat ", "on ", "a ", "mat\n", "dog ", "ran "};
    Rng rng(1);
    const auto draw = [&](int64_t count) {
        std::string text;
        for (int64_t i = 0; i < count; ++i) text += words[rng.below(8)];
        return text;
    };
    return {"small", {{"one", draw(600)}, {"two", draw(500)}}, {{"test", draw(200)}}};
}

struct Setting {
    LmTrainingOptions options{.batch = 4, .time = 16, .epochs = 5, .rate = 1e-2, .tests = 7};
    models::RnnLmOptions model{
        .cell = Cell::lstm, .dim = 8, .hidden = 24, .layers = 2, .dropout = 0.1};
    data::TextData text = small_text();
};

struct Result {
    bool ended;
    History history;
    nn::StateDict weights;
    double last_test;
};

Result train(const Setting& setting, const Checkpoint& checkpoint) {
    const char* arguments[] = {"lesson-08"};
    lesson::Options::parse(1, arguments, "Lesson 08: test");  // forgets another test's Ctrl-C
    const Corpus corpus = lesson::character_corpus(setting.text);
    nn::manual_seed(setting.options.seed);
    models::RnnLmOptions options = setting.model;
    options.vocab = corpus.vocab.size();
    models::RnnLM model(options);
    Result result{};
    result.ended = lesson::train_language_model("small", model, corpus, setting.options, checkpoint,
                                                result.history);
    result.weights = test::copy(model.state_dict());
    result.last_test = models::nats_per_token(model, corpus.test);
    return result;
}

// What a process of its own does, until it is killed or has come to the end. With kWaits set it
// stands still after so many steps, so that no machine is too fast for it to be killed.
constexpr const char *kFolder = "GRADUS_TEST_KILLED_IN", *kWaits = "GRADUS_TEST_WAITS_AFTER";
Setting killed_setting() {
    Setting setting;
    setting.options.save_every = 0;  // after each step
    const char* waits = std::getenv(kWaits);
    setting.options.loss = [left = waits ? std::atoi(waits) : -1](
                               const Tensor& logits, const Tensor& y, int64_t) mutable {
        if (left-- == 0) sleep(60);
        return nn::cross_entropy(logits, y);
    };
    return setting;
}

}  // namespace

TEST_CASE("language model: a corpus is ids of the training text's tokens, document by document") {
    const data::TextData text{"t", {{"a", "abba"}, {"b", "cab"}}, {{"c", "bad"}}};
    const Corpus corpus = lesson::character_corpus(text);
    CHECK(corpus.vocab.size() == 4);  // <unk>, a, b, c
    CHECK(corpus.vocab.decode(corpus.train) == "abbacab");
    CHECK(corpus.vocab.decode(corpus.train_documents.at(1)) == "cab");
    CHECK(corpus.vocab.decode(corpus.test) == "ba<unk>");
    const data::TextData words{"w", {{"a", "the cat\nthe dog"}}, {{"b", "the bird"}}};
    const Corpus few = lesson::word_corpus(words, 3);
    CHECK(few.vocab.size() == 3);
    CHECK(few.vocab.contains("the"));
    CHECK(few.vocab.decode(few.test, " ") == "the <unk>");
}

TEST_CASE("language model: generated text comes with its optimum, and depends on the seed alone") {
    lesson::Options options;
    options.data = "generated";
    options.quick = true;
    const lesson::LmText a = lesson::load_lm_text(options), b = lesson::load_lm_text(options);
    CHECK(a.text.train.at(0).text == b.text.train.at(0).text);
    CHECK(a.text.train[0].text.size() >= 200'000);
    CHECK(a.text.test.at(0).text.size() < 11'000);
    CHECK(a.optimum == b.optimum);
    options.seed = 2;
    CHECK(lesson::load_lm_text(options).text.test[0].text != a.text.test[0].text);
    // No count can be better than the grammar itself.
    const Corpus corpus = lesson::character_corpus(a.text);
    const std::vector<double> counted = lesson::count_by_order(corpus);
    CHECK(counted.size() == 6);
    for (const double nats : counted) CHECK(nats > a.optimum);
    CHECK(counted[5] < 1.3 * a.optimum);
}

TEST_CASE("language model: a user's text is read from --data, shortened where the run is quick") {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 30'000; ++i) text += "ein Stück Text\n" + std::string(i % 50 == 0, '\n');
    test::write_file(folder / "t.txt", text);
    lesson::Options options;
    options.data = (folder / "t.txt").string();
    const lesson::LmText whole = lesson::load_lm_text(options);
    CHECK(whole.text.train.at(0).text.size() > 400'000);
    CHECK(std::isnan(whole.optimum));
    options.quick = true;
    const Corpus corpus = lesson::character_corpus(lesson::load_lm_text(options).text);
    CHECK(corpus.train.size() == 200'000);  // characters, not bytes
    CHECK(corpus.test.size() == 20'000);
    options.data = (folder / "none").string();
    CHECK(contains(error_of([&] { lesson::load_lm_text(options); }), "there is nothing at"));
}

TEST_CASE(
    "language model: counts are the better of two smoothings, on the test text's own tokens") {
    const Corpus corpus = lesson::character_corpus(small_text());
    const std::vector<double> counted = lesson::count_by_order(corpus, 3);
    REQUIRE(counted.size() == 3);
    double best = INFINITY;
    for (const auto smoothing : {models::Smoothing::kneser_ney, models::Smoothing::witten_bell}) {
        models::Ngram model({.vocab = corpus.vocab.size(), .order = 3, .smoothing = smoothing});
        for (const Tensor& document : corpus.train_documents) model.add(document.values<int32_t>());
        best = std::min(best, model.nats(corpus.test.values<int32_t>(), 1));
    }
    CHECK(counted[2] == doctest::Approx(best / static_cast<double>(corpus.test.size() - 1)));
    CHECK(counted[0] > counted[1]);
}

TEST_CASE("language model: training learns, and its history is complete and reproducible") {
    const TemporaryFolder folder;
    const Setting setting;
    const Result a = train(setting, {folder / "a"}), b = train(setting, {folder / "b"});
    const int64_t ids = lesson::character_corpus(setting.text).train.size();
    const auto steps = static_cast<size_t>(5 * ((ids - 1) / 64));
    CHECK(a.ended);
    CHECK(a.history.losses.size() == steps);
    CHECK(a.history.norms.size() == a.history.losses.size());
    CHECK(a.history.test_losses.size() == 8);  // before the first step, then seven times
    CHECK(a.history.test_steps.back() == static_cast<double>(steps));
    CHECK(a.history.losses.front() == doctest::Approx(std::log(17)).epsilon(0.2));
    CHECK(a.last_test < 1.2);
    CHECK(a.history.losses == b.history.losses);
    CHECK(a.history.test_losses == b.history.test_losses);
    CHECK(test::same_bits(a.weights, b.weights));
}

TEST_CASE("language model: same bits for one thread and two") {
    const TemporaryFolder folder;
    Setting setting;
    setting.options.epochs = 0.5;
    Result results[2];
    for (int threads : {1, 2}) {
        test::Threads count(threads);
        results[threads - 1] = train(setting, {folder / "x"});
    }
    CHECK(results[0].history.losses == results[1].history.losses);
    CHECK(test::same_bits(results[0].weights, results[1].weights));
}

TEST_CASE("language model: killed at any moment and resumed, it ends with the same bits") {
    const TemporaryFolder folder;
    const fs::path file = folder / "killed.safetensors";
    const Result whole = train(Setting{}, {folder / "whole.safetensors"});

    const auto step_saved = [&] {
        if (!fs::exists(file)) return -1;
        return std::stoi(nn::load_safetensors(file).metadata.at("step"));
    };
    const auto begin = [&] {
        std::string program = "/proc/self/exe", cases = "--test-case=*runs to be killed",
                    all = "--no-skip";
        char* arguments[] = {program.data(), cases.data(), all.data(), nullptr};
        pid_t child = 0;
        REQUIRE(posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) == 0);
        return child;
    };
    REQUIRE(setenv(kFolder, folder.path().c_str(), 1) == 0);
    REQUIRE(setenv(kWaits, "30", 1) == 0);  // of 310: the eighth has not come to the end either
    Rng rng(3);
    int status = 0;
    for (int start = 0; start < 8; ++start) {
        const int before = step_saved();
        const pid_t child = begin();
        // Some way beyond the checkpoint that it began with, at a moment of no importance to it.
        do {
            std::this_thread::sleep_for(std::chrono::microseconds(rng.below(20'000)));
            REQUIRE(waitpid(child, &status, WNOHANG) == 0);  // it is still running
        } while (step_saved() <= before);
        REQUIRE(kill(child, SIGKILL) == 0);
        REQUIRE(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
    }
    const int reached = step_saved();
    CHECK(reached >= 7);
    CHECK(reached <= 240);
    unsetenv(kWaits);
    REQUIRE(waitpid(begin(), &status, 0) > 0);
    unsetenv(kFolder);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);

    const Result resumed = train(killed_setting(), {file, true});  // from its end
    CHECK(resumed.ended);
    CHECK(resumed.history.losses == whole.history.losses);
    CHECK(resumed.history.norms == whole.history.norms);
    CHECK(resumed.history.test_steps == whole.history.test_steps);
    CHECK(resumed.history.test_losses == whole.history.test_losses);
    const auto saved = [&](const char* name) {
        return nn::load_safetensors(folder / name).tensors;
    };
    CHECK(test::same_bits(saved("killed.safetensors"), saved("whole.safetensors")));
    CHECK(test::file_bytes(folder / "weights") == [&] {
        nn::save_safetensors(folder / "unbroken", whole.weights);
        return test::file_bytes(folder / "unbroken");
    }());
}

TEST_CASE("language model: runs to be killed" * doctest::skip()) {
    const fs::path folder = std::getenv(kFolder);
    const fs::path file = folder / "killed.safetensors";
    const Result result = train(killed_setting(), {file, fs::exists(file)});
    REQUIRE(result.ended);
    nn::save_safetensors(folder / "weights", result.weights);
}

TEST_CASE("language model: Ctrl-C stops after a step and saves; the run goes on to the same end") {
    const TemporaryFolder folder;
    const Setting setting;
    const Result whole = train(setting, {folder / "whole"});
    Setting interrupted = setting;
    interrupted.options.loss = [calls = 0](const Tensor& logits, const Tensor& y, int64_t) mutable {
        if (++calls == 100) raise(SIGINT);
        return nn::cross_entropy(logits, y);
    };
    const Result stopped = train(interrupted, {folder / "x"});
    CHECK_FALSE(stopped.ended);
    CHECK(stopped.history.losses.size() == 100);
    const Result resumed = train(setting, {folder / "x", true});
    CHECK(resumed.ended);
    CHECK(resumed.history.losses == whole.history.losses);
    CHECK(test::same_bits(resumed.weights, whole.weights));
}

TEST_CASE(
    "language model: a checkpoint of another vocabulary, text, model or training is refused") {
    const TemporaryFolder folder;
    Setting setting;
    setting.options.epochs = 0.1;
    train(setting, {folder / "x"});
    const auto error = [&](auto change) {
        Setting other = setting;
        change(other);
        return error_of([&] { train(other, {folder / "x", true}); });
    };
    CHECK(error([](Setting&) {}) == "");
    // The same number of characters, so that shapes alone would not tell.
    CHECK(contains(error([](Setting& s) {
                       for (auto& document : s.text.train)
                           for (char& c : document.text) c = c == 'c' ? 'k' : c;
                   }),
                   (folder / "x").string()));
    CHECK(contains(error([](Setting& s) { std::swap(s.text.train[0], s.text.train[1]); }),
                   "Give it the same options"));
    CHECK(contains(error([](Setting& s) { s.model.hidden = 16; }), "lstm 2 x 24"));
    CHECK(contains(error([](Setting& s) { s.options.rate = 2e-2; }), "rate 0.02"));
    CHECK(contains(error([](Setting& s) { s.options.seed = 2; }), "seed 2"));
    CHECK(contains(error([](Setting& s) { s.options.loss_name = "squares"; }), "squares"));
    nn::save_safetensors(folder / "y", {}, {{"note/x", "y"}});
    CHECK(contains(error_of([&] { train(setting, {folder / "y", true}); }), "is no checkpoint of"));
}

TEST_CASE("language model: a loss of one's own is what is learned from") {
    Setting setting;
    setting.options.epochs = 0.1;
    const Result usual = train(setting, {});
    setting.options.loss = [](const Tensor& logits, const Tensor& y, int64_t) {
        return softmax_cross_entropy(logits, y) * 2.0;
    };
    const Result own = train(setting, {});
    CHECK(own.history.losses[0] == doctest::Approx(2 * usual.history.losses[0]));
    CHECK(own.history.norms[0] == doctest::Approx(2 * usual.history.norms[0]));
}

TEST_CASE("language model: a training that diverges says so") {
    const TemporaryFolder folder;
    Setting setting;
    setting.options.rate = 1e30;
    setting.options.clip = 0;
    const std::string error = error_of([&] { train(setting, {folder / "x"}); });
    CHECK(contains(error, "the training has diverged"));
}

TEST_CASE("language model: a text that is too short says what would do") {
    const TemporaryFolder folder;
    Setting setting;
    setting.options.time = 5000;
    CHECK(contains(error_of([&] { train(setting, {folder / "x"}); }), "too few"));
    CHECK(contains(error_of([] { lesson::data_path("no-such-set"); }),
                   "./run data NAME (./run data lists them)"));
}
