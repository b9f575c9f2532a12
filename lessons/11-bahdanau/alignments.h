// Where a network with attention looks while it translates: its weights, sentence by sentence.
// T words of a translation and its end · S words of a source and its end
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "lessons/report.h"
#include "lessons/translation.h"
#include "report/attention.h"
#include "report/heatmap.h"
#include "report/text.h"

namespace gradus::lesson11 {

using lesson::at_least, lesson::at_most;
using lesson::Ids, lesson::Pairs, lesson::Report, lesson::Tokens, lesson::Values;

// α of one pair. Row t holds the weights with which target token t was written: the decoder compares
// s_{t-1}, which has not read token t - 1 yet, and what it finds goes into s_t, which says token t.
struct Alignment {
    size_t rows, columns;  // T, S
    Values weights;        // [T, S]

    size_t strongest(size_t row) const {  // of equal ones the first
        const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(row * columns);
        return static_cast<size_t>(
            std::max_element(begin, begin + static_cast<std::ptrdiff_t>(columns)) - begin);
    }
};

// The network reads each target, one step behind.
inline std::vector<Alignment> align(models::Seq2Seq& model,
                                    const std::vector<data::PairIds>& pairs) {
    const data::PairBatches batches(pairs);
    std::vector<Alignment> alignments;
    for (size_t first = 0; first < pairs.size(); first += 64) {
        Ids positions;
        for (size_t i = first; i < std::min(first + 64, pairs.size()); ++i)
            positions.push_back(static_cast<int32_t>(i));
        const data::PairBatch batch = batches.batch_of(positions);
        Tensor weights;  // [B, longest T, longest S]
        model.decode(batch.x, model.encode(batch.source, batch.source_lengths),
                     {.weights = &weights});
        for (int64_t b = 0; b < weights.size(0); ++b) {
            const auto T = static_cast<size_t>(batch.target_lengths.at(b));
            const auto S = static_cast<size_t>(batch.source_lengths.at(b));
            Alignment alignment{T, S, {}};
            for (size_t t = 0; t < T; ++t)
                for (size_t s = 0; s < S; ++s)
                    alignment.weights.push_back(weights.at(
                        (b * weights.size(1) + static_cast<int64_t>(t)) * weights.size(2) +
                        static_cast<int64_t>(s)));
            alignments.push_back(std::move(alignment));
        }
    }
    return alignments;
}

// What was translated, with its translation in place of the right one.
inline std::vector<data::PairIds> said(const std::vector<data::PairIds>& asked,
                                       const std::vector<Ids>& translations) {
    std::vector<data::PairIds> pairs;
    for (size_t i = 0; i < asked.size(); ++i) {
        pairs.push_back({asked[i].source, {data::kStart}});
        Ids& target = pairs.back().target;
        target.insert(target.end(), translations[i].begin(), translations[i].end());
        target.push_back(data::kEnd);
    }
    return pairs;
}

// What stands beside the maps.
struct Labels {
    Tokens rows, columns;
};
inline Labels labels(const data::PairVocab& vocab, const data::PairIds& pair) {
    Labels labels;
    for (size_t t = 1; t < pair.target.size(); ++t)
        labels.rows.push_back(vocab.target().token(pair.target[t]));
    for (const int32_t id : pair.source) labels.columns.push_back(vocab.source().token(id));
    return labels;
}

// The maps of some pairs, to choose from, and the one of `drawn` also as a file of that name.
inline void show_alignments(Report& report, const std::string& title, models::Seq2Seq& model,
                            const data::PairVocab& vocab, const std::vector<data::PairIds>& pairs,
                            size_t drawn, const std::string& name, const std::string& caption) {
    const std::vector<Alignment> alignments = align(model, pairs);
    report::AttentionView view(title);
    for (size_t i = 0; i < pairs.size(); ++i) {
        const auto [rows, columns] = labels(vocab, pairs[i]);
        view.add({{.name = "decoder to encoder",
                   .rows = rows,
                   .columns = columns,
                   .weights = alignments[i].weights,
                   .row_axis = "written",
                   .column_axis = "looked at"}});
    }
    report.page.figure(view.html(), caption);
    const auto [rows, columns] = labels(vocab, pairs[drawn]);
    report::Heatmap map(title, alignments[drawn].weights, columns.size());
    report.figure(map.labels(rows, columns).axes("written", "looked at").range(0, 1),
                  "One of them. A row is a step of the decoder and sums to 1.", name);
}

}  // namespace gradus::lesson11
