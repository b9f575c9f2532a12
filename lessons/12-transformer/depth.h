// Stage A: what depth does to the first steps, with LayerNorm after each sub-layer and before it.
#pragma once

#include <cmath>
#include <numeric>
#include <string>

#include "lessons/12-transformer/letters.h"

namespace gradus::lesson12 {

// The norm of the gradient of each decoder layer's last weight (linear2), from the first to the last, in
// a fresh model.
inline Values gradient_over_layers(const Letters& letters, const Small& how) {
    const auto model = make_model(letters, how);
    const data::PairBatch batch = letters.batch(0);
    model->zero_grad();
    Tape tape;
    tape.backward(
        nn::cross_entropy((*model)(batch.source, batch.source_lengths, batch.x), batch.y));
    Values norms(static_cast<size_t>(how.layers));
    for (const auto& [name, weight] : model->named_parameters())
        for (size_t i = 0; i < norms.size(); ++i)
            if (name == fmt::format("tr.decoder.layers.{}.linear2.weight", i))
                norms[i] = std::sqrt(sum(square(weight.grad())).item());
    return norms;
}

inline void prove_depth(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const Letters letters(true, seed, quick);
    report::Plot norms("A fresh decoder of twelve layers", "layer", "norm of its gradient");
    results.section("A. twelve layers, the first layer's gradient to the last one's");
    for (const bool pre_norm : {false, true}) {
        const std::string name = pre_norm ? "pre-norm" : "post-norm";
        const Values found = gradient_over_layers(letters, {.pre_norm = pre_norm, .layers = 12});
        norms.path(name, counting(found.size(), 1), found);
        results.add(name, found.front() / found.back());
    }
    report.figure(norms.log_y(), "Of the feed-forward network's second weight, one batch.",
                  "gradients");

    results.section("A. letters backwards, six layers, nats a letter at the end");
    results.add("chance, ln 27", std::log(27));
    report::Plot loss("Six layers, letters backwards", "step", "nats a letter");
    for (const bool pre_norm : {false, true})
        for (const double warm_up : {0.0, 0.3}) {
            const std::string name = fmt::format("{}, {}", pre_norm ? "pre-norm" : "post-norm",
                                                 warm_up > 0 ? "warm-up" : "no warm-up");
            const Reader reader = read_letters(
                "six layers, " + name, letters,
                {.pre_norm = pre_norm, .dim = 32, .layers = 6, .rate = 1e-2, .warm_up = warm_up},
                quick ? 10 : 80);
            if (lesson::interrupted()) return;
            lesson::smooth_line(loss, name, reader.losses);
            const double last =
                std::accumulate(reader.losses.end() - 10, reader.losses.end(), 0.0) / 10;
            if (quick || pre_norm)
                results.add(name, last);
            else  // far from what it should be, or on its way
                results.add(name, last, warm_up > 0 ? at_most(2.5) : at_least(2.5));
        }
    report.figure(loss, "32 wide, rate 0.01; means of ten batches.", "warm-up");
}

}  // namespace gradus::lesson12
