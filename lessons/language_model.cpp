#include "lessons/language_model.h"

#include <fmt/ranges.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "data/sequences.h"
#include "data/sources/pcfg.h"
#include "models/ngram.h"
#include "nn/checkpoint.h"
#include "nn/loss.h"
#include "nn/schedule.h"
#include "report/progress.h"

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

// A number that another text has another of (Fowler, Noll and Vo's FNV-1a, 64 bits).
uint64_t fingerprint(const Tensor& ids) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const int32_t id : ids.values<int32_t>())
        hash = (hash ^ static_cast<uint32_t>(id)) * 0x100000001b3;
    return hash;
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
        "{}, warm-up {}, weight decay {}, clip {}; {} tests on {:016x}, {} ids",
        name_of(model.cell), model.layers, model.hidden, model.dim, model.tied ? ", tied" : "",
        model.dropout, options.seed, fingerprint(corpus.train), options.epochs, options.batch,
        options.time, options.rate, options.warm_up, options.weight_decay, options.clip,
        options.tests, fingerprint(corpus.test), options.test_ids);
}

Values numbers(const nn::Metadata& notes, const char* name) {
    Values values;
    char* next = nullptr;
    for (const char* at = notes.at(name).c_str(); *at != 0; at = next) {
        values.push_back(std::strtod(at, &next));
        check(next != at, "resume", "\"{}\" in the checkpoint is no list of numbers", name);
    }
    return values;
}

void write(const LmHistory& history, nn::Metadata& notes) {
    notes["losses"] = fmt::format("{}", fmt::join(history.losses, " "));
    notes["norms"] = fmt::format("{}", fmt::join(history.norms, " "));
    notes["test steps"] = fmt::format("{}", fmt::join(history.test_steps, " "));
    notes["test losses"] = fmt::format("{}", fmt::join(history.test_losses, " "));
    notes["seconds"] = fmt::format("{}", history.seconds);
}

LmHistory read_history(const nn::Metadata& notes) {
    return {numbers(notes, "losses"), numbers(notes, "norms"), numbers(notes, "test steps"),
            numbers(notes, "test losses"), numbers(notes, "seconds").at(0)};
}

// The state before the first id. It is defined, so that it can be saved.
nn::RecurrentState zero_state(const models::RnnLmOptions& model, int64_t batch) {
    const Shape shape{model.layers, batch, model.hidden};
    return {Tensor::zeros(shape), model.cell == Cell::lstm ? Tensor::zeros(shape) : Tensor()};
}

// Loads what goes on, after a look at whether it fits.
LmHistory resume(const fs::path& file, const std::string& course, const data::Vocab& vocab,
                 nn::Training& training) {
    const auto notes = nn::with_prefix_removed(nn::load_safetensors(file).metadata, "note/");
    check(notes.contains("course") && notes.contains("vocabulary"), "resume",
          "{} is no checkpoint of a language model's training", file.string());
    vocab.check_same(file.string(), data::Vocab::parse(notes.at("vocabulary")));
    check(notes.at("course") == course, "resume",
          "{} holds a run with\n  {}\nbut this one is to have\n  {}\nGive it the same options and "
          "data, or begin anew without --resume",
          file.string(), notes.at("course"), course);
    nn::load_checkpoint(file, training);
    return read_history(notes);
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

fs::path data_path(const std::string& data) {
    fs::path path = data;
    if (!fs::exists(path) && !path.has_parent_path())  // a name: where ./run data puts it
        path = report_folder().parent_path().parent_path() / ".data" / path;
    check(fs::exists(path), "data",
          "there is nothing at {}. Fetch a known set with ./run data NAME (names, austen, brown), "
          "give a file or folder of your own with --data PATH, or go on with --data generated",
          path.string());
    return path;
}

bool train_language_model(const std::string& label, models::RnnLM& model, const Corpus& corpus,
                          const LmTrainingOptions& options, const LmCheckpoint& checkpoint,
                          LmHistory& history) {
    const data::StreamBatches batches(corpus.train, options.batch, options.time);
    const auto steps = std::max<int64_t>(
        1, std::llround(options.epochs * static_cast<double>(batches.per_epoch())));
    const nn::WarmupCosine rate{
        .peak = options.rate,
        .warmup = std::llround(options.warm_up * static_cast<double>(steps)),
        .total = steps};
    nn::AdamW optimizer(model.parameters(), {.weight_decay = options.weight_decay});
    nn::RecurrentState state = zero_state(model.options(), options.batch);
    nn::Training training{model, optimizer};
    training.tensors["h"] = &state.h;
    if (state.c.defined()) training.tensors["c"] = &state.c;

    const std::string course = describe(model.options(), corpus, options);
    history = {};
    if (checkpoint.resume) history = resume(checkpoint.file, course, corpus.vocab, training);

    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto seconds_since = [&](auto then) {
        return std::chrono::duration<double>(now() - then).count();
    };
    const auto began = now();
    auto saved = began;
    const double before = history.seconds;
    const auto save = [&] {
        history.seconds = before + seconds_since(began);
        write(history, training.notes);
        training.notes["course"] = course;
        training.notes["vocabulary"] = corpus.vocab.to_string();
        nn::save_checkpoint(checkpoint.file, training);
        saved = now();
    };
    const Tensor test_text = corpus.test.view({std::min(options.test_ids, corpus.test.size())});
    const auto test = [&] {
        history.test_steps.push_back(static_cast<double>(training.step));
        history.test_losses.push_back(models::nats_per_token(model, test_text, options.batch));
    };
    report::ProgressOptions from;
    from.start = training.step;
    report::Progress bar(label, steps, from);
    if (history.test_losses.empty()) {
        if (checkpoint.file.has_parent_path())
            fs::create_directories(checkpoint.file.parent_path());  // as reports do
        test();
        save();
    }

    model.train();
    while (training.step < steps && !interrupted()) {
        if (batches.begins(training.step)) state = zero_state(model.options(), options.batch);
        const auto [x, y] = batches.at(training.step);  // [B, T]
        optimizer.zero_grad();
        {
            Tape tape;
            const auto output = model(x, state);
            const Tensor loss = nn::cross_entropy(output.logits, y);
            history.losses.push_back(loss.item());
            check(std::isfinite(history.losses.back()), label,
                  "the loss is {} at step {}: the training has diverged. A lower rate or a shorter "
                  "clip than {} and {} may help",
                  history.losses.back(), training.step, options.rate, options.clip);
            tape.backward(loss);
            state = output.state.detach();  // the next window goes on from here, without a past
        }
        history.norms.push_back(
            optimizer.clip_grad_norm(options.clip > 0 ? options.clip : INFINITY));
        optimizer.set_lr(rate(training.step));
        optimizer.step();
        ++training.step;

        const int64_t tested = training.step * options.tests / steps;
        if (tested != (training.step - 1) * options.tests / steps) test();
        if (seconds_since(saved) >= options.save_every) save();
        const auto tokens =
            static_cast<double>((training.step - from.start) * options.batch * options.time);
        bar.update(training.step, {{"loss", history.losses.back()},
                                   {"test", history.test_losses.back()},
                                   {"tokens/s", tokens / seconds_since(began)}});
    }
    bar.finish();
    if (training.step > from.start) save();
    return training.step == steps;
}

}  // namespace gradus::lesson
