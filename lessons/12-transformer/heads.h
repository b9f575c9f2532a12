// Where the heads of a transformer look, sentence by sentence.
// B batch · H heads · T tokens of a target, its end counted · S tokens of a source, its end counted
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "lessons/report.h"
#include "lessons/translation.h"
#include "report/attention.h"
#include "report/heatmap.h"

namespace gradus::lesson12 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Ids, lesson::Pairs, lesson::Report, lesson::Tokens, lesson::Values;

// One head's weights for one sentence. A row sums to 1.
struct Map {
    size_t rows, columns;
    Values weights;  // [rows, columns]

    size_t strongest(size_t row) const {  // of equal ones the first
        const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(row * columns);
        return static_cast<size_t>(
            std::max_element(begin, begin + static_cast<std::ptrdiff_t>(columns)) - begin);
    }
};

// Of weights [B, H, T, S] those of one sentence and head, without padding.
inline Map map_of(const Tensor& weights, int64_t b, int64_t h, size_t rows, size_t columns) {
    Map map{rows, columns, {}};
    const int64_t first = (b * weights.size(1) + h) * weights.size(2);
    for (size_t t = 0; t < rows; ++t)
        for (size_t s = 0; s < columns; ++s)
            map.weights.push_back(weights.at((first + static_cast<int64_t>(t)) * weights.size(3) +
                                             static_cast<int64_t>(s)));
    return map;
}

// The head whose strongest weight is most often where it should be.
struct BestHead {
    size_t layer = 0;
    int64_t head = 0;
    double share = 0;  // of the queries that count
};

// Weights [B, H, T, S] of each layer. `place(b, t)` is the key that query t of row b should look at,
// negative where that does not matter. The head is chosen on the first half of the rows and judged on
// the second.
inline BestHead best_head(const std::vector<Tensor>& layers,
                          const std::function<int64_t(int64_t b, int64_t t)>& place) {
    const auto share = [&](const Tensor& weights, int64_t h, int64_t begin, int64_t end) {
        double right = 0, all = 0;
        for (int64_t b = begin; b < end; ++b) {
            const Map map = map_of(weights, b, h, static_cast<size_t>(weights.size(2)),
                                   static_cast<size_t>(weights.size(3)));
            for (int64_t t = 0; t < weights.size(2); ++t) {
                const int64_t wanted = place(b, t);
                if (wanted < 0) continue;
                right += map.strongest(static_cast<size_t>(t)) == static_cast<size_t>(wanted);
                ++all;
            }
        }
        return right / all;
    };
    BestHead best;
    for (size_t layer = 0; layer < layers.size(); ++layer)
        for (int64_t h = 0; h < layers[layer].size(1); ++h) {
            const double found = share(layers[layer], h, 0, layers[layer].size(0) / 2);
            if (found > best.share) best = {layer, h, found};
        }
    const Tensor& chosen = layers[best.layer];
    best.share = share(chosen, best.head, chosen.size(0) / 2, chosen.size(0));
    return best;
}

// The source of a pair, and a translation of it in place of its target.
inline data::PairIds said(const data::PairIds& pair, const Ids& translation) {
    data::PairIds result{pair.source, {data::kStart}};
    result.target.insert(result.target.end(), translation.begin(), translation.end());
    result.target.push_back(data::kEnd);
    return result;
}

// All that a pair's tokens look at, and the tokens. The decoder reads `read` and writes `written`,
// which is one step on.
struct Look {
    models::AttentionMaps maps;
    Tokens source, read, written;
};
inline Look look(models::Transformer& model, const data::PairVocab& vocab,
                 const data::PairIds& pair) {
    model.eval();
    const data::PairBatch batch = data::PairBatches({pair}).batch_of({0});
    Look look;
    model.decode(batch.x, model.encode(batch.source, batch.source_lengths, &look.maps), &look.maps);
    for (const int32_t id : pair.source) look.source.push_back(vocab.source().token(id));
    for (const int32_t id : pair.target) look.read.push_back(vocab.target().token(id));
    look.written.assign(look.read.begin() + 1, look.read.end());
    look.read.pop_back();
    return look;
}

// Every head of one kind, layer by layer.
inline report::AttentionGroup group(const std::string& name, const std::vector<Tensor>& layers,
                                    const Tokens& rows, const Tokens& columns,
                                    const std::string& row_axis, const std::string& column_axis) {
    report::AttentionGroup group{.name = name,
                                 .rows = rows,
                                 .columns = columns,
                                 .layers = layers.size(),
                                 .heads = static_cast<size_t>(layers.front().size(1)),
                                 .weights = {},
                                 .row_axis = row_axis,
                                 .column_axis = column_axis};
    for (const Tensor& weights : layers)
        for (size_t h = 0; h < group.heads; ++h) {
            const Map map =
                map_of(weights, 0, static_cast<int64_t>(h), rows.size(), columns.size());
            group.weights.insert(group.weights.end(), map.weights.begin(), map.weights.end());
        }
    return group;
}

// Every head of every layer for some pairs, to choose from.
inline void show_heads(Report& report, const std::string& title, models::Transformer& model,
                       const data::PairVocab& vocab, const std::vector<data::PairIds>& pairs,
                       const std::string& caption) {
    report::AttentionView view(title);
    for (const data::PairIds& pair : pairs) {
        const auto [maps, source, read, written] = look(model, vocab, pair);
        view.add({group("decoder to encoder", maps.cross, written, source, "written", "looked at"),
                  group("encoder", maps.encoder, source, source, "reads", "looked at"),
                  group("decoder", maps.decoder, read, read, "read last", "looked at")});
    }
    report.page.figure(view.html(), caption);
}

// One head of the attention from decoder to encoder, as a figure.
inline void show_head(Report& report, const std::string& title, models::Transformer& model,
                      const data::PairVocab& vocab, const data::PairIds& pair, size_t layer,
                      int64_t head, const std::string& caption, const std::string& name) {
    const auto [maps, source, read, written] = look(model, vocab, pair);
    const Map map = map_of(maps.cross.at(layer), 0, head, written.size(), source.size());
    report::Heatmap drawing(title, map.weights, map.columns);
    report.figure(drawing.labels(written, source).axes("written", "looked at").range(0, 1), caption,
                  name);
}

}  // namespace gradus::lesson12
