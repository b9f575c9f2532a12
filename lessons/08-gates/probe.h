// What hidden units follow: stage B of lesson 08 reads a text and looks for the unit whose value goes
// with a property of the characters read so far (after Karpathy, Johnson and Fei-Fei 2015).
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "data/text/vocab.h"
#include "lessons/08-gates/gates.h"
#include "models/rnn_lm.h"

namespace gradus::lesson08 {

// A property of a text: a value for each character, once that has been read.
struct Property {
    std::string name;    // "inside a quotation"
    std::string figure;  // its drawing's file
    Values values;
};

// 1 from an opening " to the character before the closing one; a new paragraph is outside.
inline Values inside_quotation(const std::vector<std::string>& text) {
    Values values;
    bool inside = false;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == "\"") inside = !inside;
        if (i > 0 && text[i] == "\n" && text[i - 1] == "\n") inside = false;
        values.push_back(inside);
    }
    return values;
}

// Characters since the last end of line.
inline Values place_in_line(const std::vector<std::string>& text) {
    Values values;
    double place = 0;
    for (const std::string& c : text) values.push_back(place = c == "\n" ? 0 : place + 1);
    return values;
}

// Letters of the word so far; 0 between words.
inline Values place_in_word(const std::vector<std::string>& text) {
    Values values;
    double place = 0;
    for (const std::string& c : text) {
        const bool letter = c.size() > 1 || std::isalpha(static_cast<unsigned char>(c[0]));
        values.push_back(place = letter ? place + 1 : 0);
    }
    return values;
}

// Pearson's, over rows begin ... end - 1 of a column of units [N, H]; 0 where nothing changes.
inline double correlation(const Tensor& units, int64_t unit, const Values& property, size_t begin,
                          size_t end) {
    const auto value = [&](size_t i) {
        return units.at(static_cast<int64_t>(i) * units.size(1) + unit);
    };
    const double n = static_cast<double>(end - begin);
    double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = begin; i < end; ++i) mean_a += value(i) / n, mean_b += property[i] / n;
    for (size_t i = begin; i < end; ++i) {
        const double a = value(i) - mean_a, b = property[i] - mean_b;
        ab += a * b, aa += a * a, bb += b * b;
    }
    return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

// The line start in begin ... end - size from which `size` characters have the most changeable
// property: a stretch worth looking at.
inline size_t liveliest(const Values& property, const std::vector<std::string>& text, size_t begin,
                        size_t end, size_t size) {
    size_t best = begin;
    double most = -1;
    for (size_t i = begin + 1; i + size <= end; ++i) {
        if (text[i - 1] != "\n") continue;
        double sum = 0, squares = 0;
        for (size_t k = i; k < i + size; ++k) {
            sum += property[k];
            squares += property[k] * property[k];
        }
        const double variance = squares - sum * sum / static_cast<double>(size);
        if (variance > most) most = variance, best = i;
    }
    return best;
}

// What the units of all layers hold after each id of a text but the first kWarmUp: [N - kWarmUp, L H].
// Of an LSTM that is the cell, which its output gate need not show. The text is read in rows side by
// side, each after the ids before it.
inline constexpr int64_t kWarmUp = 200;
inline Tensor units_over(models::RnnLM& model, const Tensor& text, int64_t rows) {
    const int64_t layers = model.options().layers, width = model.options().hidden;
    const int64_t length = (text.size() - kWarmUp) / rows;
    Tensor units = Tensor::empty({rows * length, layers * width});
    Tensor column = Tensor::empty({rows, 1}, Dtype::i32);
    nn::RecurrentState state;
    for (int64_t t = 0; t < kWarmUp + length; ++t) {
        for (int64_t r = 0; r < rows; ++r) column.set(r, text.at(r * length + t));
        state = model.hidden(column, state).state;
        const float* held = (state.c.defined() ? state.c : state.h).data<float>();  // [L, rows, H]
        for (int64_t layer = 0; t >= kWarmUp && layer < layers; ++layer)
            for (int64_t r = 0; r < rows; ++r)
                std::copy_n(held + (layer * rows + r) * width, width,
                            units.data<float>() + (r * length + t - kWarmUp) * layers * width +
                                layer * width);
    }
    return units;
}

// The first half of a text of the test set finds the units, the second half judges and shows them.
inline void probe(lesson::Results& results, Report& report, models::RnnLM& model,
                  const data::Vocab& vocab, const Tensor& ids) {
    const int64_t rows = 20;
    if (ids.size() < kWarmUp + 10 * rows) return;
    model.eval();
    const Tensor units = units_over(model, ids, rows);  // [N, L H]
    std::vector<std::string> text;
    for (int64_t i = 0; i < units.size(0); ++i)
        text.push_back(vocab.token(static_cast<int32_t>(ids.at(kWarmUp + i))));
    const size_t size = text.size(), half = size / 2;
    results.section("B. hidden units: correlation with a property, on text not used to find them");
    report.page.heading("What hidden units follow");
    for (const auto& [name, figure, property] :
         {Property{"inside a quotation", "quotation", inside_quotation(text)},
          Property{"place in the line", "line", place_in_line(text)},
          Property{"place in the word", "word", place_in_word(text)}}) {
        int64_t unit = 0;
        double found = 0;
        for (int64_t j = 0; j < units.size(1); ++j) {
            const double c = correlation(units, j, property, 0, half);
            if (std::abs(c) > std::abs(found)) found = c, unit = j;
        }
        if (found == 0) continue;  // the text has nothing of the kind
        const double sign = found < 0 ? -1 : 1;
        const double judged = sign * correlation(units, unit, property, half, size);
        results.add(name, judged);

        const size_t shown = std::min<size_t>(640, size - half);
        const size_t begin = liveliest(property, text, half, size, shown);
        const auto from = text.begin() + static_cast<std::ptrdiff_t>(begin);
        Values values;
        double mean = 0;
        for (size_t i = begin; i < begin + shown; ++i) {
            values.push_back(sign * units.at(static_cast<int64_t>(i) * units.size(1) + unit));
            mean += values.back() / static_cast<double>(shown);
        }
        for (double& value : values) value -= mean;
        report::ColouredText drawing(fmt::format("Unit {}: {}", unit, name),
                                     {from, from + static_cast<std::ptrdiff_t>(shown)}, values);
        report.figure(drawing,
                      fmt::format("What unit {} of {} holds after each character: blue is more "
                                  "than its mean, orange less (or the other way round, where it "
                                  "falls with the property); correlation {:.2f}.",
                                  unit, units.size(1), judged),
                      figure);
    }
}

}  // namespace gradus::lesson08
