// Judges exercise.h of lesson 10: batches by hand, the network against scalar loops and the gradient check
// in float64, the search against trying everything, the measures against counted examples.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "autograd/gradcheck.h"
#include "data/pairs/bleu.h"
#include "exercise.h"

using namespace gradus;
using exercise::Ids;

namespace {

constexpr int64_t V = 6, E = 3, H = 4;

std::vector<int32_t> numbers(const Tensor& ids) {
    REQUIRE(ids.dtype() == Dtype::i32);
    const auto values = ids.values<int32_t>();
    return {values.begin(), values.end()};
}

// Weights of a small network: table [V, E], W [H, E], U [H, H], head [V, H].
struct Weights {
    Tensor table, w, u, head;
    explicit Weights(uint64_t seed = 1) {
        Rng rng(seed);
        table = rng.normal({V, E}, 0, 1, Dtype::f64);
        w = rng.normal({H, E}, 0, 0.7, Dtype::f64);
        u = rng.normal({H, H}, 0, 0.7, Dtype::f64);
        head = rng.normal({V, H}, 0, 1, Dtype::f64);
    }
    exercise::Cell cell() const {
        return [*this](const Tensor& x, const Tensor& h) {
            return tanh(matmul(x, w, Trans::b) + matmul(h, u, Trans::b));
        };
    }
    exercise::Decoder decoder() const {
        return {table, cell(), [*this](const Tensor& h) { return matmul(h, head, Trans::b); }};
    }
};

// One row's state after some tokens, by plain loops.
std::vector<double> state_after(const Weights& net, std::vector<double> h, const Ids& tokens) {
    for (const int32_t token : tokens) {
        std::vector<double> next(H);
        for (int64_t i = 0; i < H; ++i) {
            double sum = 0;
            for (int64_t j = 0; j < E; ++j)
                sum += net.w.at(i * E + j) * net.table.at(token * E + j);
            for (int64_t j = 0; j < H; ++j) sum += net.u.at(i * H + j) * h[static_cast<size_t>(j)];
            next[static_cast<size_t>(i)] = std::tanh(sum);
        }
        h = next;
    }
    return h;
}

std::vector<double> row_of(const Tensor& x, int64_t row) {
    std::vector<double> values;
    for (int64_t i = 0; i < x.size(1); ++i) values.push_back(x.at(row * x.size(1) + i));
    return values;
}

// ln p of each token after a state.
std::vector<double> log_probabilities(const Weights& net, const std::vector<double>& h) {
    std::vector<double> logits(V);
    double total = 0;
    for (int64_t v = 0; v < V; ++v) {
        auto& logit = logits[static_cast<size_t>(v)];
        for (int64_t j = 0; j < H; ++j) logit += net.head.at(v * H + j) * h[static_cast<size_t>(j)];
        total += std::exp(logit);
    }
    for (double& logit : logits) logit -= std::log(total);
    return logits;
}

// A model over 0 ... 4 whose distributions look at all that was said, and are never uniform.
exercise::Next noise(uint64_t seed) {
    return [seed](const Ids& before) {
        uint64_t key = seed;
        for (const int32_t token : before) key = key * 31 + static_cast<uint64_t>(token) + 1;
        Rng rng(key);
        std::vector<double> log_p(5);
        double total = 0;
        for (double& p : log_p) total += std::exp(p = 1.5 * rng.normal());
        for (double& p : log_p) p -= std::log(total);
        return log_p;
    };
}

// Every sentence of at most `most` tokens that ends.
void try_all(const exercise::Next& next, const exercise::Hypothesis& so_far, int64_t most,
             std::vector<exercise::Hypothesis>& all) {
    const auto log_p = next(so_far.tokens);
    all.push_back({so_far.tokens, so_far.log_p + log_p[exercise::kEnd]});
    if (static_cast<int64_t>(so_far.tokens.size()) == most) return;
    for (const int32_t token : {0, 1, 3, 4}) {
        exercise::Hypothesis longer = so_far;
        longer.tokens.push_back(token);
        longer.log_p += log_p[static_cast<size_t>(token)];
        try_all(next, longer, most, all);
    }
}

std::vector<std::vector<std::string>> as_words(const std::vector<Ids>& sentences) {
    std::vector<std::vector<std::string>> words;
    for (const Ids& ids : sentences) {
        auto& sentence = words.emplace_back();
        for (const int32_t id : ids) sentence.push_back(std::to_string(id));
    }
    return words;
}

}  // namespace

// ---- task 1: batches ----------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): sources end, then are filled up; lengths count the end") {
    const auto batch = exercise::make_batch({{{5, 6, 7}, {8}}, {{9}, {4, 5}}});
    REQUIRE(batch.source.shape() == Shape{2, 4});
    CHECK(numbers(batch.source) == Ids{5, 6, 7, 2, 9, 2, 0, 0});
    CHECK(batch.lengths == Ids{4, 2});
}

TEST_CASE("task 1 (1 point): the decoder is to say what it reads a step later, and nothing after") {
    const auto batch = exercise::make_batch({{{5, 6, 7}, {8}}, {{9}, {4, 5}}});
    REQUIRE(batch.x.shape() == Shape{2, 3});
    REQUIRE(batch.y.shape() == Shape{2, 3});
    CHECK(numbers(batch.x) == Ids{1, 8, 0, 1, 4, 5});
    CHECK(numbers(batch.y) == Ids{8, 2, -100, 4, 5, 2});
}

// ---- task 2: the encoder ------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): each row ends in the state after its own last token") {
    const Weights net;
    Rng rng(2);
    const Tensor h0 = rng.normal({3, H}, 0, 0.5, Dtype::f64);
    const Tensor source = Tensor::from<int32_t>({3, 4, 5, 2, 5, 2, 0, 0, 4, 3, 2, 0}, {3, 4});
    const Tensor h = exercise::encode(net.cell(), net.table, h0, source, {4, 2, 3});
    REQUIRE(h.shape() == Shape{3, H});
    const std::vector<Ids> rows{{3, 4, 5, 2}, {5, 2}, {4, 3, 2}};
    for (int64_t b = 0; b < 3; ++b) {
        const auto expected = state_after(net, row_of(h0, b), rows[static_cast<size_t>(b)]);
        for (int64_t j = 0; j < H; ++j) {
            CAPTURE(b);
            CHECK(h.at(b * H + j) == doctest::Approx(expected[static_cast<size_t>(j)]));
        }
    }
}

TEST_CASE("task 2 (1 point): its gradients are right, and what stands after the end has none") {
    const Weights net;
    const Tensor source = Tensor::from<int32_t>({3, 4, 5, 4, 3, 1}, {2, 3});
    const auto check = gradcheck(
        [&](const std::vector<Tensor>& in) {
            Weights other = net;
            other.w = in[1], other.u = in[2];
            return exercise::encode(other.cell(), in[0], in[3], source, {3, 2});
        },
        {net.table, net.w, net.u, Rng(3).normal({2, H}, 0, 1, Dtype::f64)});
    CHECK_MESSAGE(check.ok, check.message);
    Tensor table = net.table.clone();
    table.requires_grad();
    Tape tape;
    tape.backward(sum(
        exercise::encode(net.cell(), table, Tensor::zeros({2, H}, Dtype::f64), source, {3, 2})));
    CHECK(max(abs(slice(table.grad(), 0, 1, 2))).item() == 0);  // token 1 is filling
    CHECK(max(abs(slice(table.grad(), 0, 5, 6))).item() > 0);
}

// ---- task 3: teacher forcing --------------------------------------------------------------------

TEST_CASE("task 3 (2 points): the mean of -ln p over what is to be said; filling does not count") {
    const Weights net(4);
    const Tensor h0 = Rng(5).normal({2, H}, 0, 1, Dtype::f64);
    const Tensor x = Tensor::from<int32_t>({1, 3, 4, 5, 1, 4, 0, 0}, {2, 4});
    const Tensor y = Tensor::from<int32_t>({3, 4, 5, 2, 4, 2, -100, -100}, {2, 4});
    double nats = 0;
    for (int64_t b = 0; b < 2; ++b) {
        Ids read;
        for (int64_t t = 0; t < 4; ++t) {
            read.push_back(static_cast<int32_t>(x.at(b * 4 + t)));
            const auto target = static_cast<int64_t>(y.at(b * 4 + t));
            if (target < 0) continue;
            const auto h = state_after(net, row_of(h0, b), read);
            nats -= log_probabilities(net, h)[static_cast<size_t>(target)];
        }
    }
    const Tensor loss = exercise::decoder_loss(net.decoder(), h0, x, y);
    REQUIRE(loss.size() == 1);
    CHECK(loss.item() == doctest::Approx(nats / 6).epsilon(1e-10));
}

TEST_CASE("task 3 (1 point): its gradients are right, back to the encoder's state") {
    const Weights net(6);
    const Tensor x = Tensor::from<int32_t>({1, 3, 4, 1, 5, 0}, {2, 3});
    const Tensor y = Tensor::from<int32_t>({3, 4, 2, 5, 2, -100}, {2, 3});
    const auto check = gradcheck(
        [&](const std::vector<Tensor>& in) {
            Weights other = net;
            other.table = in[0], other.w = in[1], other.u = in[2], other.head = in[3];
            return exercise::decoder_loss(other.decoder(), in[4], x, y);
        },
        {net.table, net.w, net.u, net.head, Rng(7).normal({2, H}, 0, 1, Dtype::f64)});
    CHECK_MESSAGE(check.ok, check.message);
}

// ---- task 4: scheduled sampling -----------------------------------------------------------------

TEST_CASE("task 4 (1 point): a share of 0 reads the truth, a share of 1 the decoder's own words") {
    Tensor logits = Rng(8).normal({50, 7});
    const Tensor truth = Tensor::full({50}, 9, Dtype::i32);  // no token of the logits
    Rng rng(1);
    CHECK(numbers(exercise::next_input(truth, logits, 0, rng)) == Ids(50, 9));
    CHECK(numbers(exercise::next_input(truth, logits, 1, rng)) == numbers(argmax(logits)));
}

TEST_CASE("task 4 (1 point): a share between is that of the rows, each decided by itself") {
    const Tensor logits = Tensor::from<float>(std::vector<float>(20'000, 0.5F), {10'000, 2});
    const Tensor truth = Tensor::full({10'000}, 1, Dtype::i32);  // its own words are 0
    for (const double share : {0.25, 0.75}) {
        Rng rng(2), after(2);
        int own = 0, changes = 0, before = 1;
        for (const int32_t id : numbers(exercise::next_input(truth, logits, share, rng))) {
            own += id == 0;
            changes += id != before;
            before = id;
        }
        CAPTURE(share);
        CHECK(std::abs(own / 10'000.0 - share) < 0.02);
        CHECK(std::abs(changes / 10'000.0 - 2 * share * (1 - share)) < 0.02);
        after.skip(10'000);
        CHECK(rng.next() == after.next());  // one number a row
    }
}

// ---- task 5: greedy -----------------------------------------------------------------------------

TEST_CASE(
    "task 5 (1 point): what it says is at each step the most probable, of equal ones the first") {
    const exercise::Next counts_to_three = [](const Ids& before) {
        std::vector<double> log_p(7, -5.0);
        log_p[before.size() < 3 ? 3 + before.size() : 2] = -0.1;
        return log_p;
    };
    CHECK(exercise::greedy(counts_to_three, 10) == Ids{3, 4, 5});
    const exercise::Next undecided = [](const Ids& before) {
        return before.empty() ? std::vector<double>{-3, -3, -3, -1, -1}
                              : std::vector<double>{-3, -3, -1, -1, -2};
    };
    CHECK(exercise::greedy(undecided, 10) == Ids{3});
}

TEST_CASE("task 5 (1 point): a model that never ends is stopped, and is not asked once more") {
    int asked = 0;
    const exercise::Next endless = [&](const Ids&) {
        ++asked;
        return std::vector<double>{-9, -9, -9, -1};
    };
    CHECK(exercise::greedy(endless, 4) == Ids{3, 3, 3, 3});
    CHECK(asked == 4);
    const exercise::Next silent = [](const Ids&) { return std::vector<double>{-9, -9, -1, -9}; };
    CHECK(exercise::greedy(silent, 4).empty());
}

// ---- task 6: beam search ------------------------------------------------------------------------

TEST_CASE("task 6 (2 points): a step keeps the most probable of all continuations, best first") {
    const exercise::Next next = [](const Ids& before) {
        return before == Ids{3} ? std::vector<double>{-9, -9, -1, -2, -3}
                                : std::vector<double>{-9, -9, -4, -0.2, -0.1};
    };
    const exercise::Beam beam{{{{3}, -1}, {{4}, -2}}, {{{4, 4}, -7}}};
    const auto after = exercise::beam_step(next, beam, 3);
    REQUIRE(after.open.size() == 2);  // -2.1 and -2.2; -2 has ended
    CHECK(after.open[0].tokens == Ids{4, 4});
    CHECK(after.open[0].log_p == doctest::Approx(-2.1));
    CHECK(after.open[1].tokens == Ids{4, 3});
    CHECK(after.open[1].log_p == doctest::Approx(-2.2));
    REQUIRE(after.ended.size() == 2);
    CHECK(after.ended[0].tokens == Ids{4, 4});  // from before
    CHECK(after.ended[1].tokens == Ids{3});
    CHECK(after.ended[1].log_p == doctest::Approx(-2));
}

TEST_CASE("task 6 (1 point): a beam that holds everything finds the best of all sentences") {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        const auto next = noise(seed);
        std::vector<exercise::Hypothesis> all;
        try_all(next, {}, 3, all);
        exercise::Beam beam;
        for (int step = 0; step < 4; ++step) beam = exercise::beam_step(next, beam, 1000);
        CAPTURE(seed);
        REQUIRE(beam.ended.size() == all.size());  // 1 + 4 + 16 + 64
        const auto found = exercise::best_of(beam.ended, 0), best = exercise::best_of(all, 0);
        CHECK(found.tokens == best.tokens);
        CHECK(found.log_p == doctest::Approx(best.log_p));
        for (const auto& other : all) CHECK(found.log_p >= other.log_p - 1e-12);
    }
}

TEST_CASE("task 6 (1 point): the longer of two wins where the length penalty makes up for it") {
    const std::vector<exercise::Hypothesis> ended{{{3}, -3.0}, {{3, 4, 3, 4, 3}, -3.6}};
    CHECK(exercise::best_of(ended, 0).tokens == Ids{3});
    CHECK(exercise::best_of(ended, 1).tokens == Ids{3, 4, 3, 4, 3});
    // -3 / (7/6)^α = -3.6 / (11/6)^α
    const double even = std::log(3.6 / 3) / std::log(11.0 / 7);
    CHECK(exercise::best_of(ended, even - 0.01).tokens.size() == 1);
    CHECK(exercise::best_of(ended, even + 0.01).tokens.size() == 5);
    CHECK(exercise::best_of({{{3}, -1}, {{4}, -1}}, 0.6).tokens == Ids{3});
}

// ---- task 7: the error rate ---------------------------------------------------------------------

TEST_CASE("task 7 (1 point): put in, take out, replace: the fewest of them") {
    const std::vector<std::tuple<Ids, Ids, int>> cases{
        {{}, {1, 2, 3}, 3},
        {{1, 2, 3}, {1, 2, 3}, 0},
        {{1, 3}, {1, 2, 3}, 1},
        {{2, 3, 4}, {1, 2, 3}, 2},
        {{1, 9, 3}, {1, 2, 3}, 1},
        {{3, 2, 1}, {1, 2, 3}, 2},
        {{1, 1, 1, 1}, {1}, 3},
        {{11, 9, 20, 20, 5, 14}, {19, 9, 20, 20, 9, 14, 7}, 3}};  // kitten, sitting
    for (const auto& [said, right, fewest] : cases) {
        const int errors = fewest;  // clang 14 captures no structured bindings
        CAPTURE(errors);
        CHECK(exercise::error_rate({said}, {right}) ==
              doctest::Approx(errors / static_cast<double>(right.size())));
    }
}

TEST_CASE("task 7 (1 point): every token of the corpus counts the same; it can be above 1") {
    CHECK(exercise::error_rate({{1}, {1, 2, 3, 4}}, {{9}, {1, 2, 3, 4}}) == doctest::Approx(0.2));
    CHECK(exercise::error_rate({{1, 1, 1, 1}}, {{9}}) == doctest::Approx(4));
}

// ---- task 8: BLEU -------------------------------------------------------------------------------

TEST_CASE("task 8 (1 point): an n-gram counts as often as it is in the translation, no oftener") {
    // Said: 1 ×5, 2, 3, 4. Right: 1 2 3 4 and four others. p = 4/8, 3/7, 2/6, 1/5.
    const double bleu = exercise::bleu({{1, 1, 1, 1, 1, 2, 3, 4}}, {{1, 2, 3, 4, 5, 6, 7, 8}});
    CHECK(bleu == doctest::Approx(100 * std::pow(4.0 / 8 * 3.0 / 7 * 2.0 / 6 * 1.0 / 5, 0.25)));
}

TEST_CASE("task 8 (1 point): what is too short is punished by e^(1 - r/c), what is long is not") {
    const Ids right{1, 2, 3, 4, 5, 6, 7, 8};
    CHECK(exercise::bleu({right}, {right}) == doctest::Approx(100));
    CHECK(exercise::bleu({{1, 2, 3, 4, 5, 6}}, {right}) ==
          doctest::Approx(100 * std::exp(1 - 8.0 / 6)));
    const double longer = exercise::bleu({{1, 2, 3, 4, 5, 6, 7, 8, 9, 9}}, {right});
    CHECK(longer == doctest::Approx(100 * std::pow(8.0 / 10 * 7.0 / 9 * 6.0 / 8 * 5.0 / 7, 0.25)));
    CHECK(exercise::bleu({{9, 9, 9, 9}}, {right}) == 0);
    CHECK(exercise::bleu({{1, 2, 3}}, {right}) == 0);  // has no 4-grams
}

TEST_CASE("task 8 (1 point): it is the corpus's, equal to the library's") {
    Rng rng(9);
    std::vector<Ids> said, right;
    for (int s = 0; s < 40; ++s) {
        Ids& ids = right.emplace_back();
        for (int64_t left = 4 + rng.below(12); left > 0; --left)
            ids.push_back(static_cast<int32_t>(rng.below(9)));
        said.push_back(ids);
        for (int32_t& id : said.back())
            if (rng.below(4) == 0) id = static_cast<int32_t>(rng.below(9));
        if (s % 3 == 0) said.back().pop_back();
    }
    said[0] = {};
    const double bleu = data::bleu(as_words(said), as_words(right)).score;
    CHECK(bleu > 20);
    CHECK(exercise::bleu(said, right) == doctest::Approx(bleu).epsilon(1e-10));
}
