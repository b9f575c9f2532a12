#include "data/sources/in_context.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Batch, data::InContextChains;

namespace {

// x and y of one row of ids.
Batch row_of(const std::vector<int32_t>& ids) {
    const auto n = static_cast<int64_t>(ids.size()) - 1;
    return {Tensor::from<int32_t>({ids.begin(), ids.end() - 1}, {1, n}),
            Tensor::from<int32_t>({ids.begin() + 1, ids.end()}, {1, n})};
}

// All rows of `length` ids over k symbols, given to f.
template <class F>
void every_row(int64_t k, int64_t length, F f) {
    for (int64_t number = 0; number < std::pow(k, length); ++number) {
        std::vector<int32_t> ids;
        for (int64_t i = 0, rest = number; i < length; ++i, rest /= k)
            ids.push_back(static_cast<int32_t>(rest % k));
        f(ids);
    }
}

}  // namespace

TEST_CASE("in-context chains: the predictive's product is the closed form of the rows' integral") {
    // ∫ Π_j P_ij^n_ij over a Dirichlet row: Γ(Kα)/Γ(Kα + n_i) Π_j Γ(α + n_ij)/Γ(α).
    const InContextChains source{.symbols = 3, .time = 40, .concentration = 0.4, .batch = 5};
    const Batch rows = source.at(0);
    const Tensor nats = sum(source.nats(rows), {1});
    for (int64_t b = 0; b < 5; ++b) {
        std::map<int, int> counts, totals;
        for (int64_t i = b * 40; i < (b + 1) * 40; ++i) {
            const int from = rows.x.data<int32_t>()[i];
            ++counts[from * 3 + rows.y.data<int32_t>()[i]];
            ++totals[from];
        }
        double log_p = 0;
        for (const auto& [from, n] : totals) log_p += std::lgamma(1.2) - std::lgamma(1.2 + n);
        for (const auto& [pair, n] : counts) log_p += std::lgamma(0.4 + n) - std::lgamma(0.4);
        CHECK(nats.at(b) == doctest::Approx(-log_p).epsilon(1e-10));
    }
}

TEST_CASE("in-context chains: rows are drawn as often as the likelihood says") {
    const InContextChains source{
        .symbols = 2, .time = 3, .concentration = 0.5, .batch = 40000, .seed = 1};
    const Batch rows = source.at(2);
    std::map<std::vector<int32_t>, int> seen;
    for (int64_t b = 0; b < source.batch; ++b) {
        const int32_t *x = rows.x.data<int32_t>() + b * 3, *y = rows.y.data<int32_t>() + b * 3;
        ++seen[{x[0], x[1], x[2], y[2]}];
    }
    double total = 0;
    every_row(2, 4, [&](const std::vector<int32_t>& ids) {
        const double p = std::exp(-sum(source.nats(row_of(ids))).item()) / 2;  // the first: any
        const double n = static_cast<double>(source.batch);
        CHECK(std::abs(seen[ids] - p * n) <= 4.5 * std::sqrt(p * (1 - p) * n));
        total += p;
    });
    CHECK(total == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("in-context chains: counts by hand") {
    const InContextChains source{.symbols = 4, .concentration = 0.5};
    //  0→1: 0.5/2; 1→0: 0.5/2; 0→1, once seen: 1.5/3; 1→2: 0.5/3.
    const Batch row = row_of({0, 1, 0, 1, 2});
    const Tensor nats = source.nats(row), unigram = source.unigram_nats(row);
    const double expected[] = {0.25, 0.25, 0.5, 0.5 / 3};
    //  Targets 1 0 1 2 by how often each was a target before, and one more.
    const double counted[] = {1.0 / 4, 1.0 / 5, 2.0 / 6, 1.0 / 7};
    for (int i = 0; i < 4; ++i) {
        CHECK(std::exp(-nats.at(i)) == doctest::Approx(expected[i]));
        CHECK(std::exp(-unigram.at(i)) == doctest::Approx(counted[i]));
    }
}

TEST_CASE("in-context chains: the longer the context, the better; symbols alone say less") {
    const InContextChains source{.symbols = 4, .time = 100, .concentration = 0.3, .batch = 4000};
    const Batch rows = source.at(0);
    const Tensor nats = mean(source.nats(rows), {0}),
                 unigram = mean(source.unigram_nats(rows), {0});
    CHECK(nats.at(0) == doctest::Approx(std::log(4)));  // nothing is known yet
    CHECK(nats.at(99) < 0.92 * nats.at(10));
    CHECK(mean(unigram).item() > mean(nats).item() + 0.1);
}

TEST_CASE("in-context chains: a step's batch depends on the seed and the step alone") {
    const InContextChains source{.seed = 5};
    const Tensor fifth = source.at(5).x;
    source.at(0);
    CHECK(fifth.shape() == Shape{32, 64});
    CHECK(test::same_bits(source.at(5).x, fifth));
    CHECK_FALSE(test::same_bits(source.at(6).x, fifth));
    CHECK_FALSE(test::same_bits(InContextChains{.seed = 6}.at(5).x, fifth));
}

TEST_CASE("in-context chains: what makes no sense is refused") {
    const auto refusal = [](const InContextChains& source, int64_t step = 0) {
        return test::error_of([&] { source.at(step); });
    };
    CHECK(test::contains(refusal({.symbols = 1}), "1 symbols"));
    CHECK(test::contains(refusal({.time = 0}), "0 targets"));
    CHECK(test::contains(refusal({.concentration = 0}), "concentration 0"));
    CHECK(test::contains(refusal({.batch = 0}), "a batch of 0"));
    CHECK(test::contains(refusal({}, -1), "step -1"));

    const InContextChains source{.symbols = 3};
    const auto read = [&](const Batch& rows) { return test::error_of([&] { source.nats(rows); }); };
    CHECK(test::contains(read(row_of({0, 3, 0})), "id 3 at position 1; 0 ... 2 expected"));
    const Tensor x = Tensor::from<int32_t>({0, 1}, {1, 2});
    CHECK(test::contains(read({x, x}), "row 0: target 0 is 0, and x goes on with 1"));
    CHECK(test::contains(read({x, Tensor::zeros({2}, Dtype::i32)}), "x is [1, 2], y [2]"));
}
