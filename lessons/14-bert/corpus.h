// Texts as a BERT reads them: documents of passages, in pieces of words.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/sentence_pairs.h"
#include "data/tokenizers/wordpiece.h"
#include "lessons/language_model.h"

namespace gradus::lesson14 {

using Ids = std::vector<int32_t>;
using Documents = std::vector<data::Sentences>;  // each a list of passages

// Brown's quotation marks, two of one kind, as those of other texts.
inline std::string with_plain_quotes(std::string text) {
    for (const char* quote : {"``", "''"})
        for (size_t at = 0; (at = text.find(quote, at)) != text.npos;) text.replace(at, 2, "\"");
    return text;
}

// Ids in passages of at most `most`, which end where a sentence does if one ends in time. ("Sentence" is
// what the paper calls them, and says that it means any span of text, section 3.)
inline data::Sentences passages(const Ids& ids, size_t most, const Ids& ends) {
    data::Sentences result;
    for (auto begin = ids.begin(); begin != ids.end();) {
        const auto limit =
            begin + std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(most), ids.end() - begin);
        auto end = limit;
        if (limit != ids.end()) {
            while (end != begin && std::find(ends.begin(), ends.end(), *(end - 1)) == ends.end())
                --end;
            if (end == begin) end = limit;
        }
        result.emplace_back(begin, end);
        begin = end;
    }
    return result;
}

// Pieces of words, and how a text becomes documents of them.
struct Reader {
    data::WordPiece tokenizer;
    int64_t time;  // T: of a pair with its frame
    size_t part =
        40;  // passages: a longer text is cut into documents of so many, as of brown's size

    data::PairFrame frame() const {
        return {
            .classify = tokenizer.cls(), .separator = tokenizer.sep(), .padding = tokenizer.pad()};
    }
    Ids ids(std::string_view text) const {
        const Tensor ids = tokenizer.encode(text);
        const auto values = ids.values<int32_t>();
        return {values.begin(), values.end()};
    }
    Documents documents(const std::vector<std::string>& texts) const {
        Ids ends;
        for (const char* end : {".", "?", "!"})
            if (tokenizer.vocab().contains(end)) ends.push_back(tokenizer.vocab().id(end));
        Documents result;
        for (const std::string& text : texts) {
            const auto all = passages(ids(text), static_cast<size_t>((time - 3) / 2), ends);
            for (size_t begin = 0; begin < all.size(); begin += part)
                result.emplace_back(
                    all.begin() + static_cast<std::ptrdiff_t>(begin),
                    all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), begin + part)));
        }
        return result;
    }
};

// Sources side by side. The second passage of a pair is always of the source of the first: else their
// style would tell them apart.
struct Corpus {
    std::string name;
    std::vector<Documents> train, test;  // of each source
};

inline std::vector<std::string> texts_of(const std::vector<data::Document>& documents) {
    std::vector<std::string> texts;
    for (const data::Document& document : documents)
        texts.push_back(with_plain_quotes(document.text));
    return texts;
}

// What --data names, and the pieces that are learned from it. Where it names nothing or brown, austen is
// read beside brown; where that is not there, brown is read alone, and that is said.
inline std::pair<Reader, Corpus> load_corpus(const lesson::Options& options, int64_t vocab,
                                             int64_t time) {
    namespace fs = std::filesystem;
    std::vector<std::string> names{options.data.empty() ? "brown" : options.data};
    if (const fs::path path = names[0]; path.filename() == "brown") {
        const fs::path austen = lesson::data_path(names[0]).parent_path() / "austen";
        if (fs::exists(austen))
            names.push_back(austen.string());
        else
            fmt::print("Brown alone is read: there is no {} (./run data austen).\n",
                       austen.string());
    }
    std::vector<data::TextData> sources;
    std::vector<std::string> texts;  // to learn from
    Corpus corpus;
    for (const std::string& name : names) {
        lesson::Options its = options;
        its.data = name;
        sources.push_back(lesson::load_lm_text(its).text);
        corpus.name += (corpus.name.empty() ? "" : " + ") + sources.back().name;
        for (std::string& text : texts_of(sources.back().train)) texts.push_back(std::move(text));
    }
    Reader reader{data::WordPiece::train({texts.begin(), texts.end()}, {.size = vocab}), time};
    for (const data::TextData& source : sources) {
        corpus.train.push_back(reader.documents(texts_of(source.train)));
        corpus.test.push_back(reader.documents(texts_of(source.test)));
    }
    return {std::move(reader), std::move(corpus)};
}

// Pairs of passages, framed; each epoch has pairs and an order of its own. The rows of a step depend on
// the seed and the step alone.
class Rows {
public:
    Rows(const std::vector<Documents>& sources, const Reader& reader, int64_t batch, uint64_t seed)
        : sources_(sources), reader_(reader), batch_(batch), seed_(seed) {
        begin_epoch(0);
    }

    int64_t per_epoch() const { return std::max<int64_t>(1, size() / batch_); }
    int64_t size() const { return static_cast<int64_t>(pairs_.size()); }

    data::FramedPairs at(int64_t step) {
        if (step / per_epoch() != epoch_) begin_epoch(step / per_epoch());
        const auto begin = pairs_.begin() + step % per_epoch() * batch_;
        return data::framed({begin, begin + std::min(batch_, size())}, reader_.time,
                            reader_.frame());
    }

private:
    void begin_epoch(int64_t epoch) {
        std::vector<data::SentencePair> all;
        for (const Documents& documents : sources_)
            for (auto& pair : data::next_sentence_pairs(documents, seed_, epoch))
                all.push_back(std::move(pair));
        const Tensor order = Rng(Rng::at(Rng(seed_).state(), static_cast<uint64_t>(epoch)))
                                 .permutation(static_cast<int64_t>(all.size()));
        pairs_.clear();
        for (const int32_t i : order.values<int32_t>())
            pairs_.push_back(std::move(all[static_cast<size_t>(i)]));
        epoch_ = epoch;
    }

    const std::vector<Documents>& sources_;
    const Reader& reader_;
    int64_t batch_;
    uint64_t seed_;
    std::vector<data::SentencePair> pairs_;  // of epoch epoch_
    int64_t epoch_ = -1;
};

}  // namespace gradus::lesson14
