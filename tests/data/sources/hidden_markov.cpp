#include "data/sources/hidden_markov.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "data/sources/markov.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::HiddenMarkov;

namespace {

// The digits of a number in base k, the lowest last.
Tensor spelled(int64_t number, int64_t k, int64_t length) {
    Tensor digits = Tensor::empty({length}, Dtype::i32);
    for (int64_t i = length - 1; i >= 0; --i, number /= k) {
        digits.set(i, static_cast<double>(number % k));
    }
    return digits;
}

int64_t power(int64_t k, int64_t n) { return n == 0 ? 1 : k * power(k, n - 1); }

// p(states and ids), from the definition.
double joint(const HiddenMarkov& source, const Tensor& states, const Tensor& ids) {
    double p = 1;
    for (int64_t t = 0; t < ids.size(); ++t) {
        const auto s = static_cast<int64_t>(states.at(t));
        p *= t == 0 ? source.start().at(s)
                    : source.transition().at(
                          static_cast<int64_t>(states.at(t - 1)) * source.states() + s);
        p *= source.emission().at(s * source.tokens() + static_cast<int64_t>(ids.at(t)));
    }
    return p;
}

// Sums over every text that agrees with `ids` outside its holes, and every path of states: gives
// f(states, text, p of both).
template <class F>
void everything(const HiddenMarkov& source, const Tensor& ids, F f) {
    const int64_t n = ids.size();
    for (int64_t w = 0; w < power(source.tokens(), n); ++w) {
        const Tensor text = spelled(w, source.tokens(), n);
        bool agrees = true;
        for (int64_t i = 0; i < n; ++i) agrees &= ids.at(i) < 0 || ids.at(i) == text.at(i);
        for (int64_t q = 0; agrees && q < power(source.states(), n); ++q) {
            const Tensor states = spelled(q, source.states(), n);
            f(states, text, joint(source, states, text));
        }
    }
}

HiddenMarkov small() {
    Rng rng(7);
    return HiddenMarkov::random(3, 2, 0.8, rng);
}

constexpr int32_t kHole = HiddenMarkov::kHole;
const std::vector<std::vector<int32_t>> kTexts{
    {0, 1, 1, 0, 1}, {1}, {kHole, 1, kHole, 0, 0}, {0, kHole, kHole, kHole, 1}, {kHole, kHole}};

// A table whose row t counts p where f says which column; rows then sum to 1.
template <class Column>
Tensor brute(const HiddenMarkov& source, const Tensor& ids, int64_t columns, Column column) {
    Tensor table = Tensor::zeros({ids.size(), columns}, Dtype::f64);
    everything(source, ids, [&](const Tensor& states, const Tensor& text, double p) {
        for (int64_t t = 0; t < ids.size(); ++t) {
            const int64_t at = t * columns + column(states, text, t);
            table.set(at, table.at(at) + p);
        }
    });
    return table / sum(table, {1}, true);
}

}  // namespace

TEST_CASE("hidden markov: the forward algorithm agrees with the sum over all paths of states") {
    const HiddenMarkov source = small();
    for (const auto& text : kTexts) {
        const Tensor ids = Tensor::from<int32_t>(text);
        double p = 0;
        everything(source, ids, [&](const Tensor&, const Tensor&, double q) { p += q; });
        CHECK(std::exp(-source.nats(ids)) == doctest::Approx(p).epsilon(1e-12));
    }
}

TEST_CASE("hidden markov: the probabilities of all texts of a length sum to 1") {
    const HiddenMarkov source = small();
    double total = 0;
    for (int64_t w = 0; w < power(2, 8); ++w) total += std::exp(-source.nats(spelled(w, 2, 8)));
    CHECK(total == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("hidden markov: each token's nats and the next token's distribution say the same") {
    Rng rng(1);
    const HiddenMarkov source = HiddenMarkov::random(5, 7, 0.4, rng);
    const Tensor ids = source.sample(200, rng).ids, next = source.next(ids);
    const Tensor nats = source.forward(ids).nats;
    for (int64_t t = 0; t < 200; ++t) {
        const double p = next.at(t * 7 + static_cast<int64_t>(ids.at(t)));
        CHECK(nats.at(t) == doctest::Approx(-std::log(p)).epsilon(1e-12));
    }
    CHECK(max(abs(sum(next, {1}) - 1)).item() < 1e-12);
}

TEST_CASE("hidden markov: filtered states agree with the sum over all paths") {
    const HiddenMarkov source = small();
    const Tensor ids = Tensor::from<int32_t>({0, 1, kHole, 1, 0});
    const HiddenMarkov::Forward now = source.forward(ids);
    for (int64_t t = 0; t < 5; ++t) {
        const Tensor past = ids.view({t + 1});
        const Tensor states = brute(source, past, 3, [](const Tensor& q, const Tensor&, int64_t i) {
            return static_cast<int64_t>(q.at(i));
        });
        for (int64_t s = 0; s < 3; ++s) {
            CHECK(now.states.at(t * 3 + s) == doctest::Approx(states.at(t * 3 + s)).epsilon(1e-12));
        }
    }
}

TEST_CASE("hidden markov: forward-backward agrees with the sum over all paths, holes included") {
    const HiddenMarkov source = small();
    for (const auto& text : kTexts) {
        const Tensor ids = Tensor::from<int32_t>(text);
        const Tensor states = brute(source, ids, 3, [](const Tensor& q, const Tensor&, int64_t t) {
            return static_cast<int64_t>(q.at(t));
        });
        CHECK(test::distance(source.posterior(ids), states) < 1e-12);
    }
}

TEST_CASE("hidden markov: cloze is the token's distribution when it alone is taken out") {
    const HiddenMarkov source = small();
    for (const auto& text : kTexts) {
        const Tensor ids = Tensor::from<int32_t>(text), guesses = source.cloze(ids);
        for (int64_t t = 0; t < ids.size(); ++t) {
            Tensor others = ids.clone();
            others.set(t, kHole);
            const Tensor table =
                brute(source, others, 2, [](const Tensor&, const Tensor& w, int64_t i) {
                    return static_cast<int64_t>(w.at(i));
                });
            for (int64_t w = 0; w < 2; ++w) {
                CHECK(guesses.at(t * 2 + w) == doctest::Approx(table.at(t * 2 + w)).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("hidden markov: a chain that shows its states is a Markov source") {
    Tensor identity = Tensor::zeros({8, 8}, Dtype::f64);
    for (int i = 0; i < 8; ++i) identity.set(i * 9, 1);
    const data::Markov chain = data::Markov::symmetric(8, 0.7);
    const HiddenMarkov source(chain.table(), identity);
    Rng rng(3);
    const Tensor ids = chain.sample(20000, rng);
    CHECK(source.nats(ids) == doctest::Approx(chain.nats(ids) + std::log(8)).epsilon(1e-12));

    // One token hidden, both its neighbours seen: 0.7287 nats on average.
    const Tensor guesses = source.cloze(ids);
    double nats = 0;
    for (int64_t t = 1; t + 1 < ids.size(); ++t) {
        nats -= std::log(guesses.at(t * 8 + static_cast<int64_t>(ids.at(t))));
    }
    CHECK(nats / 19998 == doctest::Approx(0.7287).epsilon(0.03));
}

TEST_CASE("hidden markov: a sample has the tables' frequencies") {
    Rng rng(4);
    const HiddenMarkov source = HiddenMarkov::random(3, 4, 0.7, rng);
    const int64_t n = 60000;
    const auto [states, ids] = source.sample(n, rng);
    double visits[3] = {}, moves[9] = {}, emits[12] = {};
    for (int64_t t = 0; t + 1 < n; ++t) {
        const auto s = static_cast<size_t>(states.at(t));
        visits[s] += 1;
        moves[s * 3 + static_cast<size_t>(states.at(t + 1))] += 1;
        emits[s * 4 + static_cast<size_t>(ids.at(t))] += 1;
    }
    for (size_t s = 0; s < 3; ++s) {
        for (size_t to = 0; to < 3; ++to) {
            const double p = source.transition().values<double>()[s * 3 + to];
            CHECK(std::abs(moves[s * 3 + to] - p * visits[s]) <=
                  4.5 * std::sqrt(p * (1 - p) * visits[s]) + 1e-6);
        }
        for (size_t w = 0; w < 4; ++w) {
            const double p = source.emission().values<double>()[s * 4 + w];
            CHECK(std::abs(emits[s * 4 + w] - p * visits[s]) <=
                  4.5 * std::sqrt(p * (1 - p) * visits[s]) + 1e-6);
        }
    }
}

TEST_CASE("hidden markov: long texts neither underflow nor lose the sum to 1") {
    Rng rng(5);
    const HiddenMarkov source = HiddenMarkov::random(6, 12, 0.3, rng);
    const Tensor ids = source.sample(20000, rng).ids;
    CHECK(std::isfinite(source.nats(ids)));
    CHECK(max(abs(sum(source.posterior(ids), {1}) - 1)).item() < 1e-12);
    CHECK(max(abs(sum(source.cloze(ids), {1}) - 1)).item() < 1e-12);
    // Whoever sees the other side too guesses better.
    const Tensor next = source.next(ids), cloze = source.cloze(ids);
    double before = 0, around = 0;
    for (int64_t t = 0; t < ids.size(); ++t) {
        const int64_t at = t * 12 + static_cast<int64_t>(ids.at(t));
        before -= std::log(next.at(at));
        around -= std::log(cloze.at(at));
    }
    CHECK(around < before);
}

TEST_CASE("hidden markov: what does not fit is refused") {
    const Tensor two = Tensor::from<double>({0.5, 0.5, 0, 1}, {2, 2});
    const Tensor three = Tensor::full({3, 2}, 0.5, Dtype::f64);
    const auto made = [](const Tensor& p, const Tensor& b, const Tensor& start = {}) {
        return test::error_of([&] { HiddenMarkov(p, b, start); });
    };
    CHECK(test::contains(made(two, three), "transitions are [2, 2], emissions [3, 2]"));
    CHECK(test::contains(made(three, three), "[S, S] and [S, V] expected"));
    CHECK(test::contains(made(two * 2, two), "transition: row 0 sums to 2"));
    CHECK(test::contains(made(two, two, Tensor::ones({1}, Dtype::f64)), "start is [1]"));
    CHECK(test::contains(made(two, two, Tensor::ones({2}, Dtype::f64)), "start: row 0 sums to 2"));
    Rng rng(1);
    CHECK(test::contains(test::error_of([&] { HiddenMarkov::random(0, 2, 1, rng); }), "0 states"));

    const Tensor start = Tensor::from<double>({0, 1});
    const HiddenMarkov source(two, two, start);  // it stays in state 1, which always says 1
    const auto read = [&](std::vector<int32_t> ids) {
        return test::error_of([&] { source.nats(Tensor::from<int32_t>(ids)); });
    };
    CHECK(test::contains(read({0, 2}), "id 2 at position 1; -1 ... 1 expected"));
    CHECK(test::contains(read({1, 0}), "token 0 at position 1 is impossible"));
}
