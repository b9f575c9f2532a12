#include "lessons/translation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "data/pairs/tokens.h"
#include "data/sources/permuted_dictionary.h"
#include "nn/init.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using lesson::Ids, lesson::Pairs, lesson::Translator;
using test::contains, test::error_of, test::TemporaryFolder;

namespace {

const data::PermutedDictionary kLanguage({.words = 16, .shortest = 2, .longest = 4, .seed = 3});

Pairs small_pairs(bool turned = false) {
    Rng rng(5);
    auto train = kLanguage.sample(rng, 400), test = kLanguage.sample(rng, 40);
    if (turned) std::ranges::reverse(train);  // another text of the same vocabulary
    return Pairs("small", train, test, {.tokenizer = data::space_tokens});
}

struct Fixture {
    Pairs pairs = small_pairs();
    lesson::PairTrainingOptions options{.batch = 32, .epochs = 3, .rate = 1e-2, .tests = 3};
    TemporaryFolder folder;

    Fixture() {
        const char* arguments[] = {"lesson-11"};
        lesson::Options::parse(1, arguments, "Lesson 11: test");  // forgets another test's Ctrl-C
        nn::manual_seed(1);
    }
    models::Seq2SeqOptions seq2seq() const {
        return {.source_vocab = pairs.vocab.source().size(),
                .target_vocab = pairs.vocab.target().size(),
                .dim = 16,
                .hidden = 32,
                .dropout = 0.1};
    }
    models::TransformerOptions transformer() const {
        return {.source_vocab = pairs.vocab.source().size(),
                .target_vocab = pairs.vocab.target().size(),
                .dim = 32,
                .heads = 2,
                .layers = 1,
                .ff = 64,
                .max_length = 8,
                .dropout = 0.1};
    }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "translation: both kinds of model learn, and say the same each time") {
    models::Seq2Seq recurrent(seq2seq());
    models::Transformer transformer(this->transformer());
    for (const Translator& translator :
         {lesson::translator(recurrent), lesson::translator(transformer)}) {
        lesson::History history;
        CHECK(
            lesson::train_translator("small", translator, pairs, options, {folder / "x"}, history));
        REQUIRE(history.test_losses.size() == 4);
        CHECK(history.test_losses.back() < 0.8 * history.test_losses.front());
        CHECK(history.test_losses.back() == lesson::nats_per_token(translator, pairs.test, 512));
        const auto greedy = lesson::translate(translator, pairs, pairs.test);
        CHECK(greedy == lesson::translate(translator, pairs, pairs.test));
        CHECK(greedy.size() == pairs.test.size());
        CHECK(lesson::translate(translator, pairs, pairs.test, 5).size() == pairs.test.size());
    }
}

TEST_CASE_FIXTURE(Fixture, "translation: a training that goes on ends with the same bits") {
    for (const double own_share : {0.0, 0.3}) {
        const auto run = [&](double epochs, bool resume) {
            Rng rng(9);
            nn::manual_seed(1);
            models::Seq2Seq model(seq2seq());
            options.epochs = epochs;
            lesson::History history;
            const auto translator = lesson::translator(model, own_share, &rng);
            lesson::train_translator("small", translator, pairs, options,
                                     {folder / "x.safetensors", resume}, history);
            return test::copy(model.state_dict());
        };
        const auto whole = run(2, false);
        // One that was stopped: Ctrl-C after some steps, then the same command with --resume.
        {
            Rng rng(9);
            nn::manual_seed(1);
            models::Seq2Seq model(seq2seq());
            options.epochs = 2;
            Translator translator = lesson::translator(model, own_share, &rng);
            const auto logits = translator.logits;
            int calls = 0;
            translator.logits = [&](const data::PairBatch& batch) {
                if (model.training() && ++calls == 7) raise(SIGINT);
                return logits(batch);
            };
            lesson::History history;
            CHECK(!lesson::train_translator("small", translator, pairs, options,
                                            {folder / "x.safetensors"}, history));
            CHECK(history.losses.size() == 7);
        }
        const char* arguments[] = {"lesson-11"};
        lesson::Options::parse(1, arguments, "Lesson 11: test");
        const auto resumed = run(2, true);
        for (const auto& [name, x] : whole) CHECK(test::distance(x, resumed.at(name)) == 0);
    }
}

TEST_CASE_FIXTURE(Fixture,
                  "translation: a checkpoint of another model, text or course is refused") {
    const auto file = folder / "x.safetensors";
    models::Seq2Seq model(seq2seq());
    lesson::History history;
    lesson::train_translator("small", lesson::translator(model), pairs, options, {file}, history);
    const auto go_on = [&](const Translator& translator, const Pairs& with,
                           const lesson::PairTrainingOptions& course) {
        return error_of([&] {
            lesson::train_translator("small", translator, with, course, {file, true}, history);
        });
    };
    CHECK(go_on(lesson::translator(model), pairs, options) == "");
    models::Transformer other(transformer());
    CHECK(contains(go_on(lesson::translator(other), pairs, options), "this one is to have"));
    auto course = options;
    course.label_smoothing = 0.1;
    CHECK(contains(go_on(lesson::translator(model), pairs, course), "label smoothing 0.1"));
    CHECK(contains(go_on(lesson::translator(model), small_pairs(true), options),
                   "this one is to have"));
    // Other words under the same ids: the vocabulary alone tells.
    Pairs renamed = pairs;
    std::string tokens = pairs.vocab.target().to_string();
    const std::string& word = pairs.vocab.target().token(data::kUnknown + 1);
    tokens.replace(tokens.find(word), word.size(), "other");
    renamed.vocab =
        data::PairVocab(pairs.vocab.source(), data::Vocab::parse(tokens), pairs.vocab.options());
    CHECK(contains(go_on(lesson::translator(model), renamed, options), "\"other\""));
}

TEST_CASE_FIXTURE(Fixture, "translation: exact matches, by length and in all") {
    std::vector<Ids> said;
    for (const auto& pair : pairs.test)
        said.emplace_back(pair.target.begin() + 1, pair.target.end() - 1);
    CHECK(lesson::exact(pairs.test, said) == 1);
    CHECK(std::abs(lesson::bleu(pairs, said) - 100) < 1e-9);
    size_t wrong = 0, short_ones = 0;
    for (size_t i = 0; i < said.size(); ++i)
        if (pairs.test[i].source.size() == 3) {
            ++short_ones;
            if (wrong == 0) said[i].pop_back(), ++wrong;
        }
    REQUIRE(short_ones > 0);
    const auto by_length = lesson::exact_by_length(pairs.test, said);
    CHECK(by_length.lengths == std::vector<double>{2, 3, 4});
    CHECK(by_length.values[0] == 1 - 1 / static_cast<double>(short_ones));
    CHECK(by_length.values[1] == 1);
    CHECK(std::abs(lesson::exact(pairs.test, said) - 39. / 40) < 1e-12);
    // That a word is unknown is not a translation of it.
    const std::vector<data::PairIds> unknown{
        {.source = {5, data::kEnd}, .target = {data::kStart, data::kUnknown, data::kEnd}}};
    CHECK(lesson::exact(unknown, {{data::kUnknown}}) == 0);
}

TEST_CASE_FIXTURE(Fixture, "translation: the classical lines know words, and sentences by heart") {
    const auto dictionary = lesson::learn_dictionary(pairs, 15);
    const auto words = lesson::word_by_word(dictionary, pairs.test);
    // The right words, in the order of the source: right where the order is "forwards".
    for (size_t i = 0; i < words.size(); ++i) {
        Ids expected(pairs.test[i].target.begin() + 1, pairs.test[i].target.end() - 1);
        Ids said = words[i];
        std::ranges::sort(expected), std::ranges::sort(said);
        CHECK(said == expected);
    }
    const auto nearest = lesson::nearest_sentence(pairs.train, pairs.train);
    for (size_t i = 0; i < nearest.size(); ++i)
        CHECK(nearest[i].size() == pairs.train[i].target.size() - 2);
    CHECK(lesson::exact(pairs.train, nearest) > 0.05);
}

TEST_CASE("translation: pairs without a test sentence within the limits say so") {
    CHECK(contains(error_of([] {
                       Pairs("few", {{"a b", "b a"}}, {{"a b c", "c"}},
                             {.tokenizer = data::space_tokens, .max_tokens = 2});
                   }),
                   "few: none of 1 test pairs has 1 ... 2 tokens"));
}
