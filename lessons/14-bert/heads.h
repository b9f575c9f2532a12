// Where the heads of a BERT look: before, after, at the token itself, or at what frames it.
// B batch · H heads · T time
#pragma once

#include <array>
#include <string>
#include <vector>

#include "lessons/14-bert/pretrain.h"
#include "report/attention.h"

namespace gradus::lesson14 {

struct Head {
    size_t layer, head;
    // Mean weight on the token before, the token itself, the token after, and [CLS] and [SEP] together.
    std::array<double, 4> weight{};
};
inline const std::array<std::string, 4> kPlaces{"the token before", "the token itself",
                                                "the token after", "[CLS] and [SEP]"};

// Of all tokens that look, but for those of the frame and for those whose neighbour is of the frame.
inline std::vector<Head> measured_heads(models::BERTPretraining& model, const Unseen& unseen,
                                        const Reader& reader, int64_t rows) {
    const nn::Evaluating scope(model);
    std::vector<Head> heads;
    double looks = 0;
    for (int64_t begin = 0; begin < std::min(rows, unseen.rows()); begin += 32) {
        const data::FramedPairs pairs = unseen.part(begin).pairs;
        std::vector<Tensor> maps;
        model.bert(pairs.ids, pairs.segments, pairs.lengths, &maps);
        const int64_t B = pairs.ids.size(0), T = pairs.ids.size(1), H = maps[0].size(1);
        if (heads.empty())
            for (size_t layer = 0; layer < maps.size(); ++layer)
                for (int64_t h = 0; h < H; ++h) heads.push_back({layer, static_cast<size_t>(h)});
        const int32_t* ids = pairs.ids.data<int32_t>();
        const auto is_frame = [&](int64_t i) {
            return ids[i] == reader.tokenizer.cls() || ids[i] == reader.tokenizer.sep();
        };
        for (int64_t b = 0; b < B; ++b) {
            const auto length = static_cast<int64_t>(pairs.lengths.at(b));
            std::vector<int64_t> frames;
            for (int64_t t = 0; t < length; ++t)
                if (is_frame(b * T + t)) frames.push_back(t);
            for (int64_t t = 1; t + 1 < length; ++t) {
                if (is_frame(b * T + t) || is_frame(b * T + t - 1) || is_frame(b * T + t + 1))
                    continue;
                ++looks;
                for (Head& head : heads) {
                    const float* row = maps[head.layer].data<float>() +
                                       ((b * H + static_cast<int64_t>(head.head)) * T + t) * T;
                    for (int64_t o = 0; o < 3; ++o)
                        head.weight[static_cast<size_t>(o)] += static_cast<double>(row[t - 1 + o]);
                    for (const int64_t frame : frames)
                        head.weight[3] += static_cast<double>(row[frame]);
                }
            }
        }
    }
    for (Head& head : heads)
        for (double& weight : head.weight) weight /= looks;
    return heads;
}

// The head with most weight on each place; all of them in a table.
inline void name_heads(lesson::Results& results, Report& report, const std::vector<Head>& heads) {
    results.section("B. heads, mean weight of the best one", "%");
    report::Table named("Heads by where they look", {"place", "head", "mean weight"});
    for (size_t place = 0; place < kPlaces.size(); ++place) {
        const Head& best = *std::max_element(
            heads.begin(), heads.end(),
            [&](const Head& a, const Head& b) { return a.weight[place] < b.weight[place]; });
        results.add("on " + kPlaces[place], best.weight[place]);
        named.row({kPlaces[place], fmt::format("layer {}, head {}", best.layer + 1, best.head + 1),
                   fmt::format("{:.1f} %", 100 * best.weight[place])});
    }
    fmt::print("{}\n", named.text());
    report.page.table(named);

    report::Table all("All heads, mean weight",
                      {"head", kPlaces[0], kPlaces[1], kPlaces[2], kPlaces[3]});
    for (const Head& head : heads) {
        std::vector<std::string> cells{
            fmt::format("layer {}, head {}", head.layer + 1, head.head + 1)};
        for (const double weight : head.weight)
            cells.push_back(fmt::format("{:.1f} %", 100 * weight));
        all.row(cells);
    }
    report.page.table(all);
}

// Every head of every layer for some unseen pairs, to choose from.
inline void show_heads(Report& report, models::BERTPretraining& model, const Unseen& unseen,
                       const Reader& reader, int64_t count) {
    const nn::Evaluating scope(model);
    report::AttentionView view("Every head of every layer");
    for (int64_t i = 0; i < std::min(count, unseen.rows()); ++i) {
        const auto length = static_cast<int64_t>(unseen.pairs.lengths.at(i));
        const auto text = [&](const Tensor& rows) {  // row i without its padding, [1, length]
            Tensor row = Tensor::empty({1, length}, Dtype::i32);
            std::copy_n(rows.data<int32_t>() + i * rows.size(1), length, row.data<int32_t>());
            return row;
        };
        const Tensor ids = text(unseen.pairs.ids);
        std::vector<Tensor> maps;
        model.bert(ids, text(unseen.pairs.segments), {}, &maps);
        std::vector<std::string> tokens;
        for (int64_t t = 0; t < length; ++t)
            tokens.push_back(reader.tokenizer.vocab().token(ids.data<int32_t>()[t]));
        report::AttentionGroup group{.name = "encoder",
                                     .rows = tokens,
                                     .columns = tokens,
                                     .layers = maps.size(),
                                     .heads = static_cast<size_t>(maps[0].size(1)),
                                     .weights = {},
                                     .row_axis = "reads",
                                     .column_axis = "looked at"};
        for (const Tensor& map : maps)
            for (int64_t at = 0; at < map.size(); ++at)
                group.weights.push_back(std::clamp(map.at(at), 0.0, 1.0));
        view.add({group}, fmt::format("pair {}", i + 1));
    }
    report.page.figure(view.html(), "Pairs of documents that the model has not seen.");
}

}  // namespace gradus::lesson14
