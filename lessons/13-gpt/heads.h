// Where the heads of a GPT look.
// B batch · H heads · T time
#pragma once

#include <string>
#include <vector>

#include "lessons/common.h"
#include "lessons/report.h"
#include "lessons/training.h"
#include "models/gpt.h"
#include "report/attention.h"
#include "report/heatmap.h"

namespace gradus::lesson13 {

using lesson::at_least, lesson::at_most, lesson::counting, lesson::Report, lesson::smooth_line,
    lesson::Values;
using Ids = std::vector<int32_t>;

// The head with the largest mean weight on the token before the one that it reads.
struct Head {
    size_t layer = 0;
    int64_t head = 0;
    double weight = 0;
};
inline Head previous_token_head(const std::vector<Tensor>& maps) {
    Head best;
    for (size_t layer = 0; layer < maps.size(); ++layer) {
        const Tensor& w = maps[layer];  // [B, H, T, T]
        const int64_t B = w.size(0), H = w.size(1), T = w.size(2);
        for (int64_t h = 0; h < H; ++h) {
            double sum = 0;
            for (int64_t b = 0; b < B; ++b)
                for (int64_t t = 1; t < T; ++t) sum += w.at(((b * H + h) * T + t) * T + t - 1);
            const double weight = sum / static_cast<double>(B * (T - 1));
            if (weight > best.weight) best = {layer, h, weight};
        }
    }
    return best;
}

// Every head for each of some texts, to choose from: ids [1, T], and how each token is written.
struct Shown {
    Tensor ids;
    std::vector<std::string> tokens;
};
inline void show_heads(Report& report, const std::string& title, models::GPT& model,
                       const std::vector<Shown>& texts, const std::string& caption) {
    const nn::Evaluating scope(model);
    report::AttentionView view(title);
    for (const auto& [ids, tokens] : texts) {
        std::vector<Tensor> maps;
        model.hidden(ids, &maps);
        report::AttentionGroup group{.name = "GPT",
                                     .rows = tokens,
                                     .columns = tokens,
                                     .layers = maps.size(),
                                     .heads = static_cast<size_t>(model.options().heads),
                                     .weights = {},
                                     .row_axis = "reads",
                                     .column_axis = "looks at"};
        for (const Tensor& map : maps)
            for (int64_t i = 0; i < map.size(); ++i) group.weights.push_back(map.at(i));
        view.add({group});
    }
    report.page.figure(view.html(), caption);
}

}  // namespace gradus::lesson13
