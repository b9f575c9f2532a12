// Stage B, pieces of words: a tokenizer learned from the text, and a GPT on its tokens.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "data/tokenizers/bpe.h"
#include "lessons/13-gpt/language.h"

namespace gradus::lesson13 {

inline double seconds_since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// A text in tokens of a vocabulary learned from its training part.
struct Pieces {
    data::Bpe bpe;
    double seconds;  // that learning took
    Tensor train, test;
    size_t test_bytes;  // after the first token
};
inline Pieces cut_into_pieces(const data::TextData& text, int64_t size) {
    std::vector<std::string_view> documents;
    for (const data::Document& document : text.train) documents.push_back(document.text);
    const auto began = std::chrono::steady_clock::now();
    data::Bpe bpe = data::Bpe::train(documents, {.size = size});
    const double seconds = seconds_since(began);
    const std::string test_text = joined(text.test);
    Tensor test = bpe.encode(test_text);
    const size_t first = bpe.bytes(test.values<int32_t>()[0]).size();
    Tensor train = bpe.encode(joined(text.train));
    return {std::move(bpe), seconds, std::move(train), std::move(test), test_text.size() - first};
}

inline double bytes_per_token(const data::Bpe& bpe, const std::string& text) {
    return static_cast<double>(text.size()) / static_cast<double>(bpe.encode(text).size());
}

// What was learned, beside GPT-2's vocabulary where that is here.
inline void judge_tokens(lesson::Results& results, Report& report, const data::TextData& text,
                         const Pieces& pieces) {
    const std::string test = joined(text.test);
    results.section(fmt::format("B. {}, tokens of the test text", text.name));
    results.add("merges learned", static_cast<double>(pieces.bpe.merges().size()));
    results.add("time that took", pieces.seconds, "s");
    results.add("bytes a token", bytes_per_token(pieces.bpe, test));
    const auto gpt2 = lesson::report_folder().parent_path().parent_path() / ".data" / "gpt2-bpe";
    if (std::filesystem::exists(gpt2))
        results.add("bytes a token, GPT-2's 50,257", bytes_per_token(data::Bpe::load(gpt2), test));
    else
        report.page.text("GPT-2's vocabulary is not here: ./run data gpt2-bpe brings it.");

    report::Table table("How merges begin, and where they end", {"", "joined", "token"});
    const auto& merges = pieces.bpe.merges();
    for (size_t i = 0; i < merges.size(); ++i) {
        if (i == 10) i = std::max<size_t>(i, merges.size() - std::min<size_t>(10, merges.size()));
        const data::Vocab& vocab = pieces.bpe.vocab();
        const std::string &left = vocab.token(merges[i].left),
                          &right = vocab.token(merges[i].right);
        table.row({fmt::format("{}", i + 1), left + " " + right, left + right});
    }
    table.note("Ġ is a space, Ċ the end of a line.");
    report.page.table(table);
}

// The same text, continued with and without a cache, as long as all positions reach.
struct CacheTest {
    double same = 0;               // share of the tokens
    double with = 0, without = 0;  // tokens a second
};
inline CacheTest test_cache(models::GPT& model, const Tensor& text, int64_t rounds) {
    const nn::Evaluating scope(model);
    const int64_t T = model.options().context, V = model.options().vocab;
    double same = 0, with = 0, without = 0;
    Rng rng(1);
    for (int64_t round = 0; round < rounds; ++round) {
        const Tensor prompt = text.view({1, 1}, round * T % text.size());
        auto began = std::chrono::steady_clock::now();
        const Tensor fast = models::generate(model, prompt, T - 1, {.temperature = 0}, rng);
        with += seconds_since(began);

        began = std::chrono::steady_clock::now();
        Tensor ids = Tensor::zeros({1, T}, Dtype::i32);
        ids.set(0, prompt.at(0));
        for (int64_t t = 1; t < T; ++t) {
            const Tensor logits = model(ids.view({1, t}));  // [1, t, V]: all of it, for every token
            const float* last = logits.data<float>() + (t - 1) * V;
            ids.set(t, static_cast<double>(std::max_element(last, last + V) - last));
        }
        without += seconds_since(began);
        for (int64_t t = 1; t < T; ++t) same += ids.at(t) == fast.at(t - 1);
    }
    const auto tokens = static_cast<double>(rounds * (T - 1));
    return {same / tokens, tokens / with, tokens / without};
}

inline void show_samples(Report& report, const Pieces& pieces, models::GPT& model, uint64_t seed) {
    const int64_t count = 120;
    const Tensor begin = pieces.test.view({1, std::min<int64_t>(32, pieces.test.size())});
    report.page.heading("Samples");
    report.page.text("What it goes on with after the beginning of the test text:");
    report.page.preformatted(pieces.bpe.decode(begin));
    Rng rng(seed);
    std::string printed;
    for (const auto& [name, options] : std::vector<std::pair<std::string, nn::SamplingOptions>>{
             {"The most probable, again and again (temperature 0)", {.temperature = 0}},
             {"The same, what was said before at a penalty of 1.3",
              {.temperature = 0, .repetition_penalty = 1.3}},
             {"Temperature 0.8", {.temperature = 0.8}},
             {"Temperature 1", {}},
             {"Temperature 1, of the 20 most probable tokens", {.top_k = 20}},
             {"Temperature 1, of the tokens that together have 90 %", {.top_p = 0.9}},
             {"Temperature 1.5", {.temperature = 1.5}}}) {
        const std::string sample =
            pieces.bpe.decode(models::generate(model, begin, count, options, rng));
        report.page.subheading(name);
        report.page.preformatted(sample);
        if (options.top_p < 1) printed = sample;
    }
    fmt::print("\nA sample, of the tokens that together have 90 %:\n\n{}\n", printed);
}

}  // namespace gradus::lesson13
