// Stage A, second half: the smallest transformer that can look something up. A block of symbols is said
// twice; whoever finds where a symbol stood before knows what comes next.
// B batch · T time · D width · H heads · V vocabulary
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "data/sources/repeated_blocks.h"
#include "lessons/12-transformer/letters.h"
#include "nn/attention.h"
#include "nn/init.h"

namespace gradus::lesson12 {

/// x = E[ids] + P, then in each layer  x ← x + attention(LN(x)), causal;  logits = W LN(x) + b.
/// No feed-forward network: whatever it can do, attention does. P begins smaller than E, for what is
/// looked up is symbols: with positions as large as they are, some seeds need many more steps.
class AttentionOnly : public nn::Module {
public:
    AttentionOnly(int64_t vocab, int64_t time, int64_t dim, int64_t heads, int64_t layers)
        : Module("attention_only"),
          tokens_(vocab, dim),
          positions_(nn::init::normal(Tensor::empty({time, dim}), 0, 0.3)),
          norm_(dim),
          head_(dim, vocab) {
        for (int64_t i = 0; i < layers; ++i) layers_.emplace_back(dim, heads);
        child("tokens", tokens_);
        parameter("positions", positions_);
        children({{"norm", norm_}, {"head", head_}});
    }

    /// ids [B, T] -> logits [B, T, V]; `maps` receives the weights [B, H, T, T] of each layer.
    Tensor operator()(const Tensor& ids, std::vector<Tensor>* maps = nullptr) {
        Tensor x = tokens_(ids) + slice(positions_, 0, 0, ids.size(1));  // [B, T, D]
        for (Layer& layer : layers_) {
            const auto [y, weights] = layer.attention(layer.norm(x), {.causal = true});
            if (maps) maps->push_back(weights);
            x = x + y;
        }
        return head_(norm_(x));
    }

private:
    struct Layer : nn::Module {
        nn::LayerNorm norm;
        nn::MultiheadAttention attention;
        Layer(int64_t dim, int64_t heads) : norm(dim), attention(dim, heads) {
            children({{"norm", norm}, {"attention", attention}});
        }
    };

    nn::Embedding tokens_;
    Tensor positions_;  // [time, D]
    nn::ModuleList<Layer> layers_{*this, "layers"};
    nn::LayerNorm norm_;
    nn::Linear head_;
};

// The two places of a block of n symbols in a row of inputs: it begins after position 0, and again after
// position n + 1. Query t of the second block reads what stood at t - n - 1 before, which was
// followed by what stands at t - n.
inline int64_t block_length(const data::Batch& rows, int64_t b) {
    const int64_t T = rows.y.size(1);
    for (int64_t n = 0; n < T; ++n)
        if (rows.y.at(b * T + n) < 0) return n;
    fail("block_length", "a row without an end of its first block");
}

// Nats a target in the second block, given a share for each: f(b, n, t) for query t.
template <class F>
double second_block(const data::Batch& rows, F nats) {
    double sum = 0, count = 0;
    for (int64_t b = 0; b < rows.y.size(0); ++b) {
        const int64_t n = block_length(rows, b);
        for (int64_t t = n + 1; t <= 2 * n; ++t) sum += nats(b, n, t), ++count;
    }
    return sum / count;
}

inline double second_block_loss(AttentionOnly& model, const data::Batch& rows) {
    const Tensor log_p = log_softmax(model(rows.x));  // [B, T, V]
    const int64_t T = log_p.size(1), V = log_p.size(2);
    return second_block(rows, [&](int64_t b, int64_t, int64_t t) {
        return -log_p.at((b * T + t) * V + static_cast<int64_t>(rows.y.at(b * T + t)));
    });
}

// Knows what is in the block, but no order: the share of the target among its n symbols.
inline double bag_loss(const data::Batch& rows) {
    const int64_t T = rows.y.size(1);
    return second_block(rows, [&](int64_t b, int64_t n, int64_t t) {
        double same = 0;
        for (int64_t s = 0; s < n; ++s) same += rows.y.at(b * T + s) == rows.y.at(b * T + t);
        return std::log(static_cast<double>(n) / same);
    });
}

// Knows what followed the last symbol in the first block: the share of the target among all that did.
inline double lookup_loss(const data::Batch& rows) {
    const int64_t T = rows.y.size(1);
    return second_block(rows, [&](int64_t b, int64_t n, int64_t t) {
        double same = 0, all = 0;
        for (int64_t s = 0; s < n; ++s) {
            if (rows.x.at(b * T + s) != rows.x.at(b * T + t)) continue;
            same += rows.y.at(b * T + s) == rows.y.at(b * T + t);
            ++all;
        }
        return std::log(all / same);
    });
}

inline void prove_induction(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t steps = quick ? 15 : 800, dim = 64, heads = 2;
    const data::RepeatedBlocks source{.seed = seed};
    const data::Batch test = data::RepeatedBlocks{.batch = quick ? 20 : 400, .seed = ~seed}.at(0);
    const auto add = [&](const std::string& name, double value,
                         const lesson::Requirement& requirement) {
        quick ? results.add(name, value) : results.add(name, value, requirement);
    };
    results.section("A. repeated blocks, nats a symbol the second time");
    results.add("chance, ln 64", source.baseline());
    results.add("trivial baseline: some symbol of the block", bag_loss(test));
    results.add("classical: what followed the symbol before", lookup_loss(test));

    report::Plot plot("Repeated blocks", "step", "nats a symbol, both times");
    std::vector<std::pair<std::string, double>> found;  // of heads
    for (const int64_t layers : {1, 2}) {
        nn::manual_seed(seed);
        const std::string name = fmt::format("{} layer{}", layers, layers == 1 ? "" : "s");
        AttentionOnly model(source.vocab(), source.time(), dim, heads, layers);
        const nn::WarmupCosine rate{.peak = 4e-3, .warmup = steps / 20, .total = steps};
        const auto loss = [&](int64_t step) {
            const auto [x, y] = source.at(step);
            return nn::cross_entropy(model(x), y);
        };
        lesson::smooth_line(plot, name,
                            lesson::learn("blocks, " + name, model, steps, rate, loss, kBeta2));
        add("ours, " + name, second_block_loss(model, test),
            layers == 1 ? at_least(1) : at_most(0.2));

        std::vector<Tensor> maps;
        model(test.x, &maps);
        const BestHead lookup = best_head(maps, [&](int64_t b, int64_t t) {
            const int64_t n = block_length(test, b);
            return n < t && t <= 2 * n ? t - n : -1;
        });
        found.emplace_back(name + ": on what followed the symbol before", lookup.share);
        if (layers == 1) continue;
        const BestHead previous = best_head(maps, [&](int64_t b, int64_t t) {
            return 0 < t && t <= block_length(test, b) ? t - 1 : -1;  // the first block
        });
        found.emplace_back(
            fmt::format("{}: on the symbol before, a head of layer {}", name, previous.layer + 1),
            previous.share);
        const auto draw = [&](const BestHead& head, const std::string& title,
                              const std::string& caption, const std::string& file) {
            const auto rows = static_cast<size_t>(2 * block_length(test, 0) + 1);
            Tokens symbols;
            for (size_t t = 0; t < rows; ++t)
                symbols.push_back(test.x.at(static_cast<int64_t>(t)) == 0
                                      ? "start"
                                      : fmt::format("{}", test.x.at(static_cast<int64_t>(t))));
            const Map map = map_of(maps[head.layer], 0, head.head, rows, rows);
            report::Heatmap drawing(title, map.weights, rows);
            report.figure(drawing.labels(symbols, symbols).axes("reads", "looks at").range(0, 1),
                          caption, file);
        };
        draw(previous, "A head that looks one back",
             "In the first of two layers: each symbol learns which one stood before it.",
             "previous");
        draw(lookup, "An induction head",
             "In the second: it looks for the place where the symbol it reads stood before, and "
             "there at the one that came next.",
             "induction");
    }
    results.add("optimum", 0);
    results.section("A. repeated blocks, where the strongest weight is", "%");
    for (const auto& [name, share] : found) results.add(name, share);
    report.figure(plot.hline("chance", source.baseline()).hline("optimum", source.optimum()),
                  "Half of the symbols cannot be foreseen: the optimum is ½ ln 64.", "blocks");
}

}  // namespace gradus::lesson12
