#include "lessons/language_model.h"

#include <cmath>

#include "data/sequences.h"
#include "data/sources/pcfg.h"
#include "models/ngram.h"
#include "nn/loss.h"

namespace gradus::lesson {
namespace {

namespace fs = std::filesystem;
using Tokenizer = std::vector<std::string_view> (*)(std::string_view);
using Values = std::vector<double>;

Tensor in_a_row(const std::vector<Tensor>& documents) {
    int64_t size = 0;
    for (const Tensor& document : documents) size += document.size();
    Tensor all = Tensor::empty({size}, Dtype::i32);
    int32_t* to = all.data<int32_t>();
    for (const Tensor& document : documents)
        to = std::copy_n(document.data<int32_t>(), document.size(), to);
    return all;
}

Corpus make_corpus(const data::TextData& text, Tokenizer tokenize,
                   const data::VocabOptions& options) {
    std::vector<std::string_view> tokens;
    for (const data::Document& document : text.train) {
        const auto more = tokenize(document.text);
        tokens.insert(tokens.end(), more.begin(), more.end());
    }
    Corpus corpus{text.name, data::Vocab(tokens, options), {}, {}, {}, {}};
    for (const data::Document& document : text.train)
        corpus.train_documents.push_back(corpus.vocab.encode(tokenize(document.text)));
    for (const data::Document& document : text.test)
        corpus.test_documents.push_back(corpus.vocab.encode(tokenize(document.text)));
    corpus.train = in_a_row(corpus.train_documents);
    corpus.test = in_a_row(corpus.test_documents);
    return corpus;
}

const char* name_of(Cell cell) {
    switch (cell) {
        case Cell::lstm:
            return "lstm";
        case Cell::gru:
            return "gru";
        case Cell::rnn_relu:
            return "relu rnn";
        default:
            return "tanh rnn";
    }
}

// All that decides what a training comes to.
std::string describe(const models::RnnLmOptions& model, const Corpus& corpus,
                     const LmTrainingOptions& options) {
    return fmt::format(
        "{} {} x {}, embeddings {}{}, dropout {}; seed {}; text {:016x}, {} passes, {} x {}; rate "
        "{}, warm-up {}, weight decay {}, clip {}; {} tests on {:016x}, {} ids{}{}",
        name_of(model.cell), model.layers, model.hidden, model.dim, model.tied ? ", tied" : "",
        model.dropout, options.seed, fingerprint(corpus.train), options.epochs, options.batch,
        options.time, options.rate, options.warm_up, options.weight_decay, options.clip,
        options.tests, fingerprint(corpus.test), options.test_ids,
        options.loss_name.empty() ? "" : "; ", options.loss_name);
}

// The state before the first id. It is defined, so that it can be saved.
nn::RecurrentState zero_state(const models::RnnLmOptions& model, int64_t batch) {
    const Shape shape{model.layers, batch, model.hidden};
    return {Tensor::zeros(shape), model.cell == Cell::lstm ? Tensor::zeros(shape) : Tensor()};
}

}  // namespace

Corpus character_corpus(const data::TextData& text) {
    return make_corpus(text, data::characters, {.unknown = "<unk>"});
}

Corpus word_corpus(const data::TextData& text, int64_t max_vocab) {
    return make_corpus(text, data::words, {.max_size = max_vocab, .unknown = "<unk>"});
}

LmText load_lm_text(const Options& options, const std::string& usual) {
    if (options.data == "generated") {
        const data::Pcfg grammar = data::Pcfg::english();
        Rng rng(options.seed);
        // It begins with an end of line, so that every character of a sentence follows another one.
        double nats = 0;
        const auto sentences = [&](size_t characters) {
            data::Document document{"generated", "\n"};
            for (nats = 0; document.text.size() < characters;) {
                const Tensor ids = grammar.sample(rng);
                document.text += grammar.text(ids) + "\n";
                nats += grammar.nats(ids);
            }
            return document;
        };
        LmText made{{"generated", {sentences(options.quick ? 200'000 : 2'000'000)}, {}}};
        made.text.test = {sentences(options.quick ? 10'000 : 100'000)};
        made.optimum = nats / static_cast<double>(made.text.test[0].text.size() - 1);
        return made;
    }
    LmText loaded{data::load_text(data_path(options.data.empty() ? usual : options.data))};
    if (!options.quick) return loaded;
    for (auto* part : {&loaded.text.train, &loaded.text.test}) {
        part->resize(1);
        std::string& text = part->front().text;
        const auto whole = data::characters(text);
        const size_t keep =
            std::min<size_t>(whole.size(), part == &loaded.text.train ? 200'000 : 20'000);
        text.resize(
            static_cast<size_t>(whole[keep - 1].data() + whole[keep - 1].size() - text.data()));
    }
    return loaded;
}

std::vector<double> count_by_order(const std::vector<Tensor>& train_documents, const Tensor& test,
                                   int64_t vocab, int orders) {
    Values best;
    for (int order = 1; order <= orders; ++order) {
        double nats = INFINITY;
        for (const auto smoothing :
             {models::Smoothing::kneser_ney, models::Smoothing::witten_bell}) {
            models::Ngram model({.vocab = vocab, .order = order, .smoothing = smoothing});
            for (const Tensor& document : train_documents) model.add(document.values<int32_t>());
            nats = std::min(nats, model.nats(test.values<int32_t>(), 1));
        }
        best.push_back(nats / static_cast<double>(test.size() - 1));
    }
    return best;
}

std::vector<double> count_by_order(const Corpus& corpus, int orders) {
    return count_by_order(corpus.train_documents, corpus.test, corpus.vocab.size(), orders);
}

bool train_language_model(const std::string& label, models::RnnLM& model, const Corpus& corpus,
                          const LmTrainingOptions& options, const Checkpoint& checkpoint,
                          History& history) {
    const data::StreamBatches batches(corpus.train, options.batch, options.time);
    const auto steps = std::max<int64_t>(
        1, std::llround(options.epochs * static_cast<double>(batches.per_epoch())));
    const Tensor test_text = corpus.test.view({std::min(options.test_ids, corpus.test.size())});

    nn::RecurrentState state = zero_state(model.options(), options.batch);
    Task task{.model = model,
              .loss =
                  [&](int64_t step) {
                      if (batches.begins(step)) state = zero_state(model.options(), options.batch);
                      const auto [x, y] = batches.at(step);  // [B, T]
                      const auto output = model(x, state);
                      state = output.state.detach();  // the next window goes on, without a past
                      return options.loss ? options.loss(output.logits, y, step)
                                          : nn::cross_entropy(output.logits, y);
                  },
              .test = [&] { return models::nats_per_token(model, test_text, options.batch); },
              .tokens = static_cast<double>(options.batch * options.time),
              .carried = {{"h", &state.h}},
              .vocabularies = {{"vocabulary", &corpus.vocab}}};
    if (state.c.defined()) task.carried["c"] = &state.c;
    const nn::WarmupCosine rate{
        .peak = options.rate,
        .warmup = std::llround(options.warm_up * static_cast<double>(steps)),
        .total = steps};
    return train(label, task,
                 {.steps = steps,
                  .rate = rate,
                  .weight_decay = options.weight_decay,
                  .clip = options.clip,
                  .tests = options.tests,
                  .save_every = options.save_every,
                  .course = describe(model.options(), corpus, options)},
                 checkpoint, history);
}

}  // namespace gradus::lesson
