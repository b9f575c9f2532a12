// What stage B of lesson 05 reads: documents as ids, each with its end, split into training and test.
#pragma once

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/random.h"
#include "data/sources/pcfg.h"
#include "data/text/text.h"
#include "data/text/vocab.h"
#include "lessons/language_model.h"

namespace gradus::lesson05 {

using Documents = std::vector<std::vector<int32_t>>;

constexpr int32_t kEnd = 0;  // of a document: "\n"; also what stands before its first token

struct Corpus {
    std::string name, unit;  // "names", "character"
    data::Vocab vocab;
    Documents train{}, test{};
    std::optional<double> optimum{};  // nats per token of the test set, where the source is known

    std::string text(const std::vector<int32_t>& ids) const {
        return vocab.decode(Tensor::from<int32_t>(ids), unit == "word" ? " " : "");
    }
};

inline int64_t token_count(const Documents& documents) {
    size_t n = 0;
    for (const auto& document : documents) n += document.size();
    return static_cast<int64_t>(n);
}

inline Corpus read_corpus(const data::TextData& text, const std::string& unit) {
    const auto split = unit == "word" ? data::words : data::characters;
    std::vector<std::string_view> tokens;
    for (const data::Document& document : text.train) {
        const auto more = split(document.text);
        tokens.insert(tokens.end(), more.begin(), more.end());
    }
    Corpus corpus{text.name, unit, data::Vocab(tokens, {.unknown = "<unk>", .first = {"\n"}})};
    const auto encode = [&](const std::vector<data::Document>& documents) {
        Documents all;
        for (const data::Document& document : documents) {
            const Tensor ids = corpus.vocab.encode(split(document.text));
            const auto values = ids.values<int32_t>();
            auto& sequence = all.emplace_back(values.begin(), values.end());
            if (sequence.empty() || sequence.back() != kEnd) sequence.push_back(kEnd);
        }
        return all;
    };
    corpus.train = encode(text.train);
    corpus.test = encode(text.test);
    return corpus;
}

// Sentences of a grammar, whose exact probabilities are known.
inline Corpus generated_sentences(uint64_t seed, bool quick) {
    const auto grammar = data::Pcfg::english();
    Rng rng(seed);
    data::TextData text{"generated", {}, {}};
    double nats = 0;
    const int train = quick ? 2000 : 8000, test = quick ? 300 : 1000;
    for (int i = 0; i < train + test; ++i) {
        const Tensor ids = grammar.sample(rng);
        (i < train ? text.train : text.test).push_back({std::to_string(i), grammar.text(ids)});
        if (i >= train) nats += grammar.nats(ids);
    }
    Corpus corpus = read_corpus(text, "word");
    corpus.optimum = nats / static_cast<double>(token_count(corpus.test));
    return corpus;
}

inline Corpus load(const std::string& data, uint64_t seed, bool quick) {
    if (data == "generated") return generated_sentences(seed, quick);
    return read_corpus(data::load_text(lesson::data_path(data.empty() ? "names" : data)),
                       "character");
}

}  // namespace gradus::lesson05
