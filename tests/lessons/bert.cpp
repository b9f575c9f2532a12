#include <doctest/doctest.h>

#include "lessons/14-bert/heads.h"
#include "lessons/14-bert/reviews.h"

using namespace gradus;
using namespace gradus::lesson14;

namespace {

models::BERTOptions small() {
    return {.vocab = 50, .positions = 32, .dim = 64, .heads = 2, .layers = 1, .ff = 64};
}

// Mean weights on neighbours, one or two places away, and on tokens that are ten or more away.
std::pair<double, double> near_and_far(models::BERTPretraining& model) {
    const Tensor ids = Tensor::empty({1, 32}, Dtype::i32);
    for (int32_t t = 0; t < 32; ++t) Tensor(ids).data<int32_t>()[t] = t + 5;
    std::vector<Tensor> maps;
    model.bert(ids, {}, {}, &maps);
    double near = 0, far = 0, nears = 0, fars = 0;
    for (int64_t i = 0; i < maps[0].size(); ++i) {
        const int64_t distance = std::abs(i / 32 % 32 - i % 32);
        if (distance == 1 || distance == 2) near += maps[0].at(i), ++nears;
        if (distance >= 10) far += maps[0].at(i), ++fars;
    }
    return {near / nears, far / fars};
}

// What is liked is called good or fine, what is not bad or poor; all else is the same in both.
std::vector<data::LabelledText> opinions(int count, uint64_t seed) {
    const char *words[2][2] = {{"bad", "poor"}, {"good", "fine"}},
               *things[] = {"film", "plot", "cast"};
    Rng rng(seed);
    std::vector<data::LabelledText> texts;
    for (int i = 0; i < count; ++i) {
        const auto thing = rng.below(3), word = rng.below(2);
        texts.push_back({fmt::format("the {} is {} .", things[thing], words[i % 2][word]), i % 2});
    }
    return texts;
}

Reader reader_of(const std::vector<data::LabelledText>& texts, int64_t time) {
    std::vector<std::string_view> views;
    for (const auto& [text, label] : texts) views.push_back(text);
    return {data::WordPiece::train(views, {.size = 60}), time};
}

}  // namespace

TEST_CASE(
    "lesson 14: a model that looks near begins by looking at neighbours, a fresh one anywhere") {
    const auto model = fresh_model(small(), 1);
    const auto [near_before, far_before] = near_and_far(*model);
    CHECK(near_before < 2 * far_before);
    look_near(*model);
    const auto [near, far] = near_and_far(*model);
    CHECK(near > 10 * far);
}

TEST_CASE("lesson 14: a passage ends where a sentence does, or where it must") {
    const Ids ids{1, 2, 9, 3, 4, 5, 6, 9, 7};
    CHECK(passages(ids, 4, {9}) == data::Sentences{{1, 2, 9}, {3, 4, 5, 6}, {9, 7}});
    CHECK(passages(ids, 20, {9}) == data::Sentences{ids});
}

TEST_CASE("lesson 14: what is hidden is found, and a word among equals has the worst rank") {
    const auto [at, words] = hidden_in(Tensor::from<int32_t>({-100, 7, -100, -100, 3, 2}, {2, 3}));
    CHECK(at.values<int32_t>()[0] == 1);
    CHECK(at.values<int32_t>()[2] == 5);
    CHECK(words.values<int32_t>()[1] == 3);
    Score score;
    score.add(Tensor::from<float>({1, 1, 0, 5, 1, 2, 0, 0}, {2, 4}), Tensor::from<int32_t>({3, 0}));
    CHECK(score.top1 == 0.5);
    CHECK(score.top5 == 1);
    CHECK(score.words == 2);
}

TEST_CASE("lesson 14: a bag tells opinions by the words that it has seen") {
    const auto texts = opinions(40, 1), unseen = opinions(20, 2);
    const Bag bag(texts);
    CHECK(bag.bayes(unseen) == 1);
    CHECK(bag.logistic(unseen) == 1);
    CHECK(bag.bayes({{"nothing known", 0}, {"nothing known", 1}}) == 0.5);
}

TEST_CASE("lesson 14: labelled texts are framed, cut where they are too long, and padded") {
    const Reader reader = reader_of(opinions(40, 1), 6);
    const auto cls = reader.tokenizer.cls(), sep = reader.tokenizer.sep();
    const LabelledRows rows({{"the plot is good . the film is bad", 1}, {"good", 0}}, reader);
    const auto ids = rows.ids.values<int32_t>();
    CHECK(ids[0] == cls);
    CHECK(ids[5] == sep);  // after four pieces
    const auto good = reader.ids("good");
    REQUIRE(good.size() < 4);
    CHECK(Ids(ids.begin() + 7, ids.begin() + 7 + static_cast<std::ptrdiff_t>(good.size())) == good);
    CHECK(ids[7 + good.size()] == sep);
    CHECK(ids[11] == rows.padding);
    CHECK(rows.labels.at(0) == 1);
    CHECK(rows.labels.at(1) == 0);
}

TEST_CASE("lesson 14: a classifier learns opinions and tells those of other texts") {
    const auto texts = opinions(64, 1);
    const Reader reader = reader_of(texts, 32);
    models::BERTOptions shape = small();
    shape.vocab = reader.tokenizer.size();
    const auto encoder = fresh_model(shape, 1);
    const LabelledRows train(texts, reader), unseen(opinions(40, 2), reader);
    const auto told = [&](int64_t steps) {
        return fine_tuned("opinions", {"encoder", *encoder}, shape, train, unseen,
                          {steps, 3e-3, 1, models::Reads::mean});
    };
    CHECK(told(60) == 1);
    CHECK(told(0) < 0.8);
    // It begins with the encoder that is given: one of zeros tells nothing from anything, and never learns to.
    for (Tensor weight : encoder->parameters()) weight.fill(0);
    CHECK(told(60) == 0.5);
}

TEST_CASE("lesson 14: a spread knows the ends and the mean of its values, below zero too") {
    Spread spread;
    for (const double x : {-3.0, -1.0, -2.0}) spread.add(x);
    CHECK(spread.low == -3);
    CHECK(spread.high == -1);
    CHECK(spread.mean == doctest::Approx(-2));
    CHECK(spread.width() == 2);
}
