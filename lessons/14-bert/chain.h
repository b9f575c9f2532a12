// Stage A: hidden tokens of a chain whose law is known; and what becomes of a model whose tokens are
// not hidden.
// B batch · T time · K symbols
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>

#include "data/sources/masked_markov.h"
#include "lessons/14-bert/guess.h"

namespace gradus::lesson14 {

// Rows of a chain of K symbols, one symbol of each to be guessed, never the first or the last.
struct Chain {
    static constexpr int64_t kSymbols = 8, kTime = 8, kBatch = 64;
    static constexpr int32_t kMask = kSymbols;
    data::Markov law = data::Markov::symmetric(kSymbols, 0.7);
    uint64_t seed;

    // The symbol stands there as [MASK] with probability `hidden`, as itself with probability `shown`,
    // else as any symbol.
    data::Batch batch(int64_t step, int64_t rows, double hidden, double shown) const {
        Rng rng(Rng::at(Rng(seed).state(), static_cast<uint64_t>(step)));
        data::Batch batch{Tensor::empty({rows, kTime}, Dtype::i32),
                          Tensor::full({rows, kTime}, -100, Dtype::i32)};
        for (int64_t b = 0; b < rows; ++b) {
            const Tensor row = law.sample(kTime, rng);
            int32_t* x = batch.x.data<int32_t>() + b * kTime;
            std::copy_n(row.data<int32_t>(), kTime, x);
            const int64_t t = 1 + rng.below(kTime - 2);
            batch.y.data<int32_t>()[b * kTime + t] = x[t];
            const double u = rng.uniform();
            if (u < hidden)
                x[t] = kMask;
            else if (u >= hidden + shown)
                x[t] = static_cast<int32_t>(rng.below(kSymbols));
        }
        return batch;
    }
};

// How a training treats what it asks for.
struct Treatment {
    std::string name;
    double hidden, shown;
};

inline std::unique_ptr<models::BERTPretraining> chain_model(uint64_t seed) {
    return fresh_model({.vocab = Chain::kMask + 1,
                        .positions = Chain::kTime,
                        .dim = 32,
                        .heads = 2,
                        .layers = 2,
                        .ff = 64},
                       seed);
}

inline Values teach(const std::string& label, models::BERTPretraining& model, const Chain& chain,
                    const Treatment& how, int64_t steps) {
    return lesson::learn(
        label, model, steps, nn::WarmupCosine{.peak = 3e-3, .warmup = steps / 10, .total = steps},
        [&](int64_t step) {
            const auto [x, y] = chain.batch(step, Chain::kBatch, how.hidden, how.shown);
            return masked_loss(model, model.bert(x), y);
        });
}

// Nats of a symbol that is treated like this, on rows that no training has seen.
inline double test_nats(models::BERTPretraining& model, const data::Batch& test) {
    return masked_loss(model, model.bert(test.x), test.y).item();
}

inline void prove_chain(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const Chain chain{.seed = seed};
    const Chain unseen{.seed = seed + 1'000'000};
    const int64_t rows = quick ? 1000 : 40'000, steps = quick ? 30 : 2000;
    const data::Batch test = unseen.batch(0, rows, 1, 0);

    // The exact loss of the very same rows: what is hidden has its own symbol back, and is not seen.
    Tensor ids = test.x.clone(), hidden = Tensor::zeros(ids.shape(), Dtype::i32);
    for (int64_t i = 0; i < ids.size(); ++i)
        if (const int32_t word = test.y.data<int32_t>()[i]; word >= 0) {
            ids.data<int32_t>()[i] = word;
            hidden.data<int32_t>()[i] = 1;
        }
    const data::MaskedMarkov law(chain.law);
    const double optimum = sum(law.nats(ids, hidden)).item() / static_cast<double>(rows);

    const std::vector<Treatment> treatments{{"always [MASK]", 1, 0},
                                            {"80 % [MASK], 10 % swapped, 10 % as it is", 0.8, 0.1},
                                            {"not hidden at all", 0, 1}};
    std::vector<std::unique_ptr<models::BERTPretraining>> models;
    report::Plot course("A chain of eight symbols", "step", "nats of a hidden symbol");
    Values hidden_nats, own_nats;
    for (const Treatment& how : treatments) {
        models.push_back(chain_model(seed));
        const Values losses = teach("chain, " + how.name, *models.back(), chain, how, steps);
        if (lesson::interrupted()) return;
        lesson::smooth_line(course, how.name, losses);
        models.back()->eval();
        hidden_nats.push_back(test_nats(*models.back(), test));
        own_nats.push_back(test_nats(*models.back(), unseen.batch(1, rows, how.hidden, how.shown)));
    }
    course.hline("optimum", law.one_hidden_nats());
    report.figure(course, "Of the loss that each is trained on, means of ten batches.", "leak");

    results.section("A. a hidden symbol of a chain of eight, nats");
    const auto add = [&](const std::string& name, double value,
                         const lesson::Requirement& requirement) {
        quick ? results.add(name, value) : results.add(name, value, requirement);
    };
    results.add("chance, ln 8", std::log(8.0));
    // A symbol stays with probability 0.7: what one neighbour tells.
    results.add("classical: from the symbol before", chain.law.entropy_rate());
    add("ours", hidden_nats[0], within(law.one_hidden_nats(), 0.02));
    add("ours above the optimum of the same rows", hidden_nats[0] - optimum, at_most(0.02));
    results.add("optimum of the same rows", optimum);
    results.add("optimum", law.one_hidden_nats());

    results.section("A. the same symbol in training, nats");
    for (size_t i = 0; i < treatments.size(); ++i)
        if (i == 2)
            add(treatments[i].name, own_nats[i], at_most(0.01));
        else
            results.add(treatments[i].name, own_nats[i]);
    results.section("A. and once it is really hidden, nats");
    for (size_t i = 0; i < treatments.size(); ++i)
        if (i == 2)
            add(treatments[i].name, hidden_nats[i], at_least(law.one_hidden_nats() + 0.5));
        else
            results.add(treatments[i].name, hidden_nats[i]);

    // Is it of any use later? Each goes on with what is really hidden, for a tenth of the time.
    results.section("A. and after a tenth of the steps on hidden ones, nats");
    models.push_back(chain_model(seed));
    const Chain later{.seed = seed + 2'000'000};
    for (const size_t i : {size_t{2}, size_t{3}}) {
        const std::string name = i == 3 ? "a fresh model" : "one whose symbols were not hidden";
        teach("chain, " + name, *models[i], later, treatments[0], steps / 10);
        if (lesson::interrupted()) return;
        results.add(name, test_nats(*models[i], test));
    }
}

}  // namespace gradus::lesson14
