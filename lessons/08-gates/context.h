// What a longer memory is worth: the loss of one and the same token, given only the k before it.
#pragma once

#include <algorithm>
#include <vector>

#include "lessons/08-gates/gates.h"
#include "models/rnn_lm.h"
#include "nn/loss.h"

namespace gradus::lesson08 {

// Nats a token of `places` tokens, spread evenly over a text, read from an empty state with the k
// tokens before each.
inline double nats_given(models::RnnLM& model, const Tensor& text, int64_t k, int64_t longest,
                         int64_t places) {
    const int64_t at_once = std::min<int64_t>(250, places);
    const int64_t apart = (text.size() - longest - 1) / places;
    double nats = 0;
    for (int64_t first = 0; first < places; first += at_once) {
        const int64_t rows = std::min(at_once, places - first);
        Tensor x = Tensor::empty({rows, k}, Dtype::i32), y = Tensor::empty({rows}, Dtype::i32);
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t target = longest + (first + r) * apart;
            for (int64_t t = 0; t < k; ++t) x.set(r * k + t, text.at(target - k + t));
            y.set(r, text.at(target));
        }
        const Tensor h = model.hidden(x).state.h;  // [L, rows, H]: the last layer's is wanted
        const Tensor last = h.view({rows, h.size(2)}, (h.size(0) - 1) * rows * h.size(2));
        nats += nn::cross_entropy(model.head(last), y).item() * static_cast<double>(rows);
    }
    return nats / static_cast<double>(places);
}

struct ContextCurve {
    Values k, nats;
};
inline ContextCurve loss_over_context(models::RnnLM& model, const Tensor& text, int64_t longest,
                                      int64_t places) {
    model.eval();
    ContextCurve curve;
    for (int64_t k = 1; k <= longest; k *= 2) {
        curve.k.push_back(static_cast<double>(k));
        curve.nats.push_back(nats_given(model, text, k, longest, places));
    }
    return curve;
}

}  // namespace gradus::lesson08
