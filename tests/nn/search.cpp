// Greedy choice and beam search of nn/decode.h.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/ops.h"
#include "nn/decode.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using nn::BeamOptions, nn::Hypothesis;
using test::contains, test::error_of;
using Tokens = std::vector<int32_t>;

namespace {

constexpr int32_t kEnd = 0, kStart = 9;

// Every history of tokens of every sentence has a distribution of its own, made from a hash of it.
class HashModel : public nn::StepModel {
public:
    HashModel(int64_t batch, int64_t vocabulary, double spread = 2, Dtype dtype = Dtype::f64)
        : vocabulary_(vocabulary), spread_(spread), dtype_(dtype) {
        for (int64_t s = 0; s < batch; ++s) state_.push_back(static_cast<uint64_t>(100 + s));
    }

    static uint64_t after(uint64_t state, int32_t token) {
        return (state ^ static_cast<uint64_t>(token + 1)) * 0x9E3779B97F4A7C15u;
    }
    Tensor logits(uint64_t state) const {
        return Rng(state).normal({1, vocabulary_}, 0, spread_, dtype_);
    }

    Tensor step(const Tensor& tokens) override {
        CHECK(tokens.size() == static_cast<int64_t>(state_.size()));
        most_rows = std::max(most_rows, tokens.size());
        ++steps;
        std::vector<Tensor> rows;
        for (size_t r = 0; r < state_.size(); ++r) {
            state_[r] = after(state_[r], tokens.data<int32_t>()[r]);
            rows.push_back(logits(state_[r]));
        }
        rows_seen += tokens.size();
        return concat(rows, 0);
    }
    void reorder(const Tensor& rows) override {
        std::vector<uint64_t> kept;
        for (const int32_t r : rows.values<int32_t>()) kept.push_back(state_.at(size_t(r)));
        state_ = kept;
    }

    int64_t most_rows = 0, steps = 0, rows_seen = 0;

private:
    int64_t vocabulary_;
    double spread_;
    Dtype dtype_;
    std::vector<uint64_t> state_;
};

// The same logits at every step, whatever came before.
class Constant : public nn::StepModel {
public:
    explicit Constant(std::vector<double> logits) : logits_(std::move(logits)) {}
    Tensor step(const Tensor& tokens) override {
        const auto n = static_cast<int64_t>(logits_.size());
        return Tensor::from<double>(logits_, {1, n}) +
               Tensor::zeros({tokens.size(), n}, Dtype::f64);
    }
    void reorder(const Tensor&) override {}

private:
    std::vector<double> logits_;
};

double penalty(const Tokens& tokens, double alpha) {
    return std::pow((5 + static_cast<double>(tokens.size()) + 1) / 6, alpha);
}

// Every sequence of up to max_length tokens with its log-probability, best score first.
std::vector<Hypothesis> enumerate(int64_t sentence, int64_t vocabulary, int64_t max_length,
                                  double alpha) {
    const HashModel model(0, vocabulary);
    std::vector<Hypothesis> all;
    const auto visit = [&](const auto& self, uint64_t state, const Tokens& tokens,
                           double log_p) -> void {
        const Tensor next = log_softmax(model.logits(state));
        const double total = log_p + next.at(kEnd);
        all.push_back({tokens, total, total / penalty(tokens, alpha)});
        if (static_cast<int64_t>(tokens.size()) == max_length) return;
        for (int32_t t = 0; t < vocabulary; ++t) {
            if (t == kEnd) continue;
            Tokens longer = tokens;
            longer.push_back(t);
            self(self, HashModel::after(state, t), longer, log_p + next.at(t));
        }
    };
    visit(visit, HashModel::after(static_cast<uint64_t>(100 + sentence), kStart), {}, 0);
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.score > b.score; });
    return all;
}

BeamOptions beam(int64_t width, int64_t max_length, double alpha = 0.6, int64_t n_best = 1) {
    return {.width = width,
            .length_penalty = alpha,
            .n_best = n_best,
            .start = kStart,
            .end = kEnd,
            .max_length = max_length};
}

bool same(const std::vector<Hypothesis>& a, const std::vector<Hypothesis>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) {
        return x.tokens == y.tokens && x.log_probability == y.log_probability && x.score == y.score;
    });
}

}  // namespace

TEST_CASE("beam search: wide enough, it finds the n best of all sequences") {
    for (const double alpha : {0.0, 0.6, 1.0, 3.0}) {
        CAPTURE(alpha);
        const int64_t batch = 6, vocabulary = 4, length = 4;  // 1 + 3 + 9 + 27 + 81 sequences
        HashModel model(batch, vocabulary);
        const auto found = nn::beam_search(model, batch, beam(121, length, alpha, 5));
        REQUIRE(found.size() == 6);
        for (int64_t s = 0; s < batch; ++s) {
            const auto all = enumerate(s, vocabulary, length, alpha);
            REQUIRE(all.size() == 121);
            REQUIRE(found[size_t(s)].size() == 5);
            for (size_t i = 0; i < 5; ++i) {
                CHECK(found[size_t(s)][i].tokens == all[i].tokens);
                CHECK(found[size_t(s)][i].log_probability ==
                      doctest::Approx(all[i].log_probability).epsilon(1e-12));
                CHECK(found[size_t(s)][i].score == doctest::Approx(all[i].score).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("beam search: narrow ones give sequences with their own probabilities, best first") {
    const int64_t batch = 8;
    for (const int64_t width : {1, 2, 3, 5}) {
        HashModel model(batch, 4);
        const auto found = nn::beam_search(model, batch, beam(width, 4, 0.6, width));
        CHECK(model.most_rows <= batch * width);
        for (int64_t s = 0; s < batch; ++s) {
            std::map<Tokens, Hypothesis> all;
            for (auto& h : enumerate(s, 4, 4, 0.6)) all[h.tokens] = h;
            const auto& best = found[size_t(s)];
            REQUIRE(!best.empty());
            CHECK(static_cast<int64_t>(best.size()) <= width);
            for (size_t i = 0; i < best.size(); ++i) {
                REQUIRE(all.count(best[i].tokens) == 1);
                CHECK(best[i].score == doctest::Approx(all[best[i].tokens].score).epsilon(1e-12));
                if (i > 0) CHECK(best[i - 1].score >= best[i].score);
                for (size_t k = 0; k < i; ++k) CHECK(best[k].tokens != best[i].tokens);
            }
        }
    }
}

TEST_CASE("beam search: width 1 is greedy, for every penalty") {
    const int64_t batch = 40, vocabulary = 7;
    HashModel for_greedy(batch, vocabulary, 1);
    const auto greedy = nn::greedy(for_greedy, batch, {kStart, kEnd, 12});
    size_t longest = 0, shortest = 99;
    for (const auto& tokens : greedy) {
        longest = std::max(longest, tokens.size());
        shortest = std::min(shortest, tokens.size());
    }
    CHECK(longest == 12);
    CHECK(shortest < 4);
    for (const double alpha : {0.0, 0.6, 2.0}) {
        HashModel model(batch, vocabulary, 1);
        const auto found = nn::beam_search(model, batch, beam(1, 12, alpha));
        for (size_t s = 0; s < greedy.size(); ++s) CHECK(found[s].at(0).tokens == greedy[s]);
    }
}

TEST_CASE("beam search: a sentence's result does not depend on its batch, and done ones leave it") {
    const int64_t batch = 30;
    HashModel together(batch, 6, 1);
    const auto all = nn::beam_search(together, batch, beam(3, 15, 0.6, 2));
    CHECK(together.rows_seen < batch * 3 * together.steps * 3 / 4);
    HashModel fewer(7, 6, 1);
    const auto some = nn::beam_search(fewer, 7, beam(3, 15, 0.6, 2));
    for (size_t s = 0; s < some.size(); ++s) CHECK(same(some[s], all[s]));

    HashModel greedy_all(batch, 6, 1), greedy_some(7, 6, 1);
    const auto a = nn::greedy(greedy_all, batch, {kStart, kEnd, 15});
    const auto b = nn::greedy(greedy_some, 7, {kStart, kEnd, 15});
    for (size_t s = 0; s < b.size(); ++s) CHECK(a[s] == b[s]);
    CHECK(greedy_all.rows_seen < batch * greedy_all.steps * 3 / 4);
}

TEST_CASE("beam search: it finds what greedy choice misses") {
    // 1 is likelier than 2 at first, but after 2 the end is certain.
    class Trap : public nn::StepModel {
        Tensor step(const Tensor& tokens) override {
            std::vector<double> p;
            for (const int32_t t : tokens.values<int32_t>()) {
                const std::vector<double> first{0.02, 0.5, 0.48}, after_1{0.34, 0.33, 0.33},
                    after_2{0.98, 0.01, 0.01};
                const auto& row = t == kStart ? first : t == 1 ? after_1 : after_2;
                p.insert(p.end(), row.begin(), row.end());
            }
            return log(Tensor::from<double>(p, {tokens.size(), 3}));
        }
        void reorder(const Tensor&) override {}
    } model;
    CHECK(nn::greedy(model, 1, {kStart, kEnd, 5})[0] == Tokens{1});
    const auto found = nn::beam_search(model, 1, beam(2, 5, 0));
    CHECK(found[0][0].tokens == Tokens{2});
    CHECK(found[0][0].log_probability == doctest::Approx(std::log(0.48 * 0.98)));
}

TEST_CASE("beam search: a larger length penalty gives longer results") {
    size_t lengths[2] = {0, 0};
    for (const int i : {0, 1}) {
        HashModel model(20, 5, 1);
        for (const auto& h : nn::beam_search(model, 20, beam(5, 10, i * 1.5)))
            lengths[i] += h[0].tokens.size();
    }
    CHECK(lengths[1] > lengths[0]);
}

TEST_CASE("beam search: of equal ones the first") {
    Constant model({0, 0, 0, 0});
    CHECK(nn::greedy(model, 2, {kStart, 3, 3}) == std::vector<Tokens>(2, Tokens{0, 0, 0}));
    BeamOptions options = beam(3, 2, 0, 3);
    options.end = 3;
    const auto found = nn::beam_search(model, 2, options);
    for (const auto& best : found) {
        REQUIRE(best.size() == 3);
        // After one token: 0, 1, 2 are open and the end, which comes fourth, is not within the
        // width. After two, 00, 01 and 02; then all end.
        CHECK(best[0].tokens == Tokens{0, 0});
        CHECK(best[1].tokens == Tokens{0, 1});
        CHECK(best[2].tokens == Tokens{0, 2});
        CHECK(best[2].log_probability == doctest::Approx(3 * std::log(0.25)));
    }
}

TEST_CASE("beam search: what has probability 0 never comes") {
    Constant model({-1, -INFINITY, 0});
    const auto found = nn::beam_search(model, 1, beam(8, 4, 1, 8));
    for (const auto& h : found[0]) CHECK(std::count(h.tokens.begin(), h.tokens.end(), 1) == 0);
    CHECK(nn::greedy(model, 1, {kStart, kEnd, 3})[0] == Tokens{2, 2, 2});
}

TEST_CASE("beam search: same results in f32, and same bits for one thread and two") {
    std::vector<std::vector<Hypothesis>> found[2];
    for (const int threads : {1, 2}) {
        test::Threads count(threads);
        HashModel model(20, 2000, 2, Dtype::f32);
        found[threads - 1] = nn::beam_search(model, 20, beam(4, 6, 0.6, 4));
    }
    HashModel exact(20, 2000, 2, Dtype::f64);
    const auto reference = nn::beam_search(exact, 20, beam(4, 6, 0.6, 4));
    for (size_t s = 0; s < 20; ++s) {
        CHECK(same(found[0][s], found[1][s]));
        REQUIRE(found[0][s].size() == reference[s].size());
        CHECK(found[0][s][0].score == doctest::Approx(reference[s][0].score).epsilon(1e-4));
    }
}

TEST_CASE("beam search: errors name what was given and what is expected") {
    const auto error = [](BeamOptions options, int64_t batch = 2) {
        HashModel model(2, 4);
        return error_of([&] { nn::beam_search(model, batch, options); });
    };
    CHECK(contains(error(beam(0, 3)), "beam_search: width is 0; one hypothesis or more expected"));
    CHECK(contains(error(beam(2, 0)), "beam_search: max_length is 0"));
    CHECK(contains(error(beam(2, 3), 0), "beam_search: the batch is 0"));
    CHECK(contains(error(beam(2, 3, -0.5)), "length_penalty is -0.5"));
    CHECK(contains(error(beam(2, 3, NAN)), "length_penalty is nan"));
    CHECK(contains(error(beam(2, 3, 1, 3)), "n_best is 3; 1 up to the width, 2, expected"));
    CHECK(contains(error(beam(2, 3, 1, 0)), "n_best is 0"));
    BeamOptions options = beam(2, 3);
    options.end = 4;
    CHECK(contains(error(options), "the end token is 4, but the model knows 4 tokens"));
    options.end = -1;
    CHECK(contains(error(options), "the end token is -1"));

    const auto greedy_error = [](nn::GreedyOptions o, int64_t batch = 2) {
        HashModel model(2, 4);
        return error_of([&] { nn::greedy(model, batch, o); });
    };
    CHECK(contains(greedy_error({kStart, kEnd, 0}), "greedy: max_length is 0"));
    CHECK(contains(greedy_error({kStart, 4, 3}), "greedy: the end token is 4"));
    CHECK(contains(greedy_error({kStart, kEnd, 3}, 0), "greedy: the batch is 0"));
}

TEST_CASE("beam search: a model that gives nonsense is an error") {
    struct Wrong : nn::StepModel {
        Tensor logits;
        Tensor step(const Tensor&) override { return logits; }
        void reorder(const Tensor&) override {}
    } model;
    const auto errors = [&](const Tensor& logits, const std::string& expected) {
        model.logits = logits;
        const auto beam_error = error_of([&] { nn::beam_search(model, 2, beam(2, 3)); });
        const auto greedy_error = error_of([&] { nn::greedy(model, 2, {kStart, kEnd, 3}); });
        CAPTURE(beam_error);
        CAPTURE(greedy_error);
        return contains(beam_error, expected) && contains(greedy_error, expected);
    };
    CHECK(errors(Tensor::zeros({3, 4}), "the model's step gave [3, 4] for 2 tokens"));
    CHECK(errors(Tensor::zeros({2, 1, 4}), "the model's step gave [2, 1, 4] for 2 tokens"));
    CHECK(errors(Tensor::zeros({2, 4}, Dtype::i32), "dtype i32"));
    for (const double bad : {double(NAN), double(INFINITY)}) {
        for (const int64_t at : {4, 7}) {
            Tensor logits = Tensor::zeros({2, 4});
            logits.set(at, bad);
            CHECK(errors(logits, "row 1 of the logits has NaN or infinity"));
        }
    }
    CHECK(errors(Tensor::full({2, 4}, -INFINITY), "row 0 of the logits"));
    struct Endless : Wrong {
        Tensor step(const Tensor& tokens) override {
            Tensor x = Tensor::zeros({tokens.size(), 4});
            for (int64_t r = 0; r < tokens.size(); ++r) x.set(4 * r + kEnd, -INFINITY);
            return x;
        }
    } endless;
    CHECK(contains(error_of([&] { nn::beam_search(endless, 2, beam(2, 3)); }),
                   "sentence 0: every continuation within 3 tokens has probability 0"));
}
