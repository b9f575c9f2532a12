#include "data/sources/pcfg.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Pcfg, data::Rule;
using Sentence = std::vector<int32_t>;

namespace {

// Left- and right-recursive, and ambiguous: S S S reads in two ways.
const std::vector<Rule> kTangled{
    {"S", {"S", "S"}, 0.15}, {"S", {"A", "B"}, 0.2},  {"S", {"B", "S"}, 0.05},
    {"S", {"x"}, 0.6},       {"A", {"S", "B"}, 0.25}, {"A", {"x"}, 0.5},
    {"A", {"y"}, 0.25},      {"B", {"y"}, 0.9},       {"B", {"B", "B"}, 0.1}};

// Every sentence of at most `longest` words with its probability: all derivations, one by one, always
// rewriting the leftmost symbol of a form.
class Derivations {
public:
    Derivations(const std::vector<Rule>& rules, const Pcfg& grammar, size_t longest)
        : rules_(rules), grammar_(grammar), longest_(longest) {
        rewrite({}, {rules[0].left}, 1);
    }
    std::map<Sentence, double> sentences;

private:
    void rewrite(const Sentence& words, const std::vector<std::string>& waiting, double p) {
        if (words.size() + waiting.size() > longest_) return;
        if (waiting.empty()) {
            sentences[words] += p;
            return;
        }
        for (const Rule& rule : rules_) {
            if (rule.left != waiting.front()) continue;
            Sentence longer = words;
            std::vector<std::string> rest;
            if (rule.right.size() == 1)
                longer.push_back(grammar_.id(rule.right[0]));
            else
                rest = rule.right;
            rest.insert(rest.end(), waiting.begin() + 1, waiting.end());
            rewrite(longer, rest, p * rule.p);
        }
    }

    const std::vector<Rule>& rules_;
    const Pcfg& grammar_;
    size_t longest_;
};

Tensor ids(const Sentence& words) { return Tensor::from<int32_t>(words); }

}  // namespace

TEST_CASE("pcfg: inside agrees with the sum over all derivations") {
    const Pcfg grammar(kTangled);
    const Derivations all(kTangled, grammar, 7);
    CHECK(all.sentences.size() > 100);
    double total = 0;
    for (const auto& [words, p] : all.sentences) {
        CHECK(grammar.inside(ids(words)) == doctest::Approx(p).epsilon(1e-12));
        CHECK(grammar.nats(ids(words)) == doctest::Approx(-std::log(p)).epsilon(1e-12));
        total += p;
    }
    CHECK(total < 1);
    CHECK(total > 0.97);
}

TEST_CASE("pcfg: the next word's distribution agrees with all sentences of a finite language") {
    const std::vector<Rule> rules{
        {"S", {"A", "B"}, 0.7}, {"S", {"x"}, 0.3}, {"A", {"C", "C"}, 0.4}, {"A", {"x"}, 0.6},
        {"B", {"C", "A"}, 0.5}, {"B", {"y"}, 0.5}, {"C", {"x"}, 0.2},      {"C", {"y"}, 0.8}};
    const Pcfg grammar(rules);
    const Derivations all(rules, grammar, 100);
    std::map<Sentence, double> prefixes;
    for (const auto& [words, p] : all.sentences) {
        for (size_t k = 0; k <= words.size(); ++k)
            prefixes[Sentence(words.begin(), words.begin() + static_cast<long>(k))] += p;
    }
    CHECK(prefixes[{}] == doctest::Approx(1));
    for (const auto& [words, p] : prefixes) {
        const Tensor rows = grammar.next(ids(words));
        const auto k = static_cast<int64_t>(words.size());
        for (int32_t w = 0; w < 2; ++w) {
            Sentence longer = words;
            longer.push_back(w);
            const auto found = prefixes.find(longer);
            const double expected = found == prefixes.end() ? 0 : found->second / p;
            CHECK(rows.at(k * 3 + w) == doctest::Approx(expected).epsilon(1e-12));
        }
        const auto whole = all.sentences.find(words);
        const double end = whole == all.sentences.end() ? 0 : whole->second / p;
        CHECK(rows.at(k * 3 + 2) == doctest::Approx(end).epsilon(1e-12));
    }
}

TEST_CASE("pcfg: at every place the next words and the end are a distribution") {
    Rng rng(1);
    for (const Pcfg& grammar : {Pcfg(kTangled), Pcfg::english()}) {
        for (int i = 0; i < 20; ++i) {
            const Tensor rows = grammar.next(grammar.sample(rng));
            CHECK(max(abs(sum(rows, {1}) - 1)).item() < 1e-9);
        }
    }
}

TEST_CASE("pcfg: sampled sentences come as often as inside says") {
    const Pcfg grammar(kTangled);
    Rng rng(2);
    std::map<Sentence, int> counts;
    double length = 0;
    const int n = 40000;
    for (int i = 0; i < n; ++i) {
        const Tensor sample = grammar.sample(rng);
        const auto words = sample.values<int32_t>();
        counts[Sentence(words.begin(), words.end())] += 1;
        length += static_cast<double>(sample.size()) / n;
    }
    for (const auto& [words, p] : Derivations(kTangled, grammar, 3).sentences) {
        CHECK(std::abs(counts[words] - p * n) <= 4.5 * std::sqrt(p * n) + 1);
    }
    CHECK(length == doctest::Approx(grammar.mean_length()).epsilon(0.03));
}

TEST_CASE("pcfg: nats per sentence are near the entropy of a grammar that reads in one way") {
    // a, or b and again a sentence: geometric, with an entropy of 2 ln 2 a sentence.
    const Pcfg grammar({{"S", {"B", "S"}, 0.5}, {"S", {"a"}, 0.5}, {"B", {"b"}, 1}});
    Rng rng(3);
    double nats = 0;
    for (int i = 0; i < 4000; ++i) nats += grammar.nats(grammar.sample(rng)) / 4000;
    CHECK(nats == doctest::Approx(2 * std::log(2)).epsilon(0.05));
    CHECK(grammar.mean_length() == doctest::Approx(2));
}

TEST_CASE("pcfg: English has verbs that agree, and sentences of nine words on average") {
    const Pcfg grammar = Pcfg::english();
    CHECK(grammar.mean_length() == doctest::Approx(9));
    const auto read = [&](const std::vector<std::string>& words) {
        Sentence sentence;
        for (const std::string& word : words) sentence.push_back(grammar.id(word));
        return ids(sentence);
    };
    const Tensor right = read({"the", "dog", "near", "two", "cats", "sleeps"});
    const Tensor wrong = read({"the", "dog", "near", "two", "cats", "sleep"});
    CHECK(grammar.text(right) == "the dog near two cats sleeps");
    // 0.5 · 0.2 (0.65 · 0.6 · 0.5) · 0.5 · 0.5 (0.65 · 0.3 · 0.3) · 0.4 · 0.5
    CHECK(grammar.inside(right) == doctest::Approx(0.1 * 0.195 * 0.25 * 0.0585 * 0.2));
    CHECK(grammar.inside(wrong) == 0);
    const Tensor nats = grammar.token_nats(wrong);
    CHECK(std::isfinite(nats.at(4)));
    CHECK(std::isinf(nats.at(5)));
    CHECK(std::isinf(nats.at(6)));
    CHECK(test::contains(test::error_of([&] { grammar.next(wrong); }),
                         "no sentence begins with \"the dog near two cats sleep\""));
}

TEST_CASE("pcfg: nats of a long sentence do not underflow") {
    const Pcfg grammar({{"S", {"B", "S"}, 0.1}, {"S", {"a"}, 0.9}, {"B", {"b"}, 1}});
    Sentence words(400, grammar.id("b"));
    words.push_back(grammar.id("a"));
    CHECK(grammar.inside(ids(words)) == 0);
    CHECK(grammar.nats(ids(words)) == doctest::Approx(-400 * std::log(0.1) - std::log(0.9)));
    CHECK(std::isinf(grammar.nats(ids({}))));  // no sentence is empty
}

TEST_CASE("pcfg: same seed, same sentences") {
    const Pcfg grammar = Pcfg::english();
    const auto sentences = [&](uint64_t seed) {
        Rng rng(seed);
        std::string all;
        for (int i = 0; i < 20; ++i) all += grammar.text(grammar.sample(rng)) + "\n";
        return all;
    };
    CHECK(sentences(1) == sentences(1));
    CHECK(sentences(1) != sentences(2));
}

TEST_CASE("pcfg: what is no grammar is refused") {
    const auto made = [](const std::vector<Rule>& rules) {
        return test::error_of([&] { Pcfg grammar(rules); });
    };
    CHECK(test::contains(made({}), "no rules"));
    CHECK(test::contains(made({{"S", {"A", "B", "C"}, 1}}), "S -> A B C: 3 names on the right"));
    CHECK(test::contains(made({{"S", {"S", "x"}, 1}}), "x has no rules; two symbols expected"));
    CHECK(test::contains(made({{"S", {"A"}, 1}, {"A", {"x"}, 1}}), "A is a symbol; one word"));
    CHECK(test::contains(made({{"S", {"S", "S"}, 1}}), "no rule makes a word"));
    CHECK(test::contains(made({{"S", {"x"}, 0.5}, {"S", {"y"}, 0.4}}), "S's rules sum to 0.9"));
    CHECK(
        test::contains(made({{"S", {"x"}, 0.5}, {"S", {"x"}, 0.5}}), "S -> x stands there twice"));
    CHECK(test::contains(made({{"S", {"x"}, 1.5}, {"S", {"y"}, -0.5}}), "probability 1.5"));
    // Two for one, every second time: just endless.
    CHECK(test::contains(made({{"S", {"S", "S"}, 0.5}, {"S", {"x"}, 0.5}}), "become endless"));

    const Pcfg grammar({{"S", {"S", "S"}, 0.499}, {"S", {"x"}, 0.501}});
    Rng rng(1);
    CHECK(test::contains(test::error_of([&] {
                             for (int i = 0; i < 1000; ++i) grammar.sample(rng, 50);
                         }),
                         "more than 50 words"));
    CHECK(test::contains(test::error_of([&] {
                             grammar.inside(ids({0, 1}));
                         }),
                         "id 1 at position 1"));
    CHECK(
        test::contains(test::error_of([&] { grammar.id("y"); }), "no word \"y\"; its 1 words: x"));
    CHECK(test::contains(test::error_of([&] { grammar.word(1); }), "word 1; 0 ... 0 expected"));
}
