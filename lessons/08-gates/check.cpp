// Judges exercise.h of lesson 08: cells against the library's composed ones, which are themselves
// tested against PyTorch's figures; gradients against the tape, in float64; the rest against closed
// forms.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"

using namespace gradus;
using Values = std::vector<double>;

namespace {

constexpr int64_t kB = 3, kI = 4, kH = 5;

// The largest difference between two tensors; infinity where their shapes differ.
double distance(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() ? max(abs(a - b)).item() : INFINITY;
}
double distance(const Values& a, const Values& b) {
    if (a.size() != b.size()) return INFINITY;
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

Tensor noise(const Shape& shape, uint64_t seed) {
    return Rng(seed).normal(shape, 0, 1, Dtype::f64);
}

RecurrentWeights weights(int64_t gates, uint64_t seed = 1) {
    return {noise({gates * kH, kI}, seed), noise({gates * kH, kH}, seed + 1),
            noise({gates * kH}, seed + 2), noise({gates * kH}, seed + 3)};
}

// One step as the library takes it.
Recurrence library_step(Cell cell, const RecurrentWeights& w, const Tensor& x, const Tensor& h,
                        const Tensor& c = {}) {
    return composed::recurrent(cell, reshape(x, {x.size(0), 1, x.size(1)}), w, h, c);
}

Tensor part(const Tensor& all, int64_t gate) { return all.view({kH}, gate * kH); }

}  // namespace

// ---- task 1: the LSTM cell ----------------------------------------------------------------------

TEST_CASE("task 1 (2 points): one step gives the library's state") {
    const RecurrentWeights w = weights(4);
    const Tensor x = noise({kB, kI}, 7), h = noise({kB, kH}, 8), c = noise({kB, kH}, 9);
    const auto [mine_h, mine_c] = exercise::lstm_cell(w, x, {h, c});
    const Recurrence reference = library_step(Cell::lstm, w, x, h, c);
    CHECK(distance(mine_c, reference.c) < 1e-12);
    CHECK(distance(mine_h, reference.h) < 1e-12);
}

TEST_CASE(
    "task 1 (1 point): with all gates open the cell adds, with the forget gate shut it begins "
    "anew") {
    RecurrentWeights w = weights(4);
    for (Tensor t : {w.ih, w.hh, w.bias_ih, w.bias_hh}) t.fill(0);
    part(w.bias_ih, 0).fill(100);   // i = 1
    part(w.bias_ih, 1).fill(100);   // f = 1
    part(w.bias_ih, 2).fill(0.5);   // g = tanh(0.5)
    part(w.bias_ih, 3).fill(-100);  // o = 0
    const Tensor x = noise({kB, kI}, 7), c = noise({kB, kH}, 9);
    exercise::LstmState s{noise({kB, kH}, 8), c};
    for (int step = 0; step < 3; ++step) s = exercise::lstm_cell(w, x, s);
    CHECK(distance(s.c, c + 3 * std::tanh(0.5)) < 1e-12);
    CHECK(max(abs(s.h)).item() < 1e-12);
    part(w.bias_ih, 1).fill(-100);
    s = exercise::lstm_cell(w, x, s);
    CHECK(distance(s.c, Tensor::full({kB, kH}, std::tanh(0.5), Dtype::f64)) < 1e-12);
}

// ---- task 2: its way back -----------------------------------------------------------------------

TEST_CASE("task 2 (3 points): every gradient of a step is the tape's") {
    RecurrentWeights w = weights(4);
    Tensor x = noise({kB, kI}, 7), h = noise({kB, kH}, 8), c = noise({kB, kH}, 9);
    const Tensor dh = noise({kB, kH}, 10), dc = noise({kB, kH}, 11);
    const exercise::LstmGradients d = exercise::lstm_cell_backward(w, x, {h, c}, dh, dc);
    for (Tensor t : {x, h, c, w.ih, w.hh, w.bias_ih, w.bias_hh}) t.requires_grad();
    Tape tape;
    const Recurrence next = library_step(Cell::lstm, w, x, h, c);
    tape.backward(sum(next.h * dh) + sum(next.c * dc));
    CHECK(distance(d.x, x.grad()) < 1e-12);
    CHECK(distance(d.h, h.grad()) < 1e-12);
    CHECK(distance(d.c, c.grad()) < 1e-12);
    CHECK(distance(d.w.ih, w.ih.grad()) < 1e-12);
    CHECK(distance(d.w.hh, w.hh.grad()) < 1e-12);
    CHECK(distance(d.w.bias_ih, w.bias_ih.grad()) < 1e-12);
    CHECK(distance(d.w.bias_hh, w.bias_hh.grad()) < 1e-12);
}

TEST_CASE(
    "task 2 (1 point): steps taken back one after the other give the gradient of a sequence") {
    RecurrentWeights w = weights(4);
    const int64_t T = 6;
    const Tensor xs = noise({kB, T, kI}, 7), dh_end = noise({kB, kH}, 10);
    const auto x_at = [&](int64_t t) { return reshape(slice(xs, 1, t, t + 1), {kB, kI}); };
    const Tensor zeros = Tensor::zeros({kB, kH}, Dtype::f64);
    std::vector<exercise::LstmState> states{{zeros, zeros}};
    for (int64_t t = 0; t < T; ++t) {
        const Recurrence next =
            library_step(Cell::lstm, w, x_at(t), states.back().h, states.back().c);
        states.push_back({next.h, next.c});
    }
    Tensor dh = dh_end, dc = zeros, d_hh = Tensor::zeros(w.hh.shape(), Dtype::f64);
    for (int64_t t = T; t-- > 0;) {
        const auto d =
            exercise::lstm_cell_backward(w, x_at(t), states[static_cast<size_t>(t)], dh, dc);
        dh = d.h, dc = d.c, d_hh = d_hh + d.w.hh;
    }
    w.hh.requires_grad();
    Tape tape;
    tape.backward(sum(composed::recurrent(Cell::lstm, xs, w).h * dh_end));
    CHECK(distance(d_hh, w.hh.grad()) < 1e-11);
}

// ---- task 3: the GRU cell -----------------------------------------------------------------------

TEST_CASE("task 3 (2 points): one step gives the library's state") {
    const RecurrentWeights w = weights(3);
    const Tensor x = noise({kB, kI}, 7), h = noise({kB, kH}, 8);
    CHECK(distance(exercise::gru_cell(w, x, h), library_step(Cell::gru, w, x, h).h) < 1e-12);
}

TEST_CASE("task 3 (1 point): with z = 1 the state stays, with r = 0 only the hidden bias is lost") {
    RecurrentWeights w = weights(3);
    const Tensor x = noise({kB, kI}, 7), h = noise({kB, kH}, 8);
    w.bias_ih.view({kH}, kH).fill(500);
    CHECK(distance(exercise::gru_cell(w, x, h), h) < 1e-12);
    w.bias_ih.view({kH}, kH).fill(-500);
    w.bias_ih.view({kH}, 0).fill(-500);  // r = 0: W_hn h and b_hn are shut out
    const Tensor a = matmul(x, w.ih, Trans::b) + w.bias_ih;
    CHECK(distance(exercise::gru_cell(w, x, h), tanh(slice(a, 1, 2 * kH, 3 * kH))) < 1e-12);
}

// ---- task 4: the forget bias --------------------------------------------------------------------

TEST_CASE("task 4 (1 point): a cell without input keeps σ(bias) of itself; other gates stay") {
    for (const double bias : {0.0, 1.0, 4.0}) {
        RecurrentWeights w = weights(4);
        const Tensor before_ih = w.bias_ih.clone(), before_hh = w.bias_hh.clone();
        exercise::set_forget_bias(w, bias);
        for (const int64_t gate : {0, 2, 3}) {
            CHECK(distance(part(w.bias_ih, gate), part(before_ih, gate)) == 0);
            CHECK(distance(part(w.bias_hh, gate), part(before_hh, gate)) == 0);
        }
        part(w.bias_ih, 2).fill(0);
        part(w.bias_hh, 2).fill(0);  // g = 0
        const Tensor zeros = Tensor::zeros({kB, kH}, Dtype::f64), c = noise({kB, kH}, 9);
        const Tensor next =
            library_step(Cell::lstm, w, Tensor::zeros({kB, kI}, Dtype::f64), zeros, c).c;
        CAPTURE(bias);
        CHECK(distance(next, c / (1 + std::exp(-bias))) < 1e-12);
    }
}

TEST_CASE("task 4 (1 point): the bias for half a life of k steps") {
    CHECK(exercise::forget_bias_for(0.5, 1) == doctest::Approx(0));
    for (const int64_t steps : {1, 10, 100, 1000})
        for (const double share : {0.1, 0.5, 0.9}) {
            const double bias = exercise::forget_bias_for(share, steps);
            const double kept = 1 / (1 + std::exp(-bias));
            CHECK(std::pow(kept, static_cast<double>(steps)) ==
                  doctest::Approx(share).epsilon(1e-9));
        }
}

// ---- task 5: lengths ----------------------------------------------------------------------------

TEST_CASE("task 5 (2 points): a padded batch gives each row what it gives alone") {
    const RecurrentWeights w = weights(4);
    const int64_t T = 6;
    const exercise::Step step = [&](const Tensor& x, const exercise::LstmState& s) {
        const Recurrence next = library_step(Cell::lstm, w, x, s.h, s.c);
        return exercise::LstmState{next.h, next.c};
    };
    const Tensor x = noise({kB, T, kI}, 7), h = noise({kB, kH}, 8), c = noise({kB, kH}, 9);
    const Tensor lengths = Tensor::from<int32_t>({1, 6, 4});
    const exercise::Run run = exercise::run_with_lengths(step, x, lengths, {h, c});
    REQUIRE(run.y.shape() == Shape{kB, T, kH});
    for (int64_t b = 0; b < kB; ++b) {
        const auto length = static_cast<int64_t>(lengths.at(b));
        const Recurrence alone =
            composed::recurrent(Cell::lstm, slice(slice(x, 0, b, b + 1), 1, 0, length), w,
                                slice(h, 0, b, b + 1), slice(c, 0, b, b + 1));
        const Tensor y = slice(run.y, 0, b, b + 1);
        CAPTURE(b);
        CHECK(distance(slice(y, 1, 0, length), alone.y) < 1e-12);
        CHECK(distance(slice(run.last.h, 0, b, b + 1), alone.h) < 1e-12);
        CHECK(distance(slice(run.last.c, 0, b, b + 1), alone.c) < 1e-12);
        if (length < T) CHECK(max(abs(slice(y, 1, length, T))).item() == 0);
    }
}

TEST_CASE("task 5 (1 point): what stands in the padding changes nothing, gradients neither") {
    RecurrentWeights w = weights(4);
    const exercise::Step step = [&](const Tensor& x, const exercise::LstmState& s) {
        const Recurrence next = library_step(Cell::lstm, w, x, s.h, s.c);
        return exercise::LstmState{next.h, next.c};
    };
    const Tensor zeros = Tensor::zeros({1, kH}, Dtype::f64), direction = noise({1, kH}, 4);
    const auto gradient = [&](const Tensor& padding) {
        Tensor x = concat({noise({1, 3, kI}, 7), padding}, 1);
        x.requires_grad();
        Tape tape;
        const auto run =
            exercise::run_with_lengths(step, x, Tensor::from<int32_t>({3}), {zeros, zeros});
        tape.backward(sum(run.last.h * direction) + sum(run.y));
        return x.grad();
    };
    const Tensor a = gradient(noise({1, 2, kI}, 1)), b = gradient(noise({1, 2, kI}, 2) * 50);
    CHECK(distance(a, b) < 1e-12);
    CHECK(max(abs(slice(a, 1, 3, 5))).item() == 0);
    CHECK(max(abs(slice(a, 1, 0, 3))).item() > 0.01);
}

// ---- task 6: sampling ---------------------------------------------------------------------------

namespace {
Values logits_of(const Values& p) {
    Values logits;
    for (const double x : p) logits.push_back(std::log(x) + 3);  // a shift changes nothing
    return logits;
}
}  // namespace

TEST_CASE("task 6 (1 point): temperature flattens and sharpens, and large logits do no harm") {
    const Values x = logits_of({0.2, 0.5, 0.3});
    CHECK(distance(exercise::sampling_distribution(x, 1), {0.2, 0.5, 0.3}) < 1e-12);
    CHECK(distance(exercise::sampling_distribution(x, 0.5), {4. / 38, 25. / 38, 9. / 38}) < 1e-12);
    CHECK(distance(exercise::sampling_distribution(x, 1e9), {1. / 3, 1. / 3, 1. / 3}) < 1e-6);
    CHECK(distance(exercise::sampling_distribution({5000, 5000, -5000}, 0.1), {0.5, 0.5, 0}) <
          1e-12);
}

TEST_CASE("task 6 (1 point): top-k and top-p cut exactly where they should") {
    const Values x = logits_of({0.125, 0.5, 0.25, 0.125});
    const auto cut = [&](int64_t k, double p) {
        return exercise::sampling_distribution(x, 1, k, p);
    };
    CHECK(distance(cut(1, 1), {0, 1, 0, 0}) < 1e-12);
    CHECK(distance(cut(3, 1), {1. / 7, 4. / 7, 2. / 7, 0}) < 1e-12);  // of two equal ones the first
    CHECK(distance(cut(9, 1), {0.125, 0.5, 0.25, 0.125}) < 1e-12);
    CHECK(distance(cut(0, 0.49), {0, 1, 0, 0}) < 1e-12);
    CHECK(distance(cut(0, 0.51), {0, 2. / 3, 1. / 3, 0}) < 1e-12);
    CHECK(distance(cut(0, 0.76), {1. / 7, 4. / 7, 2. / 7, 0}) < 1e-12);
    // The first two have 6/7 = 0.857 of what top-k left.
    CHECK(distance(cut(3, 0.85), {0, 2. / 3, 1. / 3, 0}) < 1e-12);
}

TEST_CASE("task 6 (1 point): a number from [0, 1) draws a token") {
    const Values p{0.25, 0, 0.5, 0.25};
    CHECK(exercise::draw(p, 0) == 0);
    CHECK(exercise::draw(p, 0.2499) == 0);
    CHECK(exercise::draw(p, 0.25) == 2);
    CHECK(exercise::draw(p, 0.7499) == 2);
    CHECK(exercise::draw(p, 0.75) == 3);
    CHECK(exercise::draw(p, 0.9999) == 3);
    CHECK(exercise::draw({0, 1}, 0) == 1);
}

// ---- task 7: a unit that follows something ------------------------------------------------------

TEST_CASE("task 7 (2 points): the unit that follows a property is found, whichever its sign") {
    const int64_t N = 400;
    Values property;
    for (int64_t n = 0; n < N; ++n) property.push_back(n / 20 % 2 == 0 ? 1 : 0);
    for (const double sign : {1.0, -1.0}) {
        Tensor hidden = noise({N, 6}, 3);
        for (int64_t n = 0; n < N; ++n)  // unit 4 follows, under noise and with an offset
            hidden.set(n * 6 + 4, 0.7 + 0.1 * sign * property[static_cast<size_t>(n)] +
                                      0.02 * hidden.at(n * 6 + 4));
        const exercise::Probe found = exercise::best_unit(hidden, property);
        CHECK(found.unit == 4);
        // Signal 0.05² against noise 0.02²: √(25/29).
        CHECK(found.correlation == doctest::Approx(sign * std::sqrt(25. / 29)).epsilon(0.02));
    }
}

TEST_CASE(
    "task 7 (1 point): scale and offset do not matter, and a unit that never changes is none") {
    Values property;
    Tensor hidden = Tensor::empty({50, 3}, Dtype::f64);
    for (int64_t n = 0; n < 50; ++n) {
        property.push_back(static_cast<double>(n % 10));
        hidden.set(n * 3, 5);
        hidden.set(n * 3 + 1, static_cast<double>(n % 7) * 1000);
        hidden.set(n * 3 + 2, 1 - 1e-3 * static_cast<double>(n % 10));
    }
    const exercise::Probe found = exercise::best_unit(hidden, property);
    CHECK(found.unit == 2);
    CHECK(found.correlation == doctest::Approx(-1));
    const exercise::Probe none = exercise::best_unit(Tensor::ones({50, 2}, Dtype::f64), property);
    CHECK(none.correlation == 0);
}
