// Words that are hidden in a batch, and what a model says of them.
// B batch · T time · D model width · V vocabulary · n hidden words
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "data/masking.h"
#include "lessons/common.h"
#include "lessons/report.h"
#include "lessons/training.h"
#include "models/bert.h"
#include "models/transformer.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::lesson14 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Report, lesson::Values;

// A fresh model. Its authors' first weights, of size 0.02, suit a width of 768; where rows are shorter, sums
// over them are as large as there if the weights are larger by √(768 / D).
inline std::unique_ptr<models::BERTPretraining> fresh_model(const models::BERTOptions& options,
                                                            uint64_t seed) {
    nn::manual_seed(seed);
    auto model = std::make_unique<models::BERTPretraining>(options);
    const auto larger = static_cast<float>(std::sqrt(768.0 / static_cast<double>(options.dim)));
    for (Tensor weight : model->parameters())
        if (weight.rank() == 2)
            for (int64_t i = 0; i < weight.size(); ++i) weight.data<float>()[i] *= larger;
    return model;
}

// First weights with which each token looks at what is near it; at whom to look is what a short training would
// only just find. Positions are waves, here of 6 to 600 tokens, twice as large as the words. Keys are made as
// queries are, and both are larger: then q_i · k_j is largest where the places i and j are alike.
inline void look_near(models::BERTPretraining& model) {
    constexpr double kSpread = 100, kPositions = 2, kLooks = 2.5;
    const models::BERTOptions& o = model.bert.options();
    const double size = kPositions * 0.02 * std::sqrt(2 * 768 / static_cast<double>(o.dim));
    const Tensor waves = models::sinusoids(o.positions, o.dim, kSpread, Dtype::f64);
    Tensor query;
    for (const auto& [name, parameter] : model.named_parameters()) {
        Tensor weight = parameter;
        float* w = weight.data<float>();
        if (name.ends_with("position_embeddings.weight")) {
            for (int64_t i = 0; i < weight.size(); ++i)
                w[i] = static_cast<float>(size * waves.at(i));
        } else if (name.ends_with("query.weight")) {
            for (int64_t i = 0; i < weight.size(); ++i) w[i] *= static_cast<float>(kLooks);
            query = weight;
        } else if (name.ends_with("key.weight")) {
            std::copy_n(query.data<float>(), weight.size(), w);
        }
    }
}

// What is to be guessed of a masked batch: where it stands and what it is.
struct Hidden {
    Tensor at, words;  // [n], i32; token t of row b stands at b T + t
};
inline Hidden hidden_in(const Tensor& y) {
    std::vector<int32_t> at, words;
    for (int64_t i = 0; i < y.size(); ++i)
        if (const int32_t word = y.data<int32_t>()[i]; word >= 0) {
            at.push_back(static_cast<int32_t>(i));
            words.push_back(word);
        }
    const auto n = static_cast<int64_t>(at.size());
    Hidden hidden{Tensor::empty({n}, Dtype::i32), Tensor::empty({n}, Dtype::i32)};
    std::copy(at.begin(), at.end(), hidden.at.data<int32_t>());
    std::copy(words.begin(), words.end(), hidden.words.data<int32_t>());
    return hidden;
}

// The loss of the hidden words alone, the mean over them.
inline Tensor masked_loss(models::BERTPretraining& model, const Tensor& states, const Tensor& y) {
    const Hidden hidden = hidden_in(y);
    return nn::cross_entropy(model.masked_words(states, hidden.at), hidden.words);
}

// How often the word is the likeliest one, or one of the five, and its nats: means over words.
struct Score {
    double top1 = 0, top5 = 0, nats = 0;
    int64_t words = 0;

    // `scores` [V]: larger is likelier; `nats_of_it`: -ln p(word). A word shares its place with those
    // that are as likely: it gets the worst of their ranks.
    template <class Number>
    void add(const Number* scores, int64_t V, int32_t word, double nats_of_it) {
        int64_t before = 0;
        for (int64_t v = 0; v < V; ++v) before += v != word && scores[v] >= scores[word];
        const double n = static_cast<double>(++words);
        top1 += ((before < 1) - top1) / n;
        top5 += ((before < 5) - top5) / n;
        nats += (nats_of_it - nats) / n;
    }
    void add(const Tensor& logits, const Tensor& its_words) {  // [n, V], [n]
        const Tensor log_p = log_softmax(logits);
        const int64_t V = logits.size(1);
        for (int64_t i = 0; i < logits.size(0); ++i) {
            const int32_t word = its_words.data<int32_t>()[i];
            const float* row = log_p.data<float>() + i * V;
            add(row, V, word, -static_cast<double>(row[word]));
        }
    }
};

}  // namespace gradus::lesson14
