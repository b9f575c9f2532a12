#include <doctest/doctest.h>

#include "lessons/14-bert/heads.h"

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
