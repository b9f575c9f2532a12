// The text of lesson 04: what is counted, what settings are chosen on, and what is predicted.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "data/sources/markov.h"
#include "lessons/language_model.h"

namespace gradus::lesson04 {

using Ids = std::span<const int32_t>;

struct Text {
    lesson::Corpus corpus;
    std::vector<Ids> train, test;
    std::vector<Ids> counted, held_out;  // two parts of train: settings are chosen on the second
    size_t first = 0;                    // what of each document is predicted: from here on
    std::optional<double> optimum;       // nats per token of test, where the source is known

    int64_t vocab() const { return corpus.vocab.size(); }
};

inline std::vector<Ids> spans(const std::vector<Tensor>& documents) {
    std::vector<Ids> all;
    for (const Tensor& document : documents) all.push_back(document.values<int32_t>());
    return all;
}

// Every tenth document; of fewer than ten the last; of one its last tenth.
inline void hold_out(Text& text) {
    const size_t n = text.train.size();
    if (n == 1) {
        const size_t cut = text.train[0].size() * 9 / 10;
        text.counted = {text.train[0].first(cut)};
        text.held_out = {text.train[0].subspan(cut)};
        return;
    }
    for (size_t i = 0; i < n; ++i)
        (n < 10 ? i + 1 == n : i % 10 == 9) ? text.held_out.push_back(text.train[i])
                                            : text.counted.push_back(text.train[i]);
}

// A chain of order 2 over twelve letters, some pairs far more predictable than others.
inline data::TextData generate(const lesson::Options& options, std::optional<double>& optimum) {
    Rng rng(options.seed + 1);
    const auto source = data::Markov::random(12, 2, 0.3, rng);
    const auto document = [&](const Tensor& ids) {
        std::string text;
        for (const int32_t id : ids.values<int32_t>()) text += static_cast<char>('a' + id);
        return data::Document{"chain", text};
    };
    const Tensor train = source.sample(options.quick ? 20000 : 200000, rng);
    const Tensor test = source.sample(options.quick ? 5000 : 50000, rng);
    optimum = source.nats(test) / static_cast<double>(test.size() - 2);
    return {"generated", {document(train)}, {document(test)}};
}

inline Text load(const lesson::Options& options) {
    std::optional<double> optimum;
    data::TextData data =
        options.data == "generated"
            ? generate(options, optimum)
            : data::load_text(lesson::data_path(options.data.empty() ? "austen" : options.data));
    const auto shorten = [&](std::vector<data::Document>& documents, size_t characters) {
        for (data::Document& document : documents) {
            // A name ends where its line does, and that is part of what there is to learn.
            if (!optimum && !document.text.ends_with('\n')) document.text += '\n';
            if (!options.quick || document.text.size() <= characters) continue;
            const auto all = data::characters(document.text);
            if (all.size() > characters)
                document.text.resize(
                    static_cast<size_t>(all[characters].data() - document.text.data()));
        }
    };
    shorten(data.train, 40000);
    shorten(data.test, 10000);
    Text text{lesson::character_corpus(data), {}, {}, {}, {}, 0, optimum};
    text.train = spans(text.corpus.train_documents);
    text.test = spans(text.corpus.test_documents);
    text.first = optimum ? 2 : 0;
    hold_out(text);
    return text;
}

}  // namespace gradus::lesson04
