// What a bag of words knows of a text: naive Bayes, and logistic regression on its ratios (Wang and Manning
// 2012, NB-SVM with the logistic loss).
#pragma once

#include <cmath>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/labelled/labelled.h"
#include "data/tokenizers/bert_words.h"

namespace gradus::lesson14 {

// Which words and pairs of neighbouring words a text has.
inline std::vector<std::string> words_and_pairs(const std::string& text) {
    const auto words = data::bert_words(text);
    std::unordered_set<std::string> found;
    for (size_t i = 0; i < words.size(); ++i) {
        found.insert(words[i]);
        if (i > 0) found.insert(words[i - 1] + " " + words[i]);
    }
    return {found.begin(), found.end()};
}

class Bag {
public:
    // Of two classes, 0 and 1. A feature f has the ratio r_f = ln p_f / q_f, where p and q are its shares
    // in the classes, one more of each counted.
    explicit Bag(const std::vector<data::LabelledText>& texts) {
        std::vector<std::vector<double>> counts;  // of each feature in both classes
        double all[2] = {0, 0}, texts_of[2] = {1, 1};
        std::vector<std::vector<size_t>> rows;
        for (const auto& [text, label] : texts) {
            ++texts_of[label];
            rows.emplace_back();
            for (std::string& feature : words_and_pairs(text)) {
                const auto [at, is_new] = ids_.emplace(std::move(feature), counts.size());
                if (is_new) counts.push_back({1, 1});
                ++counts[at->second][static_cast<size_t>(label)];
                rows.back().push_back(at->second);
            }
        }
        for (const auto& count : counts)
            for (const size_t c : {0, 1}) all[c] += count[c];
        for (const auto& count : counts)
            ratio_.push_back(std::log(count[1] / all[1]) - std::log(count[0] / all[0]));
        prior_ = std::log(texts_of[1] / texts_of[0]);

        // p(liked) = σ(Σ_f w_f r_f + b), by stochastic gradients, pulled towards naive Bayes: w = 1.
        weight_.assign(ratio_.size(), 1);
        constexpr double kRate = 0.02, kPull = 1e-3;
        for (int pass = 0; pass < 20; ++pass)
            for (size_t i = 0; i < rows.size(); ++i) {
                const double error = texts[i].label - sigma(score(rows[i], true));
                for (const size_t f : rows[i])
                    weight_[f] += kRate * (error * ratio_[f] - kPull * (weight_[f] - 1));
                bias_ += kRate * error;
            }
    }

    // Shares of texts told rightly.
    double bayes(const std::vector<data::LabelledText>& texts) const { return right(texts, false); }
    double logistic(const std::vector<data::LabelledText>& texts) const {
        return right(texts, true);
    }

private:
    static double sigma(double x) { return 1 / (1 + std::exp(-x)); }

    double score(const std::vector<size_t>& features, bool weighted) const {
        double score = weighted ? bias_ : prior_;
        for (const size_t f : features) score += ratio_[f] * (weighted ? weight_[f] : 1);
        return score;
    }
    double right(const std::vector<data::LabelledText>& texts, bool weighted) const {
        double right = 0;
        for (const auto& [text, label] : texts) {
            std::vector<size_t> features;
            for (const std::string& feature : words_and_pairs(text))
                if (const auto at = ids_.find(feature); at != ids_.end())
                    features.push_back(at->second);
            right += (score(features, weighted) > 0) == (label == 1);
        }
        return right / static_cast<double>(texts.size());
    }

    std::unordered_map<std::string, size_t> ids_;
    std::vector<double> ratio_, weight_;
    double prior_ = 0, bias_ = 0;
};

}  // namespace gradus::lesson14
