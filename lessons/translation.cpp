#include "lessons/translation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "data/pairs/tokens.h"
#include "data/sources/permuted_dictionary.h"
#include "nn/loss.h"

namespace gradus::lesson {
namespace {

using data::PairIds;

// Without start and end.
std::span<const int32_t> source_words(const PairIds& pair) {
    return std::span(pair.source).first(pair.source.size() - 1);
}
std::span<const int32_t> target_words(const PairIds& pair) {
    return std::span(pair.target).subspan(1, pair.target.size() - 2);
}
// Word by word; a target with an unknown word has no exact translation.
bool is_exact(const PairIds& pair, const Ids& translation) {
    const auto right = target_words(pair);
    return std::ranges::equal(right, translation) &&
           std::ranges::find(right, data::kUnknown) == right.end();
}

// All pairs in a row, for a fingerprint.
Tensor in_a_row(const std::vector<PairIds>& pairs) {
    Ids ids;
    for (const PairIds& pair : pairs) {
        ids.insert(ids.end(), pair.source.begin(), pair.source.end());
        ids.insert(ids.end(), pair.target.begin(), pair.target.end());
    }
    return Tensor::from<int32_t>(ids);
}

// f(positions) for batches of sentences of similar lengths.
template <class F>
void by_length(const std::vector<PairIds>& pairs, size_t batch, F&& f) {
    Ids order(pairs.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        return pairs[static_cast<size_t>(a)].source.size() <
               pairs[static_cast<size_t>(b)].source.size();
    });
    for (size_t first = 0; first < order.size(); first += batch) {
        const size_t last = std::min(first + batch, order.size());
        f(Ids(order.begin() + static_cast<long>(first), order.begin() + static_cast<long>(last)));
    }
}

const char* name_of(nn::Score score) {
    switch (score) {
        case nn::Score::additive:
            return "additive";
        case nn::Score::dot:
            return "dot";
        case nn::Score::scaled_dot:
            return "scaled dot";
        default:
            return "general";
    }
}

}  // namespace

Pairs::Pairs(std::string its_name, const std::vector<data::Pair>& train_pairs,
             const std::vector<data::Pair>& test_pairs, const data::PairVocabOptions& options)
    : name(std::move(its_name)), vocab(train_pairs, options) {
    train = vocab.encode(train_pairs).ids;
    data::EncodedPairs encoded = vocab.encode(test_pairs);
    check(!encoded.ids.empty(), name,
          "none of {} test pairs has {} ... {} tokens on both sides; give more pairs",
          test_pairs.size(), options.min_tokens, options.max_tokens);
    for (const int32_t position : encoded.positions)
        references.push_back(options.tokenizer(test_pairs[static_cast<size_t>(position)].target));
    test = std::move(encoded.ids);
    for (const auto* part : {&train, &test})
        for (const PairIds& pair : *part)
            longest = std::max(longest, static_cast<int64_t>(pair.target.size()) - 1);
}

data::PairData load_pair_data(const Options& options, const std::string& usual) {
    if (options.data == "generated") {
        const data::PermutedDictionary language({.seed = options.seed});
        Rng rng(options.seed);
        return {"generated",
                {{"training", language.sample(rng, options.quick ? 2000 : 20'000)}},
                {{"test", language.sample(rng, options.quick ? 200 : 1000)}}};
    }
    data::PairData loaded =
        data::load_pairs(data_path(options.data.empty() ? usual : options.data));
    if (!options.quick) return loaded;
    const auto shorten = [](std::vector<data::PairDocument>& documents, size_t most) {
        size_t kept = 0;
        for (data::PairDocument& document : documents) {
            document.pairs.resize(std::min(document.pairs.size(), most - kept));
            kept += document.pairs.size();
        }
    };
    shorten(loaded.train, 3000);
    shorten(loaded.test, 300);
    return loaded;
}

data::PairVocabOptions tokens_of(const std::string& name, int64_t min_count, bool shared) {
    if (name == "en-fr" || name == "de-en")
        return {.tokenizer = data::word_tokens,
                .min_tokens = 4,
                .max_tokens = 15,
                .min_count = min_count,
                .shared = shared};
    if (name == "generated" || name == "cmudict")
        return {.tokenizer = data::space_tokens, .shared = shared};
    return {.tokenizer = data::word_tokens, .max_tokens = 40, .shared = shared};
}

Translator translator(models::Seq2Seq& model, double own_share, Rng* rng) {
    const auto& o = model.options();
    Translator translator{
        .model = model,
        .description =
            fmt::format("seq2seq {} of {} and {}, {}, embeddings {}, {}, dropout {}, own share {}",
                        o.cell == Cell::lstm  ? "lstm"
                        : o.cell == Cell::gru ? "gru"
                                              : "rnn",
                        o.hidden, o.decoder, o.attention ? name_of(*o.attention) : "no attention",
                        o.dim, o.maxout ? "maxout" : "plain head", o.dropout, own_share),
        .logits =
            [&model, own_share, rng](const data::PairBatch& batch) {
                const auto memory = model.encode(batch.source, batch.source_lengths);
                return model.decode(batch.x, memory,
                                    {.own_share = model.training() ? own_share : 0, .rng = rng});
            },
        .steps = [&model](const Tensor& source,
                          const Tensor& lengths) -> std::unique_ptr<nn::StepModel> {
            return std::make_unique<models::Seq2SeqSteps>(model, model.encode(source, lengths));
        }};
    if (rng) translator.generators["own share"] = rng;
    return translator;
}

Translator translator(models::Transformer& model) {
    const auto& o = model.options();
    return {.model = model,
            .description = fmt::format(
                "transformer {} x {}, {} heads, ff {}, {}-norm, {} positions, {}{}dropout {}",
                o.layers, o.dim, o.heads, o.ff, o.pre_norm ? "pre" : "post",
                o.sinusoidal ? "sinusoidal" : "learned", o.shared ? "shared, " : "",
                o.scaled ? "scaled, " : "", o.dropout),
            .logits =
                [&model](const data::PairBatch& batch) {
                    return model(batch.source, batch.source_lengths, batch.x);
                },
            .steps = [&model](const Tensor& source,
                              const Tensor& lengths) -> std::unique_ptr<nn::StepModel> {
                return std::make_unique<models::TransformerSteps>(model,
                                                                  model.encode(source, lengths));
            }};
}

std::string course_of(const Translator& translator, const Pairs& pairs,
                      const PairTrainingOptions& o) {
    return fmt::format(
        "{}; seed {}; pairs {:016x}, {} passes in batches of {}; rate {}, {}, weight decay {}, "
        "clip {}, label smoothing {}; {} tests on {:016x}",
        translator.description, o.seed, fingerprint(in_a_row(pairs.train)), o.epochs, o.batch,
        o.rate, o.noam > 0 ? fmt::format("Noam {}", o.noam) : "half a cosine", o.weight_decay,
        o.clip, o.label_smoothing, o.tests, fingerprint(in_a_row(pairs.test)));
}

bool train_translator(const std::string& label, const Translator& translator, const Pairs& pairs,
                      const PairTrainingOptions& options, const Checkpoint& checkpoint,
                      History& history) {
    data::PairBatches batches(pairs.train, {.batch = options.batch, .seed = options.seed});
    const auto steps = std::max<int64_t>(
        1, std::llround(options.epochs * static_cast<double>(batches.per_epoch())));
    double tokens = 0;
    for (const PairIds& pair : pairs.train) tokens += static_cast<double>(pair.target.size() - 1);

    const auto warm_up = std::llround(options.warm_up * static_cast<double>(steps));
    nn::Schedule rate = nn::WarmupCosine{.peak = options.rate, .warmup = warm_up, .total = steps};
    if (options.noam > 0) {  // scaled so that its peak is the rate that was asked for
        const double peak = nn::Noam{options.noam, warm_up}(warm_up - 1);
        rate = nn::Noam{options.noam, warm_up, options.rate / peak};
    }
    const Task task{.model = translator.model,
                    .loss =
                        [&](int64_t step) {
                            const data::PairBatch batch = batches.at(step);
                            return nn::cross_entropy(translator.logits(batch), batch.y,
                                                     {.label_smoothing = options.label_smoothing});
                        },
                    .test = [&] { return nats_per_token(translator, pairs.test, 512); },
                    .tokens = tokens / static_cast<double>(batches.per_epoch()),
                    .generators = translator.generators,
                    .vocabularies = {{"source vocabulary", &pairs.vocab.source()},
                                     {"target vocabulary", &pairs.vocab.target()}}};
    return train(label, task,
                 {.steps = steps,
                  .rate = rate,
                  .weight_decay = options.weight_decay,
                  .clip = options.clip,
                  .tests = options.tests,
                  .save_every = options.save_every,
                  .course = course_of(translator, pairs, options)},
                 checkpoint, history);
}

double nats_per_token(const Translator& translator, const std::vector<PairIds>& pairs,
                      int64_t count) {
    const auto last = pairs.begin() + std::min<long>(count, static_cast<long>(pairs.size()));
    const std::vector<PairIds> part(pairs.begin(), last);
    const data::PairBatches batches(part);
    double nats = 0, tokens = 0;
    by_length(part, 128, [&](const Ids& positions) {
        const data::PairBatch batch = batches.batch_of(positions);
        double here = 0;
        for (const int32_t length : batch.target_lengths.values<int32_t>()) here += length;
        nats += here * nn::cross_entropy(translator.logits(batch), batch.y).item();
        tokens += here;
    });
    return nats / tokens;
}

std::vector<Ids> translate(const Translator& translator, const Pairs& pairs,
                           const std::vector<PairIds>& asked, int64_t width,
                           double length_penalty) {
    const bool was_training = translator.model.training();
    translator.model.eval();
    const data::PairBatches batches(asked);
    std::vector<Ids> translations(asked.size());
    by_length(asked, 64, [&](const Ids& positions) {
        const data::PairBatch batch = batches.batch_of(positions);
        const auto steps = translator.steps(batch.source, batch.source_lengths);
        const auto count = static_cast<int64_t>(positions.size());
        const auto place = [&](size_t i) -> Ids& {
            return translations[static_cast<size_t>(positions[i])];
        };
        const int64_t longest = pairs.longest - 1;  // the end is one more step
        if (width == 1) {
            auto best = nn::greedy(
                *steps, count, {.start = data::kStart, .end = data::kEnd, .max_length = longest});
            for (size_t i = 0; i < positions.size(); ++i) place(i) = std::move(best[i]);
        } else {
            const auto best = nn::beam_search(*steps, count,
                                              {.width = width,
                                               .length_penalty = length_penalty,
                                               .start = data::kStart,
                                               .end = data::kEnd,
                                               .max_length = longest});
            for (size_t i = 0; i < positions.size(); ++i) place(i) = best[i].front().tokens;
        }
    });
    translator.model.train(was_training);
    return translations;
}

double bleu(const Pairs& pairs, const std::vector<Ids>& translations) {
    std::vector<Tokens> hypotheses;
    hypotheses.reserve(translations.size());
    for (const Ids& ids : translations) hypotheses.push_back(pairs.vocab.target_tokens(ids));
    return data::bleu(hypotheses, pairs.references).score;
}

double exact(const std::vector<PairIds>& pairs, const std::vector<Ids>& translations) {
    int64_t right = 0;
    for (size_t i = 0; i < pairs.size(); ++i) right += is_exact(pairs[i], translations.at(i));
    return static_cast<double>(right) / static_cast<double>(pairs.size());
}

ByLength exact_by_length(const std::vector<PairIds>& pairs, const std::vector<Ids>& translations) {
    std::map<size_t, std::pair<double, double>> counts;  // right, all
    for (size_t i = 0; i < pairs.size(); ++i) {
        auto& [right, all] = counts[source_words(pairs[i]).size()];
        right += is_exact(pairs[i], translations.at(i));
        ++all;
    }
    ByLength result;
    for (const auto& [length, count] : counts) {
        result.lengths.push_back(static_cast<double>(length));
        result.values.push_back(count.first / count.second);
    }
    return result;
}

ByLength bleu_by_length(const Pairs& pairs, const std::vector<Ids>& translations) {
    std::map<size_t, std::pair<std::vector<Tokens>, std::vector<Tokens>>> parts;
    for (size_t i = 0; i < translations.size(); ++i) {
        auto& [said, right] = parts[source_words(pairs.test[i]).size() / 2];
        said.push_back(pairs.vocab.target_tokens(translations[i]));
        right.push_back(pairs.references[i]);
    }
    ByLength result;
    for (const auto& [half, part] : parts) {
        result.lengths.push_back(2 * static_cast<double>(half) + 0.5);
        result.values.push_back(data::bleu(part.first, part.second).score);
    }
    return result;
}

void add_bleu_to_beat(Results& results, const Pairs& pairs) {
    const auto any = target_words(pairs.train.front());
    const std::vector<Ids> same(pairs.test.size(), Ids(any.begin(), any.end()));
    results.section(fmt::format("B. {}, BLEU", pairs.name));
    results.add("trivial baseline: always the same sentence", bleu(pairs, same));
    results.add("classical: IBM model 1, word by word",
                bleu(pairs, word_by_word(learn_dictionary(pairs), pairs.test)));
    results.add("best classical: nearest sentence",
                bleu(pairs, nearest_sentence(pairs.train, pairs.test)));
}

models::IbmModel1 learn_dictionary(const Pairs& pairs, int passes) {
    models::IbmModel1 model(pairs.vocab.source().size(), pairs.vocab.target().size());
    for (const PairIds& pair : pairs.train) model.add(source_words(pair), target_words(pair));
    for (int i = 0; i < passes; ++i) model.pass();
    return model;
}

std::vector<Ids> word_by_word(const models::IbmModel1& dictionary,
                              const std::vector<PairIds>& asked) {
    std::vector<Ids> translations;
    for (const PairIds& pair : asked) {
        Ids& words = translations.emplace_back();
        for (const int32_t word : source_words(pair))
            if (const int32_t best = dictionary.best(word); best >= 0) words.push_back(best);
    }
    return translations;
}

std::vector<Ids> nearest_sentence(const std::vector<PairIds>& train,
                                  const std::vector<PairIds>& asked) {
    std::unordered_map<int32_t, std::vector<size_t>> where;  // sentences that have a word
    std::vector<double> sizes;
    for (size_t i = 0; i < train.size(); ++i) {
        const auto words = source_words(train[i]);
        const std::unordered_set<int32_t> different(words.begin(), words.end());
        for (const int32_t word : different) where[word].push_back(i);
        sizes.push_back(static_cast<double>(different.size()));
    }
    std::vector<Ids> translations;
    for (const PairIds& pair : asked) {
        const auto words = source_words(pair);
        const std::unordered_set<int32_t> different(words.begin(), words.end());
        std::vector<double> common(train.size());
        for (const int32_t word : different)
            for (const size_t i : where[word]) ++common[i];
        size_t best = 0;
        double most = -1;  // 2 |a ∩ b| / (|a| + |b|), Dice's measure
        for (size_t i = 0; i < train.size(); ++i) {
            const double dice = 2 * common[i] / (static_cast<double>(different.size()) + sizes[i]);
            if (dice > most) most = dice, best = i;
        }
        const auto target = target_words(train[best]);
        translations.emplace_back(target.begin(), target.end());
    }
    return translations;
}

}  // namespace gradus::lesson
