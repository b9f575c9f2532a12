// Judges exercise.h of lesson 14: masking and framing by their definitions, the loss against the library's,
// WordPiece against the library's tokenizer, a hidden symbol against forward-backward.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "autograd/gradcheck.h"
#include "data/sentence_pairs.h"
#include "data/sources/masked_markov.h"
#include "data/tokenizers/wordpiece.h"
#include "exercise.h"
#include "nn/loss.h"

using namespace gradus;

namespace {

using Ids = std::vector<int32_t>;
constexpr int32_t kIgnored = -100, kMask = 4, kVocab = 25;

// Ids 0 ... 4 are special, and every fifth of the text is one of them.
std::vector<bool> special() {
    std::vector<bool> special(kVocab, false);
    std::fill_n(special.begin(), kMask + 1, true);
    return special;
}
Ids long_text() {
    Ids ids;
    Rng rng(1);
    for (int i = 0; i < 50'000; ++i)
        ids.push_back(static_cast<int32_t>(i % 5 == 0 ? rng.below(4) : 5 + rng.below(kVocab - 5)));
    return ids;
}

Ids to_ids(const Tensor& row) {
    const auto values = row.values<int32_t>();
    return {values.begin(), values.end()};
}

}  // namespace

// ---- task 1: masking ----------------------------------------------------------------------------

TEST_CASE("task 1 (2 points): 15 % of the words are asked for, and no special one") {
    const Ids text = long_text();
    Rng rng(2);
    const auto [x, y] = exercise::hide(text, special(), kMask, 0.15, rng);
    REQUIRE(x.size() == text.size());
    REQUIRE(y.size() == text.size());
    double asked = 0, words = 0;
    int wrong = 0, special_asked = 0, changed_unasked = 0;
    for (size_t t = 0; t < text.size(); ++t) {
        words += text[t] > kMask;
        asked += y[t] != kIgnored;
        wrong += y[t] != kIgnored && y[t] != text[t];
        special_asked += y[t] != kIgnored && text[t] <= kMask;
        changed_unasked += y[t] == kIgnored && x[t] != text[t];
    }
    CHECK(asked / words == doctest::Approx(0.15).epsilon(0.04));
    CHECK(wrong == 0);
    CHECK(special_asked == 0);
    CHECK(changed_unasked == 0);
}

TEST_CASE("task 1 (2 points): of these 80 % are hidden, 10 % swapped, and 10 % stay") {
    const Ids text = long_text();
    Rng rng(3);
    const auto [x, y] = exercise::hide(text, special(), kMask, 0.5, rng);
    double asked = 0, hidden = 0, stays = 0;
    int special_put_in = 0;
    std::vector<int> put_in(kVocab, 0);
    for (size_t t = 0; t < text.size(); ++t) {
        if (y[t] == kIgnored) continue;
        ++asked;
        hidden += x[t] == kMask;
        stays += x[t] == text[t];
        special_put_in += x[t] < kMask;
        if (x[t] != kMask && x[t] != text[t]) ++put_in[static_cast<size_t>(x[t])];
    }
    REQUIRE(asked > 1000);
    // A swapped word is the same again once in twenty.
    CHECK(hidden / asked == doctest::Approx(0.8).epsilon(0.015));
    CHECK(stays / asked == doctest::Approx(0.105).epsilon(0.08));
    CHECK(special_put_in == 0);
    for (size_t id = kMask + 1; id < kVocab; ++id) CHECK(put_in[id] > 0);
}

// ---- task 2: the loss ---------------------------------------------------------------------------

TEST_CASE("task 2 (2 points): it is the mean over what is asked for, as the library has it") {
    const Tensor logits = Rng(1).normal({5, 7}, 0, 1, Dtype::f64);
    const Tensor targets = Tensor::from<int32_t>({kIgnored, 3, kIgnored, 0, 6});
    CHECK(exercise::masked_loss(logits, targets).item() ==
          doctest::Approx(nn::cross_entropy(logits, targets).item()).epsilon(1e-12));
    const auto loss = [&](const std::vector<Tensor>& x) {
        return exercise::masked_loss(x[0], targets);
    };
    CHECK(gradcheck(loss, {logits}).message == "");
}

TEST_CASE("task 2 (1 point): what is not asked for has no gradient; nothing asked is no NaN") {
    const Tensor none = Tensor::from<int32_t>({kIgnored, kIgnored});
    for (const Tensor& targets : {none, Tensor::from<int32_t>({kIgnored, 2})}) {
        Tensor logits = Rng(1).normal({2, 4}, 0, 1, Dtype::f64);
        logits.requires_grad();
        Tape tape;
        const Tensor loss = exercise::masked_loss(logits, targets);
        if (targets.at(1) < 0) CHECK(loss.item() == 0);
        tape.backward(loss);
        for (int64_t i = 0; i < 4; ++i) CHECK(logits.grad().at(i) == 0);
    }
}

// ---- task 3: WordPiece --------------------------------------------------------------------------

TEST_CASE("task 3 (2 points): the longest piece first, as in the paper's example") {
    const std::set<std::string> vocab{"un",    "una",   "##aff",  "##able", "##a",
                                      "##ffa", "##ble", "##ffab", "u",      "##n"};
    using Pieces = std::vector<std::string>;
    CHECK(exercise::pieces("unaffable", vocab) == Pieces{"[UNK]"});  // una ##ffab, and no ##le
    CHECK(exercise::pieces("un", vocab) == Pieces{"un"});
    CHECK(exercise::pieces("unn", vocab) == Pieces{"un", "##n"});
    CHECK(exercise::pieces("able", vocab) == Pieces{"[UNK]"});  // ##able does not begin a word
    CHECK(exercise::pieces("una##n", vocab) == Pieces{"[UNK]"});
    CHECK(exercise::pieces("unaaffa", vocab) == Pieces{"una", "##aff", "##a"});
}

TEST_CASE("task 3 (1 point): it cuts as the library does") {
    const std::string text =
        "the cat sat on the mat the cats sat on the mats a hat that sat there is the cattiest";
    const auto tokenizer = data::WordPiece::train({text, text}, {.size = 48});
    std::set<std::string> vocab;
    for (int32_t id = 0; id < tokenizer.size(); ++id) vocab.insert(tokenizer.vocab().token(id));
    for (const std::string word : {"cat", "cats", "mattest", "hathat", "thecat", "zebra", "catz"}) {
        CAPTURE(word);
        std::vector<std::string> expected;
        const Tensor ids = tokenizer.encode(word);
        for (const int32_t id : ids.values<int32_t>())
            expected.push_back(tokenizer.vocab().token(id));
        CHECK(exercise::pieces(word, vocab) == expected);
    }
}

// ---- task 4: pairs ------------------------------------------------------------------------------

TEST_CASE("task 4 (2 points): a frame around two sentences") {
    const auto [ids, segments] = exercise::frame({11, 12, 13}, {21, 22}, 10, 1, 2, 0);
    CHECK(ids == Ids{1, 11, 12, 13, 2, 21, 22, 2, 0, 0});
    CHECK(segments == Ids{0, 0, 0, 0, 0, 1, 1, 1, 0, 0});
}

TEST_CASE("task 4 (1 point): the longer sentence gives way") {
    for (const auto& [n, m] : {std::pair<int, int>{9, 3}, {3, 9}, {7, 7}, {8, 2}, {2, 3}}) {
        data::SentencePair pair;
        for (int i = 0; i < n; ++i) pair.first.push_back(10 + i);
        for (int i = 0; i < m; ++i) pair.second.push_back(30 + i);
        for (const int64_t time : {7, 10, 12}) {
            const auto expected =
                data::framed({pair}, time, {.classify = 1, .separator = 2, .padding = 0});
            const auto framed =
                exercise::frame(pair.first, pair.second, static_cast<size_t>(time), 1, 2, 0);
            CHECK(framed.ids == to_ids(expected.ids));
            CHECK(framed.segments == to_ids(expected.segments));
        }
    }
}

// ---- task 5: what can be known ------------------------------------------------------------------

TEST_CASE("task 5 (2 points): both neighbours count, as forward-backward has it") {
    Rng rng(1);
    const auto chain = data::Markov::random(5, 1, 1.0, rng);
    const data::MaskedMarkov law(chain);
    for (int32_t a = 0; a < 5; ++a)
        for (int32_t c = 0; c < 5; ++c) {
            const Tensor p = exercise::between(chain.table(), a, c);
            REQUIRE(p.shape() == Shape{5});
            CHECK(sum(p).item() == doctest::Approx(1));
            for (int32_t b = 0; b < 5; ++b) {
                const Tensor nats =
                    law.nats(Tensor::from<int32_t>({a, b, c}), Tensor::from<int32_t>({0, 1, 0}));
                CHECK(-std::log(p.at(b)) == doctest::Approx(nats.at(1)));
            }
        }
}

TEST_CASE("task 5 (1 point): a hidden symbol of the lesson's chain costs 0.7287 nats") {
    const Tensor P = data::Markov::symmetric(8, 0.7).table();
    double nats = 0;
    for (int64_t a = 0; a < 8; ++a)
        for (int64_t c = 0; c < 8; ++c) {
            const Tensor p = exercise::between(P, a, c);
            for (int64_t b = 0; b < 8; ++b)
                nats -= P.at(a * 8 + b) * P.at(b * 8 + c) / 8 * std::log(p.at(b));
        }
    CHECK(nats == doctest::Approx(0.7287).epsilon(1e-4));
}

// ---- task 6: heads ------------------------------------------------------------------------------

TEST_CASE("task 6 (1 point): a head that looks one back is found, and so is one that looks on") {
    const int64_t T = 6;
    Tensor back = Tensor::zeros({T, T}, Dtype::f64), on = back.clone();
    for (int64_t t = 0; t < T; ++t) {
        back.set(t * T + std::max<int64_t>(t - 1, 0), 1);
        on.set(t * T + std::min(t + 1, T - 1), 1);
    }
    CHECK(exercise::looks_at(back, -1) == 1);
    CHECK(exercise::looks_at(back, 0) == doctest::Approx(1.0 / 6));
    CHECK(exercise::looks_at(back, 1) == 0);
    CHECK(exercise::looks_at(on, 1) == 1);
    CHECK(exercise::looks_at(on, -1) == 0);
}

TEST_CASE("task 6 (1 point): a head that looks everywhere looks nowhere") {
    const Tensor weights = Tensor::full({5, 5}, 0.2, Dtype::f64);
    for (const int64_t offset : {-4, -2, -1, 0, 1, 3})
        CHECK(exercise::looks_at(weights, offset) == doctest::Approx(0.2));
}
