// Lesson 13: GPT. Stage A (chains.h) holds it to a known optimum; stage B trains it on the characters of a
// real text and on pieces of its words, lets it write, and fine-tunes it.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "data/labelled/labelled.h"
#include "lessons/13-gpt/chains.h"
#include "lessons/13-gpt/characters.h"
#include "lessons/13-gpt/order.h"
#include "lessons/13-gpt/pieces.h"
#include "lessons/13-gpt/writing.h"
#include "lessons/numbers.h"
#include "report/text.h"

namespace {

using namespace gradus;
using namespace gradus::lesson13;

// All that suits austen stands here.
struct Sizes {
    int64_t dim = 128, layers = 4, context = 64;
    int64_t steps = 2000;
    double rate = 6e-3;
    Rivals rivals{};
    int64_t tokens = 1024;  // of the tokenizer
    int64_t tests = 1000;   // passages
    int64_t tuning = 200;   // steps
    std::vector<int64_t> labels = {100, 1000};
};
const Sizes kFull, kQuick{.dim = 32,
                          .layers = 2,
                          .context = 32,
                          .steps = 20,
                          .rivals = {.hidden = 64},
                          .tokens = 300,
                          .tests = 40,
                          .tuning = 10,
                          .labels = {20, 40}};

// What can be changed from the command line beside the common options.
struct Settings {
    int64_t iterations = 0;  // 0: those of Sizes
    int64_t batch = 12, tokens = 0, layers = 0;
    double rate = 0, dropout = 0;
    bool proof = false, alone = false;
    std::optional<std::string> prompt;  // to go on with, in place of the lesson
    Writing writing;
    fs::path drawings;  // where README.md's figures go; empty: nowhere

    bool ablated() const {
        return iterations > 0 || batch != 12 || tokens > 0 || layers > 0 || rate > 0 || dropout > 0;
    }
};

// The text, and labels where it has some of its own.
struct Source {
    lesson::LmText lm;
    std::optional<data::LabelledData> labelled;
};
Source load(const lesson::Options& options) {
    if (options.data.empty() || fs::path(options.data).filename() != "imdb")
        return {lesson::load_lm_text(options), {}};
    data::LabelledData reviews = data::load_labelled(lesson::data_path(options.data));
    constexpr int64_t kWords = 128;
    data::TextData text{reviews.name, {}, {}};
    for (auto [labelled, plain] :
         {std::pair{&reviews.train, &text.train}, std::pair{&reviews.test, &text.test}}) {
        *labelled = data::at_most_words(*labelled, kWords);
        if (options.quick && labelled->size() > 200) labelled->resize(200);
        for (const data::LabelledText& review : *labelled)
            plain->push_back({"review", review.text + "\n"});
    }
    return {{std::move(text)}, std::move(reviews)};
}

class Lesson {
public:
    Lesson(const lesson::Options& options, const Settings& settings)
        : options_(options),
          settings_(settings),
          sizes_(options.quick ? kQuick : kFull),
          resumed_(!options.resume.empty()),
          file_(resumed_ ? options.resume : options.checkpoint()),
          report_{report::Page{"Lesson 13 · GPT", "To say what comes next, again and again."},
                  settings.drawings},
          results_(options) {
        if (settings.ablated()) results_.read_bands({});  // other settings, other figures
    }

    int run() {
        prove(results_, report_, options_.seed, options_.quick);
        if (settings_.proof && !lesson::interrupted()) return results_.finish(report_.page);
        // Where Ctrl-C came before, this saves what the way on begins with.
        const Source source = load(options_);
        if (!characters(source.lm) || !pieces(source)) return lesson::stopped(options_, file_);
        if (!options_.save.empty() && file_ != options_.save)
            fs::copy_file(file_, options_.save, fs::copy_options::overwrite_existing);
        return results_.finish(report_.page);
    }

private:
    TrainedGPT make(const std::string& name, int64_t vocab) const {
        nn::manual_seed(options_.seed);
        const int64_t layers = settings_.layers > 0 ? settings_.layers : sizes_.layers;
        return {fmt::format("GPT, {}, {} x {}", name, layers, sizes_.dim),
                models::GPTOptions{.vocab = vocab,
                                   .context = sizes_.context,
                                   .dim = sizes_.dim,
                                   .heads = sizes_.dim / kHeadWidth,
                                   .layers = layers,
                                   .dropout = settings_.dropout}};
    }
    Course course(int64_t ids) const {
        Course how{.batch = settings_.batch,
                   .steps = sizes_.steps,
                   .rate = settings_.rate > 0 ? settings_.rate : sizes_.rate,
                   .seed = options_.seed};
        if (options_.epochs)
            how.steps = std::max<int64_t>(1, *options_.epochs * ids / (how.batch * sizes_.context));
        if (settings_.iterations > 0) how.steps = settings_.iterations;
        return how;
    }
    lesson::Checkpoint checkpoint(const std::string& name) const {
        const fs::path file = name.empty() ? file_ : lesson::beside(file_, name);
        return {file, resumed_ && fs::exists(file)};
    }

    bool characters(const lesson::LmText& lm) {
        const lesson::Corpus corpus = lesson::character_corpus(lm.text);
        const Course how = course(corpus.train.size());
        Characters all{make("characters", corpus.vocab.size()), {}, {}};
        if (!train_gpt(all.gpt, corpus.train, corpus.test, how, checkpoint(""),
                       {{"vocabulary", &corpus.vocab}}))
            return false;
        if (!settings_.alone &&
            !train_rivals(all, corpus, sizes_.rivals, how.steps, options_.seed, checkpoint("")))
            return false;
        const Values counted = lesson::count_by_order(corpus);
        judge_characters(results_, corpus, counted, all, lm.optimum);
        per_byte_.emplace_back(
            "best n-gram, characters",
            per_byte(*std::min_element(counted.begin(), counted.end()), corpus, lm.text));
        per_byte_.emplace_back(all.gpt.name, per_byte(all.gpt.nats, corpus, lm.text));
        if (all.lstm)
            per_byte_.emplace_back(all.lstm->name, per_byte(all.lstm->nats, corpus, lm.text));
        report_.page.heading("Characters of " + corpus.name);
        report_.page.text(fmt::format(
            "{} characters of training text, {} of test text, {} kinds; {} steps of {} windows of "
            "{} from random places.",
            report::number(static_cast<double>(corpus.train.size())),
            report::number(static_cast<double>(corpus.test.size())), corpus.vocab.size(), how.steps,
            how.batch, sizes_.context));
        show_characters(report_, all, *std::min_element(counted.begin(), counted.end()));
        show_character_heads(results_, report_, all.gpt.model, corpus);
        return true;
    }
    // Nats a character -> bits a byte.
    static double per_byte(double nats, const lesson::Corpus& corpus, const data::TextData& text) {
        const std::string test = joined(text.test);
        const size_t first = data::utf8(data::code_point(test)).size();
        return bits_per_byte(nats, corpus.test.size(), test.size() - first);
    }

    bool pieces(const Source& source) {
        const data::TextData& text = source.lm.text;
        const Pieces cut =
            cut_into_pieces(text, settings_.tokens > 0 ? settings_.tokens : sizes_.tokens);
        TrainedGPT gpt = make("pieces", cut.bpe.size());
        const lesson::Checkpoint saved = checkpoint("bpe");
        if (!train_gpt(gpt, cut.train, cut.test, course(cut.train.size()), saved,
                       {{"vocabulary", &cut.bpe.vocab()}}))
            return false;
        cut.bpe.save(tokenizer_of(saved.file));
        report_.page.heading("Pieces of words");
        judge_tokens(results_, report_, text, cut);
        results_.section(fmt::format("B. {}, bits a byte", text.name));
        for (const auto& [name, bits] : per_byte_) results_.add(name, bits);
        results_.add(gpt.name, bits_per_byte(gpt.nats, cut.test.size(), cut.test_bytes));
        results_.section("B. pieces, what that took");
        results_.add("parameters", gpt.parameters() / 1e6, "million");
        results_.add("time", gpt.history.seconds, "s");
        const CacheTest cache = test_cache(gpt.model, cut.test, options_.quick ? 1 : 10);
        results_.section("B. writing, tokens a second");
        results_.add("with a cache", cache.with);
        results_.add("all read again for each token", cache.without);
        results_.add("tokens that are the same", cache.same, "%");
        show_samples(report_, cut, gpt.model, options_.seed);

        const int64_t most = sizes_.labels.back(), longest = sizes_.context;
        const Labelled labelled =
            source.labelled ? given(cut.bpe, *source.labelled, most, sizes_.tests, longest)
                            : in_order(cut.bpe, text, most, sizes_.tests, longest, options_.seed);
        return fine_tune(results_, labelled, gpt.model, sizes_.labels, sizes_.tuning, options_.seed,
                         options_.is_default_run() && !settings_.ablated());
    }

    const lesson::Options& options_;
    const Settings& settings_;
    const Sizes& sizes_;
    bool resumed_;
    fs::path file_;
    Report report_;
    lesson::Results results_;
    std::vector<std::pair<std::string, double>> per_byte_;  // of what reads characters
};

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    nn::SamplingOptions& sampling = settings.writing.sampling;
    const auto own_options = [&](CLI::App& app) {
        app.add_option("--iterations", settings.iterations, "Steps of a GPT, instead of 2,000")
            ->check(CLI::Range(1, 10000000));
        app.add_option("--batch", settings.batch, "Windows in a step")
            ->check(CLI::Range(1, 4096))
            ->capture_default_str();
        app.add_option("--lr", settings.rate, "Peak of the learning rate, instead of what suits")
            ->check(lesson::positive);
        app.add_option("--layers", settings.layers, "Layers of the GPTs of stage B")
            ->check(CLI::Range(1, 48));
        app.add_option("--dropout", settings.dropout, "Of the GPTs of stage B")
            ->check(CLI::Range(0.0, 0.9));
        app.add_option("--tokens", settings.tokens, "Size of the tokenizer's vocabulary")
            ->check(CLI::Range(258, 100000));
        app.add_flag("--proof", settings.proof, "Stage A alone");
        app.add_flag("--alone", settings.alone, "Without the networks of lessons 07 and 08");
        app.add_option("--drawings", settings.drawings, "Also save the figures here, as SVG")
            ->type_name("FOLDER");
        CLI::Option* write = app.add_option("--write", settings.prompt,
                                            "Train nothing: go on with this text, as the saved "
                                            "model would")
                                 ->type_name("PROMPT");
        const auto of_writing = [&](const char* name, auto& value, const char* help) {
            return app.add_option(name, value, help)->needs(write);
        };
        of_writing("--length", settings.writing.tokens, "Tokens to write")
            ->check(CLI::Range(1, 1000000))
            ->capture_default_str();
        of_writing("--temperature", sampling.temperature, "0: always the most probable token")
            ->check(lesson::not_negative)
            ->capture_default_str();
        of_writing("--top-k", sampling.top_k, "Only the k most probable tokens; 0: all")
            ->check(lesson::not_negative)
            ->capture_default_str();
        of_writing("--top-p", sampling.top_p, "Only tokens that together have p")
            ->check(CLI::Range(0.001, 1.0))
            ->capture_default_str();
        of_writing("--penalty", sampling.repetition_penalty, "For tokens that were there before")
            ->check(CLI::Range(1.0, 100.0))
            ->capture_default_str();
        of_writing("--stop", settings.writing.stops, "Text that ends it; may be given again")
            ->type_name("TEXT");
    };
    return lesson::run(
        argc, argv, "Lesson 13: GPT",
        [&](const lesson::Options& options) {
            if (!settings.prompt) return Lesson(options, settings).run();
            const fs::path file = options.resume.empty() ? options.checkpoint() : options.resume;
            return write(lesson::beside(file, "bpe"), *settings.prompt, settings.writing,
                         options.seed);
        },
        own_options);
}
