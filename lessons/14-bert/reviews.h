// Stage C: was the film liked? An encoder that was pretrained, here and on the reviews' own text, and one
// that was not, taught with few labels and with many.
// B batch · T time
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "data/labelled/labelled.h"
#include "lessons/14-bert/bag.h"
#include "lessons/14-bert/pretrain.h"

namespace gradus::lesson14 {

constexpr int64_t kLongestReview = 128;  // words

// Texts with their class as rows [CLS] text [SEP] [PAD] ..., cut where they are too long.
struct LabelledRows {
    Tensor ids, labels;  // [N, T], [N], i32
    int32_t padding = 0;

    LabelledRows(const std::vector<data::LabelledText>& texts, const Reader& reader)
        : ids(Tensor::full({static_cast<int64_t>(texts.size()), reader.time},
                           reader.tokenizer.pad(), Dtype::i32)),
          labels(Tensor::empty({static_cast<int64_t>(texts.size())}, Dtype::i32)),
          padding(reader.tokenizer.pad()) {
        int32_t* row = ids.data<int32_t>();
        for (size_t i = 0; i < texts.size(); ++i, row += reader.time) {
            Ids text = reader.ids(texts[i].text);
            text.resize(std::min(text.size(), static_cast<size_t>(reader.time - 2)));
            *row = reader.tokenizer.cls();
            *std::copy(text.begin(), text.end(), row + 1) = reader.tokenizer.sep();
            labels.data<int32_t>()[i] = texts[i].label;
        }
    }
};

// The reviews that are short enough, with their labels; and text of all that are not for testing, so many
// passages of it, without.
struct Reviews {
    data::LabelledData labelled;
    std::vector<Documents> text;  // one source
};
inline Reviews load_reviews(const Reader& reader, size_t passages, bool quick) {
    Reviews reviews{data::load_labelled(lesson::data_path("imdb")), {{}}};
    auto& [name, classes, train, test] = reviews.labelled;
    size_t count = 0;
    for (size_t i = 0; i < train.size() && count < passages; ++i)
        for (data::Sentences& document : reader.documents({train[i].text})) {
            count += document.size();
            reviews.text[0].push_back(std::move(document));
        }
    train = data::at_most_words(train, kLongestReview);
    test = data::at_most_words(test, kLongestReview);
    if (quick) {
        train.resize(std::min<size_t>(train.size(), 200));
        test.resize(std::min<size_t>(test.size(), 64));
    }
    return reviews;
}

// Logits [B, 2] of some rows, without the columns that are padding in all of them.
inline Tensor logits_of(models::BERTClassifier& model, const Tensor& ids, int32_t padding) {
    const int64_t B = ids.size(0), T = ids.size(1);
    Tensor lengths = Tensor::empty({B}, Dtype::i32);
    int64_t longest = 1;
    for (int64_t b = 0; b < B; ++b) {
        const int32_t* row = ids.data<int32_t>() + b * T;
        const auto length = std::find(row, row + T, padding) - row;
        lengths.data<int32_t>()[b] = static_cast<int32_t>(length);
        longest = std::max<int64_t>(longest, length);
    }
    Tensor cut = Tensor::empty({B, longest}, Dtype::i32);
    for (int64_t b = 0; b < B; ++b)
        std::copy_n(ids.data<int32_t>() + b * T, longest, cut.data<int32_t>() + b * longest);
    return model(cut, {}, lengths);
}

inline double accuracy(models::BERTClassifier& model, const LabelledRows& rows) {
    const nn::Evaluating scope(model);
    double right = 0;
    const data::BatchOptions in_order{.shuffle = false, .keep_last = true};
    data::Batches batches(rows.ids, rows.labels, 32, in_order);
    for (int64_t step = 0; step < batches.per_epoch(); ++step) {
        const auto [ids, labels] = batches.at(step);
        const Tensor said = argmax(logits_of(model, ids, rows.padding));
        for (int64_t i = 0; i < said.size(); ++i) right += said.at(i) == labels.at(i);
    }
    return right / static_cast<double>(rows.labels.size());
}

// An encoder to begin with.
struct Start {
    std::string name;
    models::BERTPretraining& encoder;
};

struct Teaching {
    int64_t steps;
    double rate;  // the peak
    uint64_t seed;
    models::Reads reads;
};

// Teaches a classifier, all of its weights, and gives the share of `judged` texts told rightly.
inline double fine_tuned(const std::string& label, const Start& start, models::BERTOptions shape,
                         const LabelledRows& train, const LabelledRows& judged,
                         const Teaching& how) {
    nn::manual_seed(how.seed);
    shape.dropout = 0.1;
    models::BERTClassifier model(shape, 2, how.reads);
    model.bert.load_state_dict(start.encoder.bert.state_dict());
    data::Batches batches(train.ids, train.labels, 16, {.seed = how.seed, .keep_last = true});
    lesson::learn(label, model, how.steps,
                  nn::WarmupCosine{.peak = how.rate, .warmup = how.steps / 10, .total = how.steps},
                  [&](int64_t step) {
                      const auto [ids, labels] = batches.at(step);
                      return nn::cross_entropy(logits_of(model, ids, train.padding), labels);
                  });
    return accuracy(model, judged);
}

// The smallest, the mean and the largest of some runs.
struct Spread {
    double low = INFINITY, mean = 0, high = -INFINITY;
    int count = 0;
    void add(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
        mean += (value - mean) / ++count;
    }
    double width() const { return high - low; }
};

// Teaches from each start with each number of labels. The first run of a start with 100 and with 1,000 labels chooses its
// rate, of the same two, on reviews that are neither taught nor tested; all labels take that of 1,000. The marks
// apply unless `quick`.
inline void tell_reviews(lesson::Results& results, Report& report,
                         const data::LabelledData& reviews, const Reader& reader,
                         const models::BERTOptions& shape, const std::vector<Start>& starts,
                         models::Reads reads, uint64_t seed, bool quick) {
    const LabelledRows test(reviews.test, reader);
    const auto all = static_cast<int64_t>(reviews.train.size()) - (quick ? 50 : 1000);
    const LabelledRows valid({reviews.train.begin() + all, reviews.train.end()}, reader);
    std::vector<double> rates(starts.size(), 1e-3);
    report::Table table("Reviews told rightly, lowest to highest of the runs",
                        {"start", "labels", "rate", "lowest", "mean", "highest"});
    for (const int64_t asked : {int64_t{100}, int64_t{1000}, all}) {
        const int64_t labels = std::min(asked, all);
        if (asked != all && labels == all) continue;  // fewer than that: "all" says it
        const int runs = asked == all || quick ? 1 : 3;
        const int64_t passes = labels <= 100 ? 20 : labels <= 1000 ? 5 : 2;
        const int64_t steps = quick ? 3 : labels * passes / 16;
        std::vector<Spread> spreads(starts.size());
        Spread bayes, logistic, gain;
        for (int run = 0; run < runs; ++run) {
            // Another run, other labels; the same for every start.
            const uint64_t run_seed = seed + 1000 * static_cast<uint64_t>(run);
            const Tensor order = Rng(run_seed).permutation(all);
            std::vector<data::LabelledText> texts;
            for (int64_t i = 0; i < labels; ++i)
                texts.push_back(reviews.train[static_cast<size_t>(order.data<int32_t>()[i])]);
            const LabelledRows rows(texts, reader);
            Values rights;
            for (size_t i = 0; i < starts.size(); ++i) {
                const auto taught = [&](const LabelledRows& judged, double rate) {
                    return fine_tuned(fmt::format("{} labels, {}, run {}, rate {}", labels,
                                                  starts[i].name, run + 1, rate),
                                      starts[i], shape, rows, judged,
                                      {steps, rate, run_seed, reads});
                };
                for (double best = -1; const double rate : {2e-4, 1e-3}) {
                    if (run > 0 || asked == all) break;
                    if (const double right = taught(valid, rate); right > best)
                        best = right, rates[i] = rate;
                }
                const double right = taught(test, rates[i]);
                if (lesson::interrupted()) return;
                fmt::print("told rightly: {:.1f} %\n", 100 * right);
                spreads[i].add(right);
                rights.push_back(right);
            }
            gain.add(rights.back() - rights.front());
            const Bag bag(texts);
            bayes.add(bag.bayes(reviews.test));
            logistic.add(bag.logistic(reviews.test));
        }
        double liked = 0;
        for (const auto& text : reviews.test) liked += text.label;
        liked /= static_cast<double>(reviews.test.size());
        const std::string name = asked == all ? "all" : fmt::format("{}", asked);
        results.section(fmt::format("C. {}, {} labels, told rightly", reviews.name, name), "%");
        results.add("chance", 0.5);
        results.add("trivial baseline: always the same", std::max(liked, 1 - liked));
        results.add("classical: naive Bayes, words and pairs", bayes.mean);
        results.add("best classical: NB, then logistic regression", logistic.mean);
        const auto percent = [](double x) { return fmt::format("{:.1f} %", 100 * x); };
        for (size_t i = 0; i < starts.size(); ++i) {
            results.add("ours: " + starts[i].name, spreads[i].mean);
            table.row({starts[i].name, name, fmt::format("{}", rates[i]), percent(spreads[i].low),
                       percent(spreads[i].mean), percent(spreads[i].high)});
        }
        if (asked == all) continue;
        // From the same labels, run by run; by more than that differs from run to run.
        if (quick)
            results.add("pretrained is better by", gain.mean);
        else
            results.add("pretrained is better by", gain.mean, at_least(gain.width()));
        table.row({"better than from scratch by", name, "", percent(gain.low), percent(gain.mean),
                   percent(gain.high)});
    }
    fmt::print("{}\n", table.text());
    report.page.table(table);
}

}  // namespace gradus::lesson14
