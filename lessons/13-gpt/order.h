// Stage B, fine-tuning: a GPT that has read a language learns from few labels whether a passage is in
// order. Bags of tokens know nothing here: both kinds of passage have the same tokens.
// B batch · T time
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "data/labelled/labelled.h"
#include "data/tokenizers/bpe.h"
#include "lessons/13-gpt/language.h"
#include "nn/init.h"

namespace gradus::lesson13 {

struct Example {
    Ids ids;
    int32_t label;
};
struct Labelled {
    std::string name;
    std::vector<std::string> classes;
    std::vector<Example> train, test;  // in random order
};

inline Ids ids_of(const data::Bpe& bpe, const std::string& text, int64_t longest) {
    const Tensor all = bpe.encode(text);
    const auto values = all.values<int32_t>();
    const auto skipped = std::max<int64_t>(0, all.size() - longest);  // what counts is said last
    return {values.begin() + skipped, values.end()};
}

// Passages of so many words from random places of a text, each as it is and with neighbours
// exchanged: the first word with the second, the third with the fourth ...
inline std::vector<Example> passages(const data::Bpe& bpe, const std::string& text, int64_t places,
                                     int64_t words, int64_t longest, uint64_t seed) {
    std::vector<std::string_view> all;
    for (const std::string_view word : data::words(text))
        if (word != "\n") all.push_back(word);
    check(static_cast<int64_t>(all.size()) >= words, "passages",
          "the text has {} words, a passage {}; give more text", all.size(), words);
    Rng rng(seed);
    std::vector<Example> examples;
    for (int64_t i = 0; i < places; ++i) {
        const int64_t first = rng.below(static_cast<int64_t>(all.size()) - words + 1);
        for (const int32_t label : {0, 1}) {
            std::string passage;
            for (int64_t w = 0; w < words; ++w) {
                const int64_t at = label == 0 ? w : std::min(w ^ 1, words - 1);
                passage += ' ';
                passage += all[static_cast<size_t>(first + at)];
            }
            examples.push_back({ids_of(bpe, passage, longest), label});
        }
    }
    return examples;
}

inline Labelled in_order(const data::Bpe& bpe, const data::TextData& text, int64_t labels,
                         int64_t tests, int64_t longest, uint64_t seed) {
    constexpr int64_t kWords = 16;
    return {"order of words",
            {"in order", "exchanged"},
            passages(bpe, joined(text.train), labels / 2, kWords, longest, seed),
            passages(bpe, joined(text.test), tests / 2, kWords, longest, ~seed)};
}

// Texts with labels of their own, as film reviews; the end of each.
inline Labelled given(const data::Bpe& bpe, const data::LabelledData& data, int64_t labels,
                      int64_t tests, int64_t longest) {
    const auto cut = [&](const std::vector<data::LabelledText>& texts, int64_t most) {
        std::vector<Example> examples;
        for (const data::LabelledText& text : texts) {
            if (static_cast<int64_t>(examples.size()) == most) break;
            examples.push_back({ids_of(bpe, text.text, longest), text.label});
        }
        return examples;
    };
    return {data.name, data.classes, cut(data.train, labels), cut(data.test, tests)};
}

// Multinomial naive Bayes with one added to each count: the order of tokens says nothing to it. The
// share of the test texts that it gets right, a tie being half right.
inline double naive_bayes(const Labelled& data, int64_t labels, int64_t vocab) {
    const size_t classes = data.classes.size(), V = static_cast<size_t>(vocab);
    std::vector<Values> counts(classes, Values(V, 1));
    Values totals(classes, static_cast<double>(vocab)), texts(classes, 1);
    for (size_t i = 0; i < static_cast<size_t>(labels); ++i) {
        const auto c = static_cast<size_t>(data.train[i].label);
        for (const int32_t id : data.train[i].ids)
            ++counts[c][static_cast<size_t>(id)], ++totals[c];
        ++texts[c];
    }
    double right = 0;
    for (const Example& example : data.test) {
        Values scores;
        for (size_t c = 0; c < classes; ++c) {
            scores.push_back(std::log(texts[c]));
            for (const int32_t id : example.ids)
                scores.back() += std::log(counts[c][static_cast<size_t>(id)] / totals[c]);
        }
        const double best = *std::max_element(scores.begin(), scores.end());
        const auto near = [&](double score) { return best - score < 1e-9; };
        if (near(scores[static_cast<size_t>(example.label)]))
            right += 1 / static_cast<double>(std::count_if(scores.begin(), scores.end(), near));
    }
    return right / static_cast<double>(data.test.size());
}

// Examples side by side, filled up at the end: a causal model does not see what comes after.
struct Rows {
    Tensor x, lengths, labels;  // [B, T], [B], [B]
};
inline Rows rows_of(const std::vector<const Example*>& examples) {
    size_t longest = 0;
    for (const Example* example : examples) longest = std::max(longest, example->ids.size());
    const auto B = static_cast<int64_t>(examples.size()), T = static_cast<int64_t>(longest);
    Rows rows{Tensor::zeros({B, T}, Dtype::i32), Tensor::empty({B}, Dtype::i32),
              Tensor::empty({B}, Dtype::i32)};
    for (int64_t b = 0; b < B; ++b) {
        const Example& example = *examples[static_cast<size_t>(b)];
        std::copy(example.ids.begin(), example.ids.end(), rows.x.data<int32_t>() + b * T);
        rows.lengths.set(b, static_cast<double>(example.ids.size()));
        rows.labels.set(b, example.label);
    }
    return rows;
}

inline double accuracy(models::GPTClassifier& model, const std::vector<Example>& test) {
    const nn::Evaluating scope(model);
    double right = 0;
    for (size_t first = 0; first < test.size(); first += 50) {
        std::vector<const Example*> examples;
        for (size_t i = first; i < std::min(first + 50, test.size()); ++i)
            examples.push_back(&test[i]);
        const Rows rows = rows_of(examples);
        const Tensor chosen = argmax(model(rows.x, rows.lengths));
        for (int64_t b = 0; b < chosen.size(); ++b) right += chosen.at(b) == rows.labels.at(b);
    }
    return right / static_cast<double>(test.size());
}

// Learns a classifier from the first `labels` examples, from pretrained weights or from scratch, and
// gives its accuracy.
inline double classify(const std::string& label, const Labelled& data, int64_t labels,
                       models::GPT& pretrained, bool from_scratch, int64_t steps, uint64_t seed) {
    nn::manual_seed(seed);
    models::GPTClassifier model(pretrained.options(), static_cast<int64_t>(data.classes.size()));
    if (!from_scratch) model.transformer.load_state_dict(pretrained.state_dict());
    constexpr int64_t kBatch = 16;
    const nn::WarmupCosine rate{.peak = 1e-3, .warmup = steps / 10, .total = steps};
    Rng rng(seed);
    lesson::learn(label, model, steps, rate, [&](int64_t) {
        std::vector<const Example*> examples;
        for (int64_t b = 0; b < kBatch; ++b)
            examples.push_back(&data.train[static_cast<size_t>(rng.below(labels))]);
        const Rows rows = rows_of(examples);
        return nn::cross_entropy(model(rows.x, rows.lengths), rows.labels);
    });
    return accuracy(model, data.test);
}

// Few and many labels, with and without what was read before. False where Ctrl-C came first.
inline bool fine_tune(lesson::Results& results, const Labelled& data, models::GPT& pretrained,
                      const std::vector<int64_t>& labels, int64_t steps, uint64_t seed,
                      bool judged) {
    results.section(fmt::format("B. {}, right", data.name), "%");
    results.add("chance", 1 / static_cast<double>(data.classes.size()));
    for (const int64_t wanted : labels) {
        const auto n = std::min(wanted, static_cast<int64_t>(data.train.size()));
        const std::string of = fmt::format("{} labels", n);
        results.add("classical: naive Bayes, " + of,
                    naive_bayes(data, n, pretrained.options().vocab));
        const double scratch =
            classify("from scratch, " + of, data, n, pretrained, true, steps, seed);
        results.add("from scratch, " + of, scratch);
        const double tuned = classify("fine-tuned, " + of, data, n, pretrained, false, steps, seed);
        if (lesson::interrupted()) return false;
        if (judged)
            results.add("ours: pretrained and fine-tuned, " + of, tuned, at_least(scratch));
        else
            results.add("ours: pretrained and fine-tuned, " + of, tuned);
    }
    return true;
}

}  // namespace gradus::lesson13
