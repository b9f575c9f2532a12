// Judges exercise.h of lesson 04: counts and probabilities against ones made by hand, gradients against
// the tape and central differences, Witten-Bell against the library's.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "exercise.h"
#include "models/ngram.h"

using namespace gradus;
using counting::Grams, counting::Ids;

namespace {

// a is 0, b is 1, ...
Ids letters(const std::string& text) {
    Ids ids;
    for (const char c : text) ids.push_back(c - 'a');
    return ids;
}

Ids random_ids(int64_t count, int64_t vocab, uint64_t seed) {
    Rng rng(seed);
    Ids ids;  // the lower ones more often
    for (int64_t i = 0; i < count; ++i)
        ids.push_back(static_cast<int32_t>(std::min(rng.below(vocab), rng.below(vocab))));
    return ids;
}

Tensor from_rows(const std::vector<double>& numbers, int64_t columns) {
    return Tensor::from(numbers, {static_cast<int64_t>(numbers.size()) / columns, columns});
}

// The largest difference between two tensors.
double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item(); }

// How often each pair of three tokens stands in some text.
Tensor some_counts() { return from_rows({5, 2, 1, 1, 1, 1, 4, 3, 13}, 3); }

Tensor tape_gradient(const Tensor& at, const Tensor& counts) {
    Tensor w = at.clone();
    w.requires_grad();
    Tape tape;
    tape.backward(exercise::softmax_loss(w, counts));
    return w.grad();
}

}  // namespace

// ---- task 1: bigrams ----------------------------------------------------------------------------

TEST_CASE("task 1 (1 point): the pairs of abac, by hand: a row for the token before") {
    const Tensor counts = exercise::count_bigrams(letters("abaccc"), 4);
    CHECK(counts.dtype() == Dtype::f64);
    REQUIRE(counts.shape() == Shape{4, 4});
    CHECK(distance(counts, from_rows({0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0}, 4)) == 0);
}

TEST_CASE("task 1 (1 point): N tokens have N - 1 pairs, and texts of 0 and 1 tokens none") {
    const Tensor counts = exercise::count_bigrams(random_ids(1000, 7, 1), 7);
    CHECK(sum(counts).item() == 999);
    CHECK(sum(exercise::count_bigrams({}, 3)).item() == 0);
    CHECK(sum(exercise::count_bigrams({2}, 3)).item() == 0);
}

// ---- task 2: add-alpha --------------------------------------------------------------------------

TEST_CASE("task 2 (1 point): (c + α) / (n + αV), by hand") {
    const Tensor p = exercise::add_alpha(from_rows({3, 1, 0, 2}, 2), 0.5);
    CHECK(distance(p, from_rows({3.5 / 5, 1.5 / 5, 0.5 / 3, 2.5 / 3}, 2)) < 1e-12);
    const Tensor barely = exercise::add_alpha(from_rows({3, 1, 0, 2}, 2), 1e-9);
    CHECK(distance(barely, from_rows({0.75, 0.25, 0, 1}, 2)) < 1e-8);
}

TEST_CASE("task 2 (1 point): every row sums to 1; an unseen token's row is even; counts stay") {
    Tensor counts = exercise::count_bigrams(random_ids(300, 6, 2), 7);  // 6 never stands there
    const Tensor before = counts.clone();
    for (const double alpha : {0.01, 1.0, 20.0}) {
        const Tensor p = exercise::add_alpha(counts, alpha);
        CAPTURE(alpha);
        CHECK(distance(sum(p, {1}), Tensor::ones({7}, Dtype::f64)) < 1e-12);
        for (int64_t b = 0; b < 7; ++b) CHECK(p.at(6 * 7 + b) == doctest::Approx(1.0 / 7));
    }
    CHECK(distance(counts, before) == 0);
}

// ---- task 3: nats and perplexity ----------------------------------------------------------------

TEST_CASE("task 3 (1 point): the mean of -ln p over the pairs, by hand") {
    const Tensor p = from_rows({0.5, 0.5, 0.125, 0.875}, 2);
    const double expected = -(std::log(0.5) + std::log(0.125) + std::log(0.5)) / 3;
    CHECK(exercise::nats_per_token(p, letters("abab")) == doctest::Approx(expected));
    CHECK(exercise::nats_per_token(p, letters("bb")) == doctest::Approx(-std::log(0.875)));
}

TEST_CASE("task 3 (1 point): who knows nothing of V tokens has perplexity V") {
    const Tensor even = Tensor::full({5, 5}, 0.2, Dtype::f64);
    const double nats = exercise::nats_per_token(even, random_ids(40, 5, 3));
    CHECK(nats == doctest::Approx(std::log(5)));
    CHECK(exercise::perplexity(nats) == doctest::Approx(5));
    CHECK(exercise::perplexity(0) == 1);
    // Half of the tokens are certain, half are one of sixteen: as good as four.
    CHECK(exercise::perplexity((0 + std::log(16)) / 2) == doctest::Approx(4));
}

// ---- task 4: one layer and a softmax ------------------------------------------------------------

TEST_CASE("task 4 (1 point): the loss is the mean cross-entropy over all pairs of the text") {
    const Ids text = random_ids(200, 5, 4);
    const Tensor w = Rng(5).normal({5, 5}, 0, 1, Dtype::f64);
    const Tensor before = Tensor::from(Ids(text.begin(), text.end() - 1));
    const Tensor after = Tensor::from(Ids(text.begin() + 1, text.end()));
    Tensor counts = Tensor::zeros({5, 5}, Dtype::f64);
    for (size_t i = 1; i < text.size(); ++i) {
        const int64_t place = text[i - 1] * 5 + text[i];
        counts.set(place, counts.at(place) + 1);
    }
    const double expected = softmax_cross_entropy(embedding(w, before), after).item();
    CHECK(exercise::softmax_loss(w, counts).item() == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("task 4 (1 point): the tape finds the loss's gradient, as central differences say") {
    const auto result = gradcheck(
        [](const std::vector<Tensor>& in) { return exercise::softmax_loss(in[0], some_counts()); },
        {Rng(6).normal({3, 3}, 0, 2, Dtype::f64)});
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("task 4 (1 point): the gradient without a tape is the tape's") {
    for (const uint64_t seed : {7, 8, 9}) {
        const Tensor w = Rng(seed).normal({3, 3}, 0, 2, Dtype::f64);
        const Tensor mine = exercise::softmax_gradient(w, some_counts());
        CHECK(distance(mine, tape_gradient(w, some_counts())) < 1e-14);
    }
}

TEST_CASE("task 4 (1 point): it is 0 where the softmax is the counts' share, and leads there") {
    const Tensor counts = some_counts();
    const Tensor share = counts / sum(counts, {1}, true);
    CHECK(max(abs(exercise::softmax_gradient(log(counts) + 3.0, counts))).item() < 1e-14);
    Tensor w = Tensor::zeros({3, 3}, Dtype::f64);
    for (int step = 0; step < 3000; ++step)
        w.copy_from(w - 5.0 * exercise::softmax_gradient(w, counts));
    CHECK(distance(softmax(w), share) < 1e-9);
}

// ---- task 5: Witten-Bell ------------------------------------------------------------------------

TEST_CASE("task 5 (1 point): the grams of abab up to order 3, by hand") {
    const Grams expected = {{letters("a"), 2},  {letters("b"), 2},   {letters("ab"), 2},
                            {letters("ba"), 1}, {letters("aba"), 1}, {letters("bab"), 1}};
    CHECK(exercise::count_grams(letters("abab"), 3) == expected);
    CHECK(exercise::count_grams(letters("abab"), 1).size() == 2);
    CHECK(exercise::count_grams({}, 4).empty());
}

TEST_CASE("task 5 (1 point): Witten-Bell on abracadabra, by hand") {
    const Grams grams = exercise::count_grams(letters("abracadabra"), 2);
    // Five of eleven are a; five letters of 18 occur. After a: b, c, d, b.
    const double a = (5 + 5.0 / 18) / 16, b = (2 + 5.0 / 18) / 16, p = 5.0 / 18 / 16;
    const auto given_a = [&](char token) {
        return exercise::witten_bell(grams, 18, letters("a"), token - 'a');
    };
    CHECK(exercise::witten_bell(grams, 18, {}, 0) == doctest::Approx(a).epsilon(1e-12));
    CHECK(given_a('b') == doctest::Approx((2 + 3 * b) / 7).epsilon(1e-12));
    CHECK(given_a('a') == doctest::Approx(3 * a / 7).epsilon(1e-12));
    CHECK(given_a('p') == doctest::Approx(3 * p / 7).epsilon(1e-12));
    CHECK(exercise::witten_bell(grams, 18, letters("p"), 0) == doctest::Approx(a).epsilon(1e-12));
}

TEST_CASE("task 5 (2 points): every distribution sums to 1, and is the library's") {
    const Ids text = random_ids(400, 6, 10);
    for (int order = 1; order <= 4; ++order) {
        const Grams grams = exercise::count_grams(text, order);
        models::Ngram library(
            {.vocab = 7, .order = order, .smoothing = models::Smoothing::witten_bell});
        library.add(text);
        for (size_t i = 0; i < 30; ++i) {
            Ids context = random_ids(order - 1, 7, 11 + i);  // seen and unseen
            double total = 0;
            for (int32_t w = 0; w < 7; ++w) {
                const double p = exercise::witten_bell(grams, 7, context, w);
                CHECK(p == doctest::Approx(library.probability(context, w)).epsilon(1e-12));
                total += p;
            }
            CHECK(total == doctest::Approx(1).epsilon(1e-12));
        }
    }
}

// ---- task 6: Kneser-Ney -------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): shorter grams count what stood before them, by hand") {
    // c stands four times, always after b. Nothing stands before the first b.
    const Grams grams = exercise::count_grams(letters("bcbcbcabcda"), 2);
    const Grams counts = exercise::continuation_counts(grams, 2);
    const Grams expected = {
        {letters("a"), 2},  {letters("b"), 2},  {letters("c"), 1},  {letters("d"), 1},
        {letters("bc"), 4}, {letters("cb"), 2}, {letters("ca"), 1}, {letters("ab"), 1},
        {letters("cd"), 1}, {letters("da"), 1},
    };
    CHECK(counts == expected);
    const Grams once = exercise::continuation_counts(exercise::count_grams(letters("ab"), 3), 3);
    CHECK(once == Grams{{letters("b"), 1}});
}

TEST_CASE("task 6 (2 points): Kneser-Ney, by hand: often is not the same as everywhere") {
    const Grams grams =
        exercise::continuation_counts(exercise::count_grams(letters("bcbcbcabcda"), 2), 2);
    const double D = 0.75;
    const auto p = [&](const std::string& context, char token) {
        return exercise::kneser_ney(grams, 5, letters(context), token - 'a', D);
    };
    const double free = 4 * D / 5;  // four letters give up D each, five share it
    const double a = (2 - D + free) / 6, c = (1 - D + free) / 6, e = free / 6;
    CHECK(p("", 'a') == doctest::Approx(a).epsilon(1e-12));
    CHECK(p("", 'c') == doctest::Approx(c).epsilon(1e-12));
    CHECK(p("", 'e') == doctest::Approx(e).epsilon(1e-12));
    CHECK(p("e", 'c') == doctest::Approx(c).epsilon(1e-12));  // an unseen context
    CHECK(p("e", 'a') > p("e", 'c'));                         // although c is twice as frequent
    CHECK(p("b", 'c') == doctest::Approx((4 - D + D * c) / 4).epsilon(1e-12));
    CHECK(p("c", 'b') == doctest::Approx((2 - D + 3 * D * a) / 4).epsilon(1e-12));
    CHECK(p("c", 'e') == doctest::Approx(3 * D * e / 4).epsilon(1e-12));
}

TEST_CASE("task 6 (1 point): every distribution sums to 1, after seen and unseen contexts") {
    for (int order = 1; order <= 4; ++order) {
        const Grams grams = exercise::continuation_counts(
            exercise::count_grams(random_ids(400, 6, 12), order), order);
        for (const double discount : {0.2, 1.0}) {
            for (size_t i = 0; i < 20; ++i) {
                const Ids context = random_ids(order - 1, 7, 13 + i);
                double total = 0;
                for (int32_t w = 0; w < 7; ++w) {
                    const double p = exercise::kneser_ney(grams, 7, context, w, discount);
                    CHECK(p > 0);
                    total += p;
                }
                CHECK(total == doctest::Approx(1).epsilon(1e-12));
            }
        }
    }
}

// ---- task 7: sampling ---------------------------------------------------------------------------

TEST_CASE("task 7 (1 point): the stretch in which u lies is chosen; one without length never is") {
    const std::vector<double> p{0, 0.25, 0.5, 0, 0.25, 0};
    CHECK(exercise::draw(p, 0) == 1);
    CHECK(exercise::draw(p, 0.24) == 1);
    CHECK(exercise::draw(p, 0.25) == 2);
    CHECK(exercise::draw(p, 0.74) == 2);
    CHECK(exercise::draw(p, 0.75) == 4);
    CHECK(exercise::draw(p, std::nextafter(1.0, 0.0)) == 4);
    // Ten tenths that do not quite add up to 1.
    std::vector<double> tenths(10, 0.1);
    tenths.push_back(0);
    CHECK(exercise::draw(tenths, std::nextafter(1.0, 0.0)) == 9);
}

TEST_CASE("task 7 (1 point): over many draws each token comes as often as its probability says") {
    const std::vector<double> p{0.1, 0.2, 0.05, 0.65};
    std::vector<double> seen(4);
    Rng rng(14);
    for (int i = 0; i < 20000; ++i)
        seen.at(static_cast<size_t>(exercise::draw(p, rng.uniform()))) += 1;
    for (size_t w = 0; w < 4; ++w) CHECK(seen[w] / 20000 == doctest::Approx(p[w]).epsilon(0.05));
}
