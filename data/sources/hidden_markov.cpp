#include "data/sources/hidden_markov.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "autograd/ops.h"
#include "data/sources/distribution.h"

namespace gradus::data {
namespace {

// Divides by the sum; gives the sum.
double normalise(std::span<double> x) {
    const double total = std::accumulate(x.begin(), x.end(), 0.0);
    for (double& value : x) value /= total;
    return total;
}

// x / Σ x along the last axis.
Tensor normalised_rows(const Tensor& x) { return x / sum(x, {1}, true); }

std::span<double> row_of(Tensor& table, int64_t i) {
    const int64_t columns = table.size(1);
    return {table.data<double>() + i * columns, static_cast<size_t>(columns)};
}

}  // namespace

HiddenMarkov::HiddenMarkov(const Tensor& transition, const Tensor& emission, const Tensor& start)
    : transition_(transition), emission_(emission), start_(start) {
    check_rows("hidden markov: transition", transition_);
    check_rows("hidden markov: emission", emission_);
    const int64_t s = states();
    check(transition_.size(1) == s && emission_.size(0) == s, "hidden markov",
          "transitions are {}, emissions {}; [S, S] and [S, V] expected", transition_.shape(),
          emission_.shape());
    if (start_.defined()) {
        check(start_.shape() == Shape{s}, "hidden markov", "start is {}; [S] = {} expected",
              start_.shape(), Shape{s});
        check_rows("hidden markov: start", start_.view({1, s}));
    } else {
        start_ = stationary("hidden markov", s, [&](const Tensor& pi) {
            return reshape(matmul(reshape(pi, {1, s}), transition_), {s});
        });
    }
}

HiddenMarkov HiddenMarkov::random(int64_t states, int64_t tokens, double concentration, Rng& rng) {
    check(states >= 1 && tokens >= 1, "hidden markov",
          "{} states, {} tokens; at least one of each expected", states, tokens);
    const Tensor transition = dirichlet(states, states, concentration, rng);
    return HiddenMarkov(transition, dirichlet(states, tokens, concentration, rng));
}

HiddenMarkov::Sample HiddenMarkov::sample(int64_t n, Rng& rng) const {
    check(n >= 0, "hidden markov", "a sample of {} tokens; 0 or more expected", n);
    Sample sample{Tensor::empty({n}, Dtype::i32), Tensor::empty({n}, Dtype::i32)};
    int32_t state = 0;
    for (int64_t i = 0; i < n; ++i) {
        state = draw(i == 0 ? start_.values<double>() : row(transition_, state), rng);
        sample.states.data<int32_t>()[i] = state;
        sample.ids.data<int32_t>()[i] = draw(row(emission_, state), rng);
    }
    return sample;
}

// Rabiner 1989, section V.A:
//   expected_t(s) = Σ_r states_{t-1}(r) P(r, s),    states_t(s) = expected_t(s) B(s, w_t) / c_t,
// where c_t, which makes the sum 1, is p(w_t | w_1 ... w_{t-1}).
HiddenMarkov::Forward HiddenMarkov::forward(const Tensor& ids) const {
    check_ids("hidden markov", ids, tokens(), kHole);
    const int64_t n = ids.size(), s = states(), v = tokens();
    Forward now{Tensor::zeros({n}, Dtype::f64), Tensor::empty({n, s}, Dtype::f64),
                Tensor::zeros({n, s}, Dtype::f64)};
    const double *move = transition_.data<double>(), *emit = emission_.data<double>();
    for (int64_t t = 0; t < n; ++t) {
        double* expected = now.expected.data<double>() + t * s;
        double* known = now.states.data<double>() + t * s;
        if (t == 0) std::copy_n(start_.data<double>(), s, expected);
        for (int64_t r = 0; t > 0 && r < s; ++r) {
            for (int64_t to = 0; to < s; ++to) expected[to] += known[r - s] * move[r * s + to];
        }
        const int32_t id = ids.data<int32_t>()[t];
        for (int64_t k = 0; k < s; ++k) {
            known[k] = expected[k] * (id == kHole ? 1 : emit[k * v + id]);
        }
        const double p = normalise(row_of(now.states, t));
        check(p > 0, "hidden markov", "token {} at position {} is impossible after those before it",
              id, t);
        if (id != kHole) now.nats.set(t, -std::log(p));
    }
    return now;
}

double HiddenMarkov::nats(const Tensor& ids) const { return sum(forward(ids).nats).item(); }

Tensor HiddenMarkov::next(const Tensor& ids) const {
    return matmul(forward(ids).expected, emission_);
}

// What the tokens after each position say of the state there, up to a factor, [n, S]:
//   β_t(s) = Σ_r P(s, r) B(r, w_{t+1}) β_{t+1}(r).
Tensor HiddenMarkov::backward(const Tensor& ids) const {
    const int64_t n = ids.size(), s = states(), v = tokens();
    Tensor beta = Tensor::ones({n, s}, Dtype::f64);
    const double *move = transition_.data<double>(), *emit = emission_.data<double>();
    std::vector<double> seen(static_cast<size_t>(s));  // B(r, w_{t+1}) β_{t+1}(r)
    for (int64_t t = n - 2; t >= 0; --t) {
        double* here = beta.data<double>() + t * s;
        const int32_t id = ids.data<int32_t>()[t + 1];
        for (int64_t r = 0; r < s; ++r) {
            seen[static_cast<size_t>(r)] = here[s + r] * (id == kHole ? 1 : emit[r * v + id]);
        }
        for (int64_t k = 0; k < s; ++k) {
            here[k] = std::inner_product(seen.begin(), seen.end(), move + k * s, 0.0);
        }
        normalise(row_of(beta, t));
    }
    return beta;
}

Tensor HiddenMarkov::posterior(const Tensor& ids) const {
    return normalised_rows(forward(ids).states * backward(ids));
}

Tensor HiddenMarkov::cloze(const Tensor& ids) const {
    return matmul(normalised_rows(forward(ids).expected * backward(ids)), emission_);
}

}  // namespace gradus::data
