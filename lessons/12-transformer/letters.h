// Stage A, first half: letters said again, and said backwards. The right answer is known, and so is where
// a model has to look for it.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "data/pairs/tokens.h"
#include "data/sources/echo.h"
#include "lessons/12-transformer/heads.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "report/plot.h"
#include "report/progress.h"

namespace gradus::lesson12 {

constexpr double kBeta2 = 0.98;  // of Adam, as in the paper (section 5.3)

// Letters to be said again, with sentences to test on. Every batch is a new one.
struct Letters {
    data::Echo source;
    uint64_t seed;
    Pairs pairs;

    Letters(bool reversed, uint64_t its_seed, bool quick)
        : source{.shortest = 1, .longest = 10, .reversed = reversed},
          seed(its_seed),
          pairs(reversed ? "letters backwards" : "letters again", sample(seed, 2000),
                sample(~seed, quick ? 100 : 1000),
                {.tokenizer = data::space_tokens, .shared = true}) {}

    std::vector<data::Pair> sample(uint64_t from, int64_t count) const {
        Rng rng(from);
        return source.sample(rng, count);
    }
    data::PairBatch batch(int64_t step) const {
        Rng rng(seed, step);
        const int64_t count = 64;
        Ids all(static_cast<size_t>(count));
        std::iota(all.begin(), all.end(), 0);
        return data::PairBatches(pairs.vocab.encode(source.sample(rng, count)).ids).batch_of(all);
    }
};

enum class Positions { sinusoidal, learned, none };

// Of a model with sinusoidal positions, which are no parameters.
inline void forget_positions(models::Transformer& model) {
    model.state_dict().at("pos.weight").fill(0);
}

// How a small transformer is made and taught.
struct Small {
    Positions positions = Positions::sinusoidal;
    bool pre_norm = false;
    int64_t dim = 64, layers = 1;
    double label_smoothing = 0;
    double rate = 4e-3;
    double warm_up = 0.1;  // share of the steps
};

inline std::unique_ptr<models::Transformer> make_model(const Letters& letters, const Small& how) {
    nn::manual_seed(letters.seed);
    const int64_t vocab = letters.pairs.vocab.source().size();
    auto model = std::make_unique<models::Transformer>(
        models::TransformerOptions{.source_vocab = vocab,
                                   .target_vocab = vocab,
                                   .dim = how.dim,
                                   .heads = 4,
                                   .layers = how.layers,
                                   .ff = 2 * how.dim,
                                   .max_length = letters.source.longest + 1,
                                   .pre_norm = how.pre_norm,
                                   .sinusoidal = how.positions != Positions::learned,
                                   .shared = true,
                                   .scaled = true});
    if (how.positions == Positions::none) forget_positions(*model);
    return model;
}

struct Reader {
    std::unique_ptr<models::Transformer> model;
    Values losses;
    double exact = 0;  // share of the test sentences
};

inline Reader read_letters(const std::string& label, const Letters& letters, const Small& how,
                           int64_t steps) {
    Reader reader{make_model(letters, how), {}, 0};
    models::Transformer& model = *reader.model;
    const auto translator = lesson::translator(model);
    const nn::WarmupCosine rate{.peak = how.rate,
                                .warmup = std::llround(how.warm_up * static_cast<double>(steps)),
                                .total = steps};
    const auto loss = [&](int64_t step) {
        const data::PairBatch batch = letters.batch(step);
        return nn::cross_entropy(translator.logits(batch), batch.y,
                                 {.label_smoothing = how.label_smoothing});
    };
    reader.losses = lesson::learn(label, model, steps, rate, loss, kBeta2);
    reader.exact = lesson::exact(letters.pairs.test,
                                 lesson::translate(translator, letters.pairs, letters.pairs.test));
    return reader;
}

// Without an order, every arrangement of a sentence's letters is as good as every other: the right one
// is found with probability  Π_l (how often l occurs)! / n!
inline double exact_without_order(const std::vector<data::PairIds>& pairs) {
    double sum = 0;
    for (const data::PairIds& pair : pairs) {
        std::map<int32_t, int> counts;
        double p = 1, n = 0;
        for (size_t i = 0; i + 1 < pair.source.size(); ++i) p *= ++counts[pair.source[i]] / ++n;
        sum += p;
    }
    return sum / static_cast<double>(pairs.size());
}

inline double exact_by_chance(const std::vector<data::PairIds>& pairs, int64_t letters) {
    double sum = 0;
    for (const data::PairIds& pair : pairs)
        sum += std::pow(static_cast<double>(letters), 1 - static_cast<double>(pair.source.size()));
    return sum / static_cast<double>(pairs.size());
}

// In a reversed sentence of n letters, what is written at step t stands at n - 1 - t of the source.
inline BestHead mirror_head(models::Transformer& model, const Letters& letters) {
    const auto count = std::min<size_t>(200, letters.pairs.test.size());
    const std::vector<data::PairIds> asked(
        letters.pairs.test.begin(),
        letters.pairs.test.begin() + static_cast<std::ptrdiff_t>(count));
    Ids all(count);
    std::iota(all.begin(), all.end(), 0);
    const data::PairBatch batch = data::PairBatches(asked).batch_of(all);
    models::AttentionMaps maps;
    model.decode(batch.x, model.encode(batch.source, batch.source_lengths), &maps);
    return best_head(maps.cross, [&](int64_t b, int64_t t) {
        const auto n = static_cast<int64_t>(asked[static_cast<size_t>(b)].source.size()) - 1;
        return n - 1 - t;
    });
}

inline void prove_letters(lesson::Results& results, Report& report, uint64_t seed, bool quick) {
    const int64_t steps = quick ? 15 : 750;
    const Letters backwards(true, seed, quick), again(false, seed, quick);
    const std::vector<data::PairIds>& test = backwards.pairs.test;
    const auto add = [&](const std::string& name, double value,
                         const lesson::Requirement& requirement) {
        quick ? results.add(name, value) : results.add(name, value, requirement);
    };
    results.section("A. letters backwards, exactly right", "%");
    results.add("chance", exact_by_chance(test, backwards.source.letters));
    results.add(
        "classical: IBM model 1, word by word",
        lesson::exact(test, lesson::word_by_word(lesson::learn_dictionary(backwards.pairs), test)));
    const double without_order = exact_without_order(test);
    results.add("best without an order", without_order);

    report::Plot loss("Letters backwards", "step", "nats a letter");
    const auto teach = [&](const std::string& name, const Small& how) {
        Reader reader = read_letters("backwards, " + name, backwards, how, steps);
        lesson::smooth_line(loss, name, reader.losses);
        return reader;
    };
    const Reader none = teach("no positions", {.positions = Positions::none});
    // Three standard deviations of a thousand sentences.
    add("ours, no positions", none.exact, within(without_order, 0.04));
    const Reader learned = teach("learned positions", {.positions = Positions::learned});
    add("ours, learned positions", learned.exact, at_least(0.99));
    const Reader ours = teach("sinusoidal positions", {});
    add("ours, sinusoidal positions", ours.exact, at_least(0.99));
    results.add("optimum", 1);
    report.figure(loss.log_y(), "One layer, 64 wide, 4 heads; means of ten batches.", "positions");

    const BestHead best = mirror_head(*ours.model, backwards);
    results.section("A. where it looks while it says them backwards", "%");
    add(fmt::format("strongest weight on the right letter, best of {} heads", 4), best.share,
        at_least(0.95));
    const auto longest = std::ranges::max_element(
        test, {}, [](const data::PairIds& pair) { return pair.source.size(); });
    show_head(report, "The anti-diagonal", *ours.model, backwards.pairs.vocab, *longest, best.layer,
              best.head,
              "The head that follows the letters, from the decoder to the encoder. Nobody told it "
              "where to look.",
              "anti-diagonal");
    show_heads(report, "Every head, letters backwards", *ours.model, backwards.pairs.vocab,
               {test.begin(), test.begin() + std::min<long>(5, static_cast<long>(test.size()))},
               "Choose a sentence and a head.");

    results.section("A. letters again, exactly right", "%");
    results.add("chance", exact_by_chance(again.pairs.test, again.source.letters));
    results.add("best without an order", exact_without_order(again.pairs.test));
    add("ours, sinusoidal positions", read_letters("again", again, {}, steps).exact,
        at_least(0.99));
    results.add("optimum", 1);
}

}  // namespace gradus::lesson12
