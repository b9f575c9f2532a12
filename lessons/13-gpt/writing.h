// ./run lesson 13 --write "It is a truth": the trained model goes on, token by token, on the terminal.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "data/tokenizers/bpe.h"
#include "lessons/13-gpt/heads.h"
#include "nn/safetensors.h"
#include "nn/text_stream.h"

namespace gradus::lesson13 {

namespace fs = std::filesystem;

// The tokenizer of a GPT on pieces lies beside its checkpoint, in Hugging Face's files.
inline fs::path tokenizer_of(const fs::path& checkpoint) {
    return fs::path(checkpoint).replace_extension();
}

constexpr int64_t kHeadWidth = 32;  // of every GPT of stage B

// A GPT from a checkpoint, which says by its shapes what model it is.
inline std::unique_ptr<models::GPT> load_gpt(const fs::path& file) {
    nn::StateDict weights;
    for (const auto& [name, x] : nn::load_safetensors(file).tensors)
        if (name.find('/') == std::string::npos) weights.emplace(name, x);  // no moments
    check(weights.contains("wte.weight") && weights.contains("wpe.weight"), "write",
          "{} holds no GPT; give the file that ./run lesson 13 saved", file.string());
    models::GPTOptions options{.vocab = weights["wte.weight"].size(0),
                               .context = weights["wpe.weight"].size(0),
                               .dim = weights["wte.weight"].size(1),
                               .layers = 0};
    options.heads = options.dim / kHeadWidth;
    while (weights.contains(fmt::format("h.{}.ln_1.weight", options.layers))) ++options.layers;
    auto model = std::make_unique<models::GPT>(options);
    model->load_state_dict(weights);
    return model;
}

struct Writing {
    int64_t tokens = 200;
    nn::SamplingOptions sampling{.temperature = 0.8, .top_p = 0.95};
    std::vector<std::string> stops;
};

// Goes on with a prompt and hands each piece to `sink` as soon as it is known. Of a prompt with more
// tokens than the model has positions the end counts.
inline void write_text(models::GPT& model, const data::Bpe& bpe, const std::string& prompt,
                       const Writing& writing, uint64_t seed, const nn::TextStream::Sink& sink) {
    check(!prompt.empty(), "write", "the prompt is empty; give at least one character");
    check(bpe.size() == model.options().vocab, "write",
          "the tokenizer has {} tokens, the model {}; they are not of one run", bpe.size(),
          model.options().vocab);
    const Tensor ids = bpe.encode(prompt);
    Rng rng(seed);
    nn::TextStream out(writing.stops, sink);
    models::generate(
        model, ids.view({1, ids.size()}), writing.tokens, writing.sampling, rng,
        [&](const Tensor& token) { return out.add(bpe.decode(token)) && !lesson::interrupted(); });
    out.finish();
}

inline int write(const fs::path& checkpoint, const std::string& prompt, const Writing& writing,
                 uint64_t seed) {
    check(fs::exists(checkpoint) && fs::exists(tokenizer_of(checkpoint)), "write",
          "there is no trained model at {}; ./run lesson 13 trains one and saves it there",
          checkpoint.string());
    const auto model = load_gpt(checkpoint);
    const data::Bpe bpe = data::Bpe::load(tokenizer_of(checkpoint));
    fmt::print("{}", prompt);
    write_text(*model, bpe, prompt, writing, seed, [](std::string_view text) {
        fmt::print("{}", text);
        std::fflush(stdout);
    });
    fmt::print("\n");
    return 0;
}

}  // namespace gradus::lesson13
