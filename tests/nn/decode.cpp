#include "nn/decode.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::distance, test::error_of;

namespace {

// Logits whose softmax is `p`.
Tensor logits_of(const std::vector<double>& p) {
    return log(Tensor::from<double>(p, {1, static_cast<int64_t>(p.size())}));
}
Tensor row(const std::vector<double>& p) {
    return Tensor::from<double>(p, {1, static_cast<int64_t>(p.size())});
}

}  // namespace

TEST_CASE("decode: temperature divides the logits") {
    const Tensor x = Rng(1).normal({5, 7}, 0, 2, Dtype::f64);
    for (const double t : {0.5, 1.0, 3.0})
        CHECK(distance(nn::sampling_distribution(x, {.temperature = t}), softmax(x / t)) < 1e-12);
}

TEST_CASE("decode: temperature 0 takes the most probable token, of equal ones the first") {
    const Tensor x = Tensor::from<float>({1, 3, 2, 3, 5, 5, 5, 0}, {2, 4});
    const Tensor p = nn::sampling_distribution(x, {.temperature = 0});
    CHECK(distance(p, Tensor::from<float>({0, 1, 0, 0, 1, 0, 0, 0}, {2, 4})) == 0);
    Rng rng(1);
    for (int i = 0; i < 20; ++i) {
        const Tensor tokens = nn::sample(x, {.temperature = 0}, rng);
        CHECK(tokens.at(0) == 1);
        CHECK(tokens.at(1) == 0);
    }
}

TEST_CASE("decode: top-k keeps k tokens, of equal ones the first") {
    const Tensor x = logits_of({0.1, 0.3, 0.2, 0.1, 0.3});
    const auto top = [&](int64_t k) { return nn::sampling_distribution(x, {.top_k = k}); };
    CHECK(distance(top(1), row({0, 1, 0, 0, 0})) < 1e-12);
    CHECK(distance(top(2), row({0, 0.5, 0, 0, 0.5})) < 1e-12);
    CHECK(distance(top(4), row({1. / 9, 3. / 9, 2. / 9, 0, 3. / 9})) < 1e-12);
    CHECK(distance(top(5), softmax(x)) < 1e-12);
    CHECK(distance(top(50), softmax(x)) < 1e-12);
}

TEST_CASE("decode: top-p keeps the fewest tokens that together reach p") {
    const Tensor x = logits_of({0.125, 0.5, 0.25, 0.125});
    const auto top = [&](double p) { return nn::sampling_distribution(x, {.top_p = p}); };
    CHECK(distance(top(1e-9), row({0, 1, 0, 0})) < 1e-12);
    CHECK(distance(top(0.499), row({0, 1, 0, 0})) < 1e-12);
    CHECK(distance(top(0.501), row({0, 2. / 3, 1. / 3, 0})) < 1e-12);
    CHECK(distance(top(0.749), row({0, 2. / 3, 1. / 3, 0})) < 1e-12);
    CHECK(distance(top(0.751), row({1. / 7, 4. / 7, 2. / 7, 0})) < 1e-12);
    CHECK(distance(top(0.876), softmax(x)) < 1e-12);
    CHECK(distance(top(1), softmax(x)) < 1e-12);
}

TEST_CASE("decode: temperature comes before the cuts, top-k before top-p") {
    // Squared and to sum 1: 16/30, 9/30, 4/30, 1/30. The first two of three reach 25/29 = 0.862.
    const Tensor x = logits_of({0.4, 0.3, 0.2, 0.1});
    const nn::SamplingOptions sharp{.temperature = 0.5, .top_k = 3, .top_p = 0.86};
    CHECK(distance(nn::sampling_distribution(x, sharp), row({16. / 25, 9. / 25, 0, 0})) < 1e-12);
    // Of all four, the first two reach 25/30 = 0.833 only.
    const nn::SamplingOptions all{.temperature = 0.5, .top_p = 0.86};
    CHECK(distance(nn::sampling_distribution(x, all), row({16. / 29, 9. / 29, 4. / 29, 0})) <
          1e-12);
}

TEST_CASE("decode: tokens are drawn as often as the distribution says") {
    const Tensor x = Rng(3).normal({2, 6});
    const nn::SamplingOptions options{.temperature = 1.3, .top_k = 5, .top_p = 0.95};
    const Tensor p = nn::sampling_distribution(x, options);
    const int draws = 20000;
    std::vector<double> counts(12, 0);
    Rng rng(5);
    for (int i = 0; i < draws; ++i) {
        const Tensor tokens = nn::sample(x, options, rng);
        for (int64_t b = 0; b < 2; ++b)
            counts[static_cast<size_t>(b * 6) + static_cast<size_t>(tokens.at(b))] += 1;
    }
    for (size_t i = 0; i < counts.size(); ++i) {
        const double q = p.at(static_cast<int64_t>(i));
        CAPTURE(i);
        // Five standard deviations; what has probability 0 never comes.
        CHECK(std::abs(counts[i] / draws - q) <= 5 * std::sqrt(q * (1 - q) / draws));
    }
}

TEST_CASE("decode: one number of the generator a row, whatever the options") {
    const Tensor x = Rng(1).normal({3, 4});
    for (const double temperature : {0.0, 1.0}) {
        Rng rng(2), reference(2);
        nn::sample(x, {.temperature = temperature, .top_k = 2}, rng);
        reference.skip(3);
        CHECK(rng.state() == reference.state());
    }
}

TEST_CASE("decode: same bits for one thread and two") {
    const Tensor x = Rng(1).normal({40, 1000});
    Tensor p[2];
    for (int threads : {1, 2}) {
        test::Threads count(threads);
        p[threads - 1] = nn::sampling_distribution(x, {.temperature = 0.8, .top_p = 0.9});
    }
    CHECK(test::same_bits(p[0], p[1]));
}

TEST_CASE("decode: very large logits and low temperatures stay finite") {
    const Tensor x = Tensor::from<float>({1e30F, -1e30F, 1e30F}, {1, 3});
    CHECK(distance(nn::sampling_distribution(x, {.temperature = 1e-3}),
                   Tensor::from<float>({0.5, 0, 0.5}, {1, 3})) == 0);
}

TEST_CASE("decode: the penalty makes what was seen less probable, of either sign, once") {
    const Tensor x = Tensor::from<double>({2, -1, 1, -3, 0.5, 0}, {1, 6});
    const Tensor seen = Tensor::from<int32_t>({0, 3, 0, 5}, {1, 4});
    const Tensor weighed = Tensor::from<double>({1, -1, 1, -6, 0.5, 0}, {1, 6});
    nn::SamplingOptions options{.repetition_penalty = 2};
    CHECK(distance(nn::sampling_distribution(x, options, seen), softmax(weighed)) < 1e-12);
    // Before the temperature and the cuts: 0, 2 and 4 are what is left of three.
    options.temperature = 0.5;
    CHECK(distance(nn::sampling_distribution(x, options, seen), softmax(weighed * 2.0)) < 1e-12);
    options.top_k = 1;
    CHECK(nn::sampling_distribution(x, options, seen).at(0) == 1);
    options = {.temperature = 0, .repetition_penalty = 3};
    CHECK(nn::sampling_distribution(x, options, seen).at(2) == 1);
    // Rows have each their own, and a penalty of 1 asks for nothing.
    const Tensor two = concat({x, x}), both = Tensor::from<int32_t>({0, 2}, {2, 1});
    options = {.temperature = 0, .repetition_penalty = 3};
    const Tensor p = nn::sampling_distribution(two, options, both);
    CHECK(p.at(2) == 1);
    CHECK(p.at(6) == 1);
    CHECK(distance(nn::sampling_distribution(x, {}, seen), softmax(x)) < 1e-12);
}

namespace {

// Says after each token, with certainty or nearly so, the one that follows it in 0 ... 4, 0 ...
class Counter : public nn::StepModel {
public:
    explicit Counter(double certainty) : certainty_(certainty) {}
    Tensor step(const Tensor& tokens) override {
        Tensor logits = Tensor::full({tokens.size(), 5}, 0.5);
        for (int64_t r = 0; r < tokens.size(); ++r) {
            const int64_t next = (static_cast<int64_t>(tokens.at(r)) + 1) % 5;
            logits.set(r * 5 + next, certainty_);
        }
        ++steps;
        return logits;
    }
    void reorder(const Tensor&) override {}
    int steps = 0;

private:
    double certainty_;
};

const Tensor kPrompts = Tensor::from<int32_t>({0, 1, 3, 3}, {2, 2});

}  // namespace

TEST_CASE("decode: a text is drawn token by token, each heard at once") {
    Counter model(50);
    Rng rng(1);
    std::vector<double> heard;
    const Tensor text = nn::generate(model, kPrompts, 4, {}, rng, [&](const Tensor& tokens) {
        CHECK(tokens.shape() == Shape{2});
        heard.push_back(tokens.at(0));
        return true;
    });
    CHECK(distance(text, Tensor::from<int32_t>({2, 3, 4, 0, 4, 0, 1, 2}, {2, 4})) == 0);
    CHECK(heard == std::vector<double>{2, 3, 4, 0});
    CHECK(model.steps == 2 + 3);  // the prompt, and nothing after the last
}

TEST_CASE("decode: a text ends where its listener has heard enough, or before it begins") {
    Counter model(50);
    Rng rng(1);
    const auto until_4 = [](const Tensor& tokens) { return tokens.at(0) != 4; };
    const Tensor text = nn::generate(model, kPrompts, 100, {}, rng, until_4);
    CHECK(distance(text, Tensor::from<int32_t>({2, 3, 4, 4, 0, 1}, {2, 3})) == 0);
    CHECK(nn::generate(model, kPrompts, 0, {}, rng).shape() == Shape{2, 0});
}

TEST_CASE("decode: the penalty sees the prompt and the text so far") {
    Counter model(1);
    Rng rng(1);
    // What follows is worth 1, what was seen next to nothing, all else 0.5. Without a view of the
    // prompt 3 would come after 2; without one of the text all would be as without a penalty.
    const nn::SamplingOptions options{.temperature = 0, .repetition_penalty = 100};
    const Tensor text = nn::generate(model, Tensor::from<int32_t>({3, 0}, {1, 2}), 4, options, rng);
    CHECK(distance(text, Tensor::from<int32_t>({1, 2, 4, 0}, {1, 4})) == 0);
}

TEST_CASE("decode: errors name what was given and what is expected") {
    Rng rng(1);
    const Tensor x = Tensor::zeros({2, 3});
    const auto error = [&](const nn::SamplingOptions& options, const Tensor& logits) {
        return error_of([&] { nn::sample(logits, options, rng); });
    };
    CHECK(contains(error({.temperature = -1}, x), "sample: temperature is -1"));
    CHECK(contains(error({.temperature = NAN}, x), "sample: temperature is nan"));
    CHECK(contains(error({.top_k = -1}, x), "sample: top_k is -1"));
    CHECK(contains(error({.top_p = 0}, x), "sample: top_p is 0"));
    CHECK(contains(error({.top_p = 1.1}, x), "sample: top_p is 1.1"));
    CHECK(contains(error({.repetition_penalty = 0.5}, x), "repetition_penalty is 0.5"));
    CHECK(contains(error({.repetition_penalty = 2}, x), "no tokens that have been seen"));
    const auto error_of_seen = [&](const Tensor& seen) {
        return error_of([&] { nn::sample(x, {.repetition_penalty = 2}, rng, seen); });
    };
    CHECK(contains(error_of_seen(Tensor::from<int32_t>({1, 3}, {2, 1})),
                   "token 3 is among those seen, but the logits are of 3 tokens"));
    CHECK(contains(error_of_seen(Tensor::from<int32_t>({1}, {1, 1})),
                   "logits have shape [2, 3], the tokens seen [1, 1]"));
    CHECK(contains(error({}, Tensor::zeros({3})), "logits have shape [3]; [rows, vocabulary]"));
    CHECK(contains(error({}, Tensor::zeros({2, 0})), "logits have shape [2, 0]"));
    CHECK(contains(error({}, Tensor::zeros({2, 3}, Dtype::i32)), "dtype i32"));
    for (const float value : {NAN, INFINITY, -INFINITY}) {
        Tensor bad = x.clone();
        bad.set(4, value);
        CHECK(contains(error({}, bad), "row 1 of the logits has a number that is not finite"));
        CHECK(contains(error({.temperature = 0}, bad), "row 1"));
    }
}
