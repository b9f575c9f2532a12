// Stage B: a BERT learns hidden words and next passages of a text, and is judged on documents that it has
// not seen.
#pragma once

#include <numeric>
#include <string>

#include "lessons/14-bert/corpus.h"
#include "lessons/14-bert/counting.h"
#include "lessons/14-bert/guess.h"

namespace gradus::lesson14 {

// A share `chosen` of the tokens is asked for.
inline data::Masking masking_of(const Reader& reader, double chosen, double hidden, double swapped,
                                uint64_t seed) {
    const data::WordPiece& t = reader.tokenizer;
    return data::Masking({.mask = t.mask(),
                          .vocab = t.size(),
                          .special = {t.pad(), t.unk(), t.cls(), t.sep()},
                          .chosen = chosen,
                          .hidden = hidden,
                          .swapped = swapped,
                          .seed = seed});
}

// Pairs of unseen documents, whose chosen words are all really hidden. The same for every seed.
struct Unseen {
    data::FramedPairs pairs;
    data::Batch masked;  // [N, T]

    Unseen(const std::vector<Documents>& sources, const Reader& reader, int64_t rows)
        : pairs(Rows(sources, reader, rows, 0).at(0)),
          masked(masking_of(reader, 0.15, 1, 0, 0).at(pairs.ids, 0)) {}

    int64_t rows() const { return pairs.ids.size(0); }
    // Rows from begin on, at most 32.
    Unseen part(int64_t begin) const {
        Unseen part = *this;
        const int64_t end = std::min(rows(), begin + 32);
        for (Tensor* t : {&part.pairs.ids, &part.pairs.segments, &part.pairs.lengths,
                          &part.pairs.labels, &part.masked.x, &part.masked.y})
            *t = data::take_rows(*t, counted(begin, end).data(), end - begin);
        return part;
    }

private:
    static std::vector<int32_t> counted(int64_t begin, int64_t end) {
        std::vector<int32_t> rows(static_cast<size_t>(end - begin));
        std::iota(rows.begin(), rows.end(), static_cast<int32_t>(begin));
        return rows;
    }
};

struct Judged {
    Score words;
    double next = 0;  // share of passages rightly said to follow or not
};

inline Judged judge(models::BERTPretraining& model, const Unseen& unseen, int64_t rows) {
    const nn::Evaluating scope(model);
    Judged judged;
    rows = std::min(rows, unseen.rows());
    for (int64_t begin = 0; begin < rows; begin += 32) {
        const auto [pairs, masked] = unseen.part(begin);
        const Tensor states = model.bert(masked.x, pairs.segments, pairs.lengths);
        const Hidden hidden = hidden_in(masked.y);
        judged.words.add(model.masked_words(states, hidden.at), hidden.words);
        const Tensor said = argmax(model.next_sentence(states));
        for (int64_t i = 0; i < said.size(); ++i)
            judged.next += (said.at(i) == pairs.labels.at(i)) / static_cast<double>(rows);
    }
    return judged;
}

// The same words by counting.
inline Score judge(const BothSides& counts, const Unseen& unseen, const Reader& reader) {
    Score score;
    const data::WordPiece& t = reader.tokenizer;
    const auto seen = [&](int64_t at) {
        const int32_t id = unseen.masked.x.data<int32_t>()[at];
        const bool none = id == t.mask() || id == t.cls() || id == t.sep() || id == t.pad();
        return none ? BothSides::kUnseen : id;
    };
    for (int64_t i = 0; i < unseen.masked.y.size(); ++i) {
        const int32_t word = unseen.masked.y.data<int32_t>()[i];
        if (word < 0) continue;
        const auto p = counts.distribution(seen(i - 1), seen(i + 1));  // a frame is around it
        score.add(p.data(), t.size(), word, -std::log(p[static_cast<size_t>(word)]));
    }
    return score;
}

struct PretrainingOptions {
    int64_t batch = 8;  // pairs
    // Passes over the passages, each the first of a pair in one; 0.5 is half of one.
    double epochs = 1;
    double rate = 2e-3, warm_up = 0.1;  // the peak, and the share of the steps until it
    double beta2 = 0.98;                // of AdamW, as RoBERTa's (Liu et al. 2019, section 3.1)
    // The share of the tokens that are asked for: BERT's is 0.15. More questions of the same text cost little
    // (Wettig et al. 2023). Of these, the shares that are hidden and swapped.
    double chosen = 0.5, hidden = 0.8, swapped = 0.1;
    bool near = true;  // does it begin by looking near each token?
    bool next = true;  // is the next passage asked for, too?
    uint64_t seed = 1;
};

// Where a training begins.
inline std::unique_ptr<models::BERTPretraining> first_model(const models::BERTOptions& shape,
                                                            const PretrainingOptions& options) {
    auto model = fresh_model(shape, options.seed);
    if (options.near) look_near(*model);
    return model;
}

inline uint64_t fingerprint(const std::vector<Documents>& sources) {
    uint64_t all = 0;
    for (const Documents& documents : sources)
        for (const data::Sentences& document : documents)
            for (const Ids& passage : document)
                for (const int32_t id : passage)
                    all = (all ^ static_cast<uint32_t>(id)) * 0x100000001b3;  // as lesson's
    return all;
}

inline std::string course_of(const models::BERTOptions& model, const std::vector<Documents>& text,
                             const PretrainingOptions& o) {
    return fmt::format(
        "BERT {} x {}, {} heads, ff {}, {} positions, {} pieces, dropout {}; seed {}; text "
        "{:016x}, {} passes of {}; "
        "rate {}, warm-up {}, beta2 {}; {} chosen, {} hidden, {} swapped{}{}",
        model.layers, model.dim, model.heads, model.ff, model.positions, model.vocab, model.dropout,
        o.seed, fingerprint(text), o.epochs, o.batch, o.rate, o.warm_up, o.beta2, o.chosen,
        o.hidden, o.swapped, o.near ? "" : "; begins far", o.next ? "" : "; no next sentence");
}

// False where Ctrl-C came first.
inline bool pretrain(const std::string& label, models::BERTPretraining& model,
                     const std::vector<Documents>& text, const Reader& reader, const Unseen& unseen,
                     const PretrainingOptions& options, const lesson::Checkpoint& checkpoint,
                     lesson::History& history) {
    Rows rows(text, reader, options.batch, options.seed);
    const data::Masking masking =
        masking_of(reader, options.chosen, options.hidden, options.swapped, options.seed);
    const int64_t steps =
        std::max<int64_t>(10, std::llround(options.epochs * static_cast<double>(rows.per_epoch())));
    const auto loss = [&](int64_t step) {
        const data::FramedPairs pairs = rows.at(step);
        const auto [x, y] = masking.at(pairs.ids, step);  // anew in each step: dynamic masking
        const Tensor states = model.bert(x, pairs.segments, pairs.lengths);
        const Tensor words = masked_loss(model, states, y);
        if (!options.next) return words;
        return words + nn::cross_entropy(model.next_sentence(states), pairs.labels);
    };
    const auto rate =
        nn::WarmupCosine{.peak = options.rate,
                         .warmup = std::llround(options.warm_up * static_cast<double>(steps)),
                         .total = steps};
    return lesson::train(label,
                         {.model = model,
                          .loss = loss,
                          .test = [&] { return judge(model, unseen, 128).words.nats; },
                          .tokens = static_cast<double>(options.batch * reader.time),
                          .vocabularies = {{"pieces", &reader.tokenizer.vocab()}}},
                         {.steps = steps,
                          .rate = rate,
                          .beta2 = options.beta2,
                          .course = course_of(model.bert.options(), text, options)},
                         checkpoint, history);
}

}  // namespace gradus::lesson14
