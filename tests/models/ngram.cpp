#include "models/ngram.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "tests/data/temporary.h"

using namespace gradus;
using models::Ngram;
using models::NgramOptions;
using models::Smoothing;

namespace {

using Ids = std::vector<int32_t>;

constexpr Smoothing kAll[] = {Smoothing::add_alpha, Smoothing::witten_bell, Smoothing::kneser_ney};

// a is 0, b is 1, ...
Ids letters(const std::string& text) {
    Ids ids;
    for (const char c : text) ids.push_back(c - 'a');
    return ids;
}

Ids random_ids(int64_t count, int64_t vocab, Rng& rng) {
    Ids ids;
    for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(rng.below(vocab)));
    return ids;
}

double sum_of(const std::vector<double>& p) { return std::accumulate(p.begin(), p.end(), 0.0); }

// Kneser-Ney's definition, over a map of all grams: slow and plain. A mark is -1.
class Definition {
public:
    Definition(const std::vector<Ids>& documents, const NgramOptions& options) : o_(options) {
        std::map<Ids, int> raw;
        for (const Ids& document : documents) {
            Ids marked{-1};
            marked.insert(marked.end(), document.begin(), document.end());
            for (size_t end = 1; end < marked.size(); ++end)
                for (size_t n = 1; n <= static_cast<size_t>(o_.order) && n <= end + 1; ++n)
                    ++raw[Ids(marked.begin() + static_cast<int64_t>(end + 1 - n),
                              marked.begin() + static_cast<int64_t>(end + 1))];
        }
        for (const auto& [gram, count] : raw) {
            if (gram.size() == static_cast<size_t>(o_.order) || gram[0] == -1) count_[gram] = count;
            if (gram.size() > 1) {
                const Ids shorter(gram.begin() + 1, gram.end());
                ++count_[shorter];  // one more token before it
            }
        }
    }

    double probability(Ids context, int32_t token) const {
        const size_t reach = static_cast<size_t>(o_.order - 1);
        if (context.size() < reach) context.insert(context.begin(), -1);
        if (context.size() > reach) context.erase(context.begin(), context.end() - o_.order + 1);
        return given(context, token);
    }

private:
    double given(const Ids& h, int32_t token) const {
        const double shorter = h.empty() ? 1.0 / static_cast<double>(o_.vocab)
                                         : given(Ids(h.begin() + 1, h.end()), token);
        double total = 0, free = 0, kept = 0;
        for (int32_t w = 0; w < o_.vocab; ++w) {
            Ids gram = h;
            gram.push_back(w);
            const auto it = count_.find(gram);
            if (it == count_.end()) continue;
            const double d = discount(gram.size(), it->second);
            total += it->second;
            free += d;
            if (w == token) kept = it->second - d;
        }
        return total == 0 ? shorter : (kept + free * shorter) / total;
    }
    double discount(size_t order, int count) const {
        double n[5] = {};
        for (const auto& [gram, c] : count_)
            if (gram.size() == order && c < 5) n[c] += 1;
        double d[4] = {};
        for (int i = 1; i <= 3; ++i) {
            d[i] = i - (i + 1) * n[1] / (n[1] + 2 * n[2]) * n[i + 1] / n[i];
            if (!(d[i] > 0 && d[i] <= i)) return 0.5 * std::min(count, 3);
        }
        return d[std::min(count, 3)];
    }

    NgramOptions o_;
    std::map<Ids, int> count_;
};

}  // namespace

TEST_CASE("ngram: add-alpha is (c + α) / (n + αV), by hand") {
    // abracadabra: a is followed by b, c, d, b; five a, two b, two r, one c, one d.
    const Ids text = letters("abracadabra");
    Ngram bigram({.vocab = 5 + 13, .order = 2, .smoothing = Smoothing::add_alpha, .alpha = 0.5});
    bigram.add(text);
    CHECK(bigram.probability(letters("a"), 1) == doctest::Approx(2.5 / 13).epsilon(1e-14));
    CHECK(bigram.probability(letters("a"), 3) == doctest::Approx(1.5 / 13).epsilon(1e-14));
    CHECK(bigram.probability(letters("a"), 0) == doctest::Approx(0.5 / 13).epsilon(1e-14));
    CHECK(bigram.probability(letters("xxxa"), 1) == bigram.probability(letters("a"), 1));
    CHECK(bigram.probability(letters("p"), 1) == doctest::Approx(1.0 / 18).epsilon(1e-14));
    // The mark: one document, which begins with a.
    CHECK(bigram.probability({}, 0) == doctest::Approx(1.5 / 10).epsilon(1e-14));

    bigram.set_alpha(2);
    CHECK(bigram.options().alpha == 2);
    CHECK(bigram.probability(letters("a"), 1) == doctest::Approx(4.0 / 40).epsilon(1e-14));

    Ngram unigram({.vocab = 18, .order = 1, .smoothing = Smoothing::add_alpha, .alpha = 2});
    unigram.add(text);
    CHECK(unigram.probability(letters("b"), 0) == doctest::Approx(7.0 / 47).epsilon(1e-14));
    CHECK(unigram.size() == 5);
}

TEST_CASE("ngram: Witten-Bell mixes by the number of different followers, by hand") {
    Ngram model({.vocab = 18, .order = 2, .smoothing = Smoothing::witten_bell});
    model.add(letters("abracadabra"));
    const double a = (5 + 5.0 / 18) / 16, b = (2 + 5.0 / 18) / 16, p = 5.0 / 18 / 16;
    CHECK(model.probability(letters("a"), 1) == doctest::Approx((2 + 3 * b) / 7).epsilon(1e-14));
    CHECK(model.probability(letters("a"), 0) == doctest::Approx(3 * a / 7).epsilon(1e-14));
    CHECK(model.probability(letters("a"), 15) == doctest::Approx(3 * p / 7).epsilon(1e-14));
    CHECK(model.probability({}, 0) == doctest::Approx((1 + a) / 2).epsilon(1e-14));
    CHECK(model.probability(letters("p"), 0) == doctest::Approx(a).epsilon(1e-14));  // unseen
}

TEST_CASE("ngram: Kneser-Ney's lower order counts what stood before, by hand") {
    // "San Francisco": c stands five times, always after b; a stands twice, after c and d.
    Ngram model({.vocab = 5, .order = 2});
    model.add(letters("bcbcbcbcabcda"));
    // Before a: c, d. Before b: mark, c, a. Before c: b. Before d: c. Seven in all; n_1 = 2, n_2 = 1,
    // n_3 = 1, n_4 = 0: Y = 1/2, D = 1/2, 1/2, 3; 3 is the whole count of b.
    const double left = (2 * 0.5 + 0.5 + 3) / 7 / 5;
    const double a = 1.5 / 7 + left, b = left, c = 0.5 / 7 + left, e = left;
    CHECK(model.probability(letters("e"), 0) == doctest::Approx(a).epsilon(1e-14));
    CHECK(model.probability(letters("e"), 1) == doctest::Approx(b).epsilon(1e-14));
    CHECK(model.probability(letters("e"), 2) == doctest::Approx(c).epsilon(1e-14));
    CHECK(model.probability(letters("e"), 4) == doctest::Approx(e).epsilon(1e-14));
    // Bigrams: mark-b, ca, cd, da, ab once, cb three times, bc five times. n_2 is 0, so that 0.5, 1,
    // 1.5 serve. After c: b three times, a and d once.
    const double free = (1.5 + 0.5 + 0.5) / 5;
    CHECK(model.probability(letters("c"), 1) == doctest::Approx(1.5 / 5 + free * b).epsilon(1e-14));
    CHECK(model.probability(letters("c"), 0) == doctest::Approx(0.5 / 5 + free * a).epsilon(1e-14));
    CHECK(model.probability(letters("c"), 4) == doctest::Approx(free * e).epsilon(1e-14));
}

TEST_CASE("ngram: Kneser-Ney is its definition over a plain map, for every order") {
    Rng rng(1);
    std::vector<Ids> documents;
    for (int64_t length : {1, 7, 40, 0, 90, 90, 2}) {
        Ids document = random_ids(length, 4, rng);
        if (length == 90) document.back() = 5;
        documents.push_back(document);
    }
    documents.push_back(documents[2]);
    for (int order = 1; order <= 6; ++order) {
        CAPTURE(order);
        const NgramOptions options{.vocab = 7, .order = order};
        Ngram model(options);
        for (const Ids& document : documents) model.add(document);
        const Definition definition(documents, options);
        const Ids& text = documents[4];
        for (size_t i = 0; i < 40; ++i) {
            const Ids context(text.begin(), text.begin() + static_cast<int64_t>(i));
            for (int32_t w = 0; w < 7; ++w)
                CHECK(model.probability(context, w) ==
                      doctest::Approx(definition.probability(context, w)).epsilon(1e-12));
        }
    }
}

TEST_CASE("ngram: every distribution sums to 1, after seen and unseen contexts") {
    Rng rng(2);
    for (const Smoothing smoothing : kAll) {
        for (int order = 1; order <= 6; ++order) {
            for (const int64_t vocab : {1, 2, 30}) {
                CAPTURE(static_cast<int>(smoothing));
                CAPTURE(order);
                CAPTURE(vocab);
                Ngram model(
                    {.vocab = vocab, .order = order, .smoothing = smoothing, .alpha = 0.01});
                const Ids unseen = random_ids(5, vocab, rng);
                const Ids empty{};
                const auto sums_to_1 = [&](const Ids& context) {
                    const auto p = model.distribution(context);
                    CHECK(p.size() == static_cast<size_t>(vocab));
                    CHECK(std::abs(sum_of(p) - 1) < 1e-9);
                    for (const double x : p) CHECK(x > 0);
                };
                sums_to_1(empty);
                sums_to_1(unseen);
                for (const int64_t length : {0, 1, 2, 3, 100, 1000}) {
                    // Half of the vocabulary, then one token over and over.
                    Ids document = random_ids(length, (vocab + 1) / 2, rng);
                    document.insert(document.end(), static_cast<size_t>(length) / 3, 0);
                    model.add(document);
                    sums_to_1(empty);
                    sums_to_1(unseen);
                    sums_to_1({static_cast<int32_t>(vocab - 1)});
                    sums_to_1({0, 0, 0, 0, 0, 0, 0});
                    sums_to_1(document);
                }
            }
        }
    }
}

TEST_CASE("ngram: an untouched model knows nothing: 1 / V") {
    for (const Smoothing smoothing : kAll) {
        const Ngram model({.vocab = 8, .order = 4, .smoothing = smoothing});
        CHECK(model.probability(letters("abc"), 3) == 0.125);
        CHECK(model.nats(letters("abcde")) == doctest::Approx(5 * std::log(8)));
        CHECK(model.size() == 0);
    }
}

TEST_CASE("ngram: contexts do not reach across the beginning of a document") {
    for (const Smoothing smoothing : kAll) {
        CAPTURE(static_cast<int>(smoothing));
        Ngram apart({.vocab = 4, .order = 3, .smoothing = smoothing, .alpha = 0.1});
        Ngram joint({.vocab = 4, .order = 3, .smoothing = smoothing, .alpha = 0.1});
        for (int i = 0; i < 20; ++i) apart.add(letters(i % 2 ? "ab" : "cd"));
        Ids all;
        for (int i = 0; i < 20; ++i)
            for (const int32_t id : letters(i % 2 ? "ab" : "cd")) all.push_back(id);
        joint.add(all);
        // c followed ab twenty times in one text, and never where each text ends after b.
        CHECK(joint.probability(letters("ab"), 2) > 0.9);
        CHECK(apart.probability(letters("ab"), 2) < 0.5);
        // Half of the documents begin with a, none with b.
        CHECK(apart.probability({}, 0) == doctest::Approx(0.5).epsilon(0.1));
        CHECK(apart.probability({}, 1) < 0.1);
        // What begins the context is the document's first token: a again after it is unheard of.
        CHECK(apart.probability(letters("a"), 1) > 0.8);
    }
}

TEST_CASE("ngram: nats is the sum of -ln p, also from the middle of a document on") {
    Rng rng(3);
    for (const Smoothing smoothing : kAll) {
        Ngram model({.vocab = 6, .order = 4, .smoothing = smoothing});
        model.add(random_ids(300, 5, rng));
        const Ids text = random_ids(50, 6, rng);
        for (const size_t first : {0, 1, 2, 3, 20, 50}) {
            double expected = 0;
            for (size_t i = first; i < text.size(); ++i)
                expected -= std::log(model.probability(std::span(text).first(i), text[i]));
            CHECK(model.nats(text, first) == doctest::Approx(expected).epsilon(1e-12));
        }
        const auto p = model.distribution(std::span(text).first(9));
        for (int32_t w = 0; w < 6; ++w)
            CHECK(p[static_cast<size_t>(w)] == model.probability(std::span(text).first(9), w));
    }
}

TEST_CASE("ngram: a learned text is no surprise, and its order is used") {
    // Six letters that repeat: the letter before says nothing in "aab aab", the two before all.
    Ids text;
    for (int i = 0; i < 200; ++i) text.insert(text.end(), {0, 0, 1});
    for (const Smoothing smoothing : kAll) {
        Ngram two({.vocab = 3, .order = 2, .smoothing = smoothing, .alpha = 0.01});
        Ngram three({.vocab = 3, .order = 3, .smoothing = smoothing, .alpha = 0.01});
        two.add(text);
        three.add(text);
        const double n = static_cast<double>(text.size());
        CHECK(two.nats(text) / n == doctest::Approx(2 * std::log(2) / 3).epsilon(0.03));
        CHECK(three.nats(text) / n < 0.03);
    }
}

TEST_CASE(
    "ngram: count is how often a token followed the longest context, whatever the smoothing") {
    for (const Smoothing smoothing : kAll) {
        CAPTURE(static_cast<int>(smoothing));
        Ngram model({.vocab = 20, .order = 3, .smoothing = smoothing});
        model.add(letters("abracadabra"));
        model.add(letters("abba"));
        CHECK(model.count(letters("ab"), 17) == 2);
        CHECK(model.count(letters("dab"), 17) == 2);
        CHECK(model.count(letters("bra"), 2) == 1);
        CHECK(model.count(letters("ra"), 0) == 0);
        CHECK(model.count(letters("tt"), 0) == 0);
        CHECK(model.count({}, 0) == 2);  // both documents begin so
        CHECK(model.count(letters("a"), 1) == 2);
        CHECK(model.count(letters("b"), 1) == 0);
    }
}

TEST_CASE("ngram: ids up to the vocabulary's end count, and the order of documents does not") {
    Rng rng(4);
    const Ids a = random_ids(500, 50000, rng), b{49999, 0, 49999, 0};
    for (const Smoothing smoothing : kAll) {
        Ngram one({.vocab = 50000, .order = 6, .smoothing = smoothing});
        Ngram other({.vocab = 50000, .order = 6, .smoothing = smoothing});
        one.add(a);
        one.add(b);
        other.add(b);
        other.add(a);
        CHECK(one.nats(a) == other.nats(a));
        CHECK(one.probability(Ids{49999, 0}, 49999) > one.probability(Ids{49999, 0}, 49998));
        CHECK(one.size() == other.size());
    }
}

TEST_CASE("ngram: samples follow the distribution, and the seed decides them") {
    for (const Smoothing smoothing : kAll) {
        CAPTURE(static_cast<int>(smoothing));
        Rng data(5);
        Ngram model({.vocab = 5, .order = 3, .smoothing = smoothing});
        model.add(random_ids(60, 4, data));
        const Ids context{1, 2};
        const auto p = model.distribution(context);
        std::vector<double> seen(5), second(5), expected_second(5);
        Rng rng(6);
        const int draws = 20000;
        for (int i = 0; i < draws; ++i) {
            const Ids drawn = model.sample(context, 2, rng);
            seen[static_cast<size_t>(drawn[0])] += 1;
            second[static_cast<size_t>(drawn[1])] += 1;
        }
        for (int32_t first = 0; first < 5; ++first) {
            const auto next = model.distribution(Ids{1, 2, first});
            for (size_t w = 0; w < 5; ++w)
                expected_second[w] += p[static_cast<size_t>(first)] * next[w];
        }
        // χ² with 4 degrees of freedom is above 18.47 once in a thousand.
        double chi = 0, chi_second = 0;
        for (size_t w = 0; w < 5; ++w) {
            chi += std::pow(seen[w] - draws * p[w], 2) / (draws * p[w]);
            chi_second +=
                std::pow(second[w] - draws * expected_second[w], 2) / (draws * expected_second[w]);
        }
        CHECK(chi < 18.47);
        CHECK(chi_second < 18.47);

        Rng again(7), same(7), other(8);
        const Ids drawn = model.sample({}, 100, again);
        CHECK(drawn == model.sample({}, 100, same));
        CHECK(drawn != model.sample({}, 100, other));
        CHECK(model.sample({}, 0, same).empty());
    }
}

TEST_CASE("ngram: errors name what is wrong and where") {
    const auto options = [](NgramOptions o) { return test::error_of([&] { Ngram{o}; }); };
    CHECK(options({.vocab = 5, .order = 0}) == "ngram: order 0: 1 ... 6 expected");
    CHECK(options({.vocab = 5, .order = 7}) == "ngram: order 7: 1 ... 6 expected");
    CHECK(test::contains(options({.vocab = 0}), "a vocabulary of 0 tokens: at least 1 expected"));
    CHECK(test::contains(options({.vocab = int64_t{1} << 40}), "i32"));
    for (const double alpha : {0.0, -1.0, std::nan(""), HUGE_VAL})
        CHECK(test::contains(options({.vocab = 5, .alpha = alpha}), "a positive number expected"));

    Ngram model({.vocab = 5, .order = 3});
    CHECK(test::contains(test::error_of([&] { model.set_alpha(0); }), "a positive number"));
    model.add(letters("abc"));
    const int64_t before = model.size();
    const auto expected = [](int id, int position) {
        return fmt::format("id {} at position {} is outside the vocabulary: 0 ... 4 expected", id,
                           position);
    };
    using test::contains, test::error_of;
    CHECK(contains(error_of([&] { model.add(Ids{0, 1, 5, 1}); }), expected(5, 2)));
    CHECK(model.size() == before);
    CHECK(contains(error_of([&] { model.nats(Ids{0, -1}); }), expected(-1, 1)));
    CHECK(contains(error_of([&] { model.distribution(Ids{0, 9, 0, 77}); }), expected(77, 3)));
    CHECK(contains(error_of([&] { model.probability(Ids{0, 1}, 5); }), expected(5, 2)));
    CHECK(contains(error_of([&] { model.nats(Ids{0, 1}, 3); }), "first token 3"));
    Rng rng(1);
    CHECK(contains(error_of([&] { model.sample({}, -1, rng); }), "-1 tokens"));
}
