#include "data/pairs/vocab.h"

#include <doctest/doctest.h>

#include "data/pairs/tokens.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;

namespace {

using Ids = std::vector<int32_t>;
using Tokens = std::vector<std::string>;

const std::vector<Pair> kPairs{
    {"The cat sees.", "Le chat voit."}, {"The dog.", "Le chien."}, {"Yes", "Oui"}};

}  // namespace

TEST_CASE("pair vocab: special tokens first, then those of each side") {
    const PairVocab vocab(kPairs, {.tokenizer = word_tokens});
    for (const Vocab& side : {vocab.source(), vocab.target()}) {
        CHECK(side.id("<pad>") == kPadding);
        CHECK(side.id("<s>") == kStart);
        CHECK(side.id("</s>") == kEnd);
        CHECK(side.id("<unk>") == kUnknown);
        CHECK(side.unknown() == kUnknown);
        CHECK(side.size() == 4 + 6);
    }
    CHECK(vocab.source().contains("cat"));
    CHECK(!vocab.source().contains("chat"));
    CHECK(!vocab.source().contains("The"));

    const PairVocab shared(kPairs, {.tokenizer = word_tokens, .shared = true});
    CHECK(shared.source().size() == 4 + 6 + 5);  // "." is in both
    CHECK(shared.target().id("cat") == shared.source().id("cat"));
}

TEST_CASE("pair vocab: pairs to ids and back") {
    const PairVocab vocab(kPairs, {.tokenizer = word_tokens});
    const EncodedPairs encoded = vocab.encode(kPairs);
    REQUIRE(encoded.ids.size() == 3);
    CHECK(encoded.dropped == 0);
    const PairIds& first = encoded.ids[0];
    CHECK(first.source.size() == 4 + 1);
    CHECK(first.source.back() == kEnd);
    CHECK(first.source[1] == vocab.source().id("cat"));
    CHECK(first.target.size() == 4 + 2);
    CHECK(first.target.front() == kStart);
    CHECK(first.target.back() == kEnd);
    CHECK(vocab.target_tokens(first.target) == Tokens{"le", "chat", "voit", "."});
    CHECK(detokenize(vocab.target_tokens(first.target)) == "le chat voit.");
    const int32_t chat = vocab.target().id("chat");
    CHECK(vocab.target_tokens({kStart, chat, kUnknown, kEnd, chat, kPadding}) ==
          Tokens{"chat", "<unk>"});
    CHECK(vocab.target_tokens({chat, kPadding}) == Tokens{"chat"});  // cut before its end
    CHECK(vocab.encode_source("The bird") == Ids{vocab.source().id("the"), kUnknown, kEnd});
    CHECK(PairBatches(encoded.ids, {.padding = kPadding}).per_epoch() == 1);
}

TEST_CASE("pair vocab: pairs beyond the limits are dropped and counted") {
    const PairVocab vocab(kPairs, {.tokenizer = word_tokens, .min_tokens = 3, .max_tokens = 3});
    CHECK(vocab.source().size() == 4 + 3);
    CHECK(!vocab.source().contains("cat"));
    const EncodedPairs encoded = vocab.encode(kPairs);
    CHECK(encoded.dropped == 2);
    CHECK(encoded.positions == Ids{1});
    // One side beyond them is enough.
    CHECK(vocab.encode({{"The dog.", "Le bon chien."}, {"A good dog.", "Un chien."}}).dropped == 2);

    const PairVocab frequent(kPairs, {.tokenizer = word_tokens, .min_count = 2});
    CHECK(frequent.source().size() == 4 + 2);  // "the", "."
    // A side without a token has nothing to learn from, whatever the limits.
    CHECK(frequent.encode({{" ", "Oui"}}).dropped == 1);
}

TEST_CASE("pair vocab: what cannot be is an error") {
    CHECK(contains(error_of([] { PairVocab(kPairs, {.tokenizer = word_tokens, .min_tokens = 9}); }),
                   "none of 3 pairs has 9 ... 1000 tokens on both sides"));
    const PairVocab vocab(kPairs, {.tokenizer = word_tokens, .max_tokens = 4});
    CHECK(contains(error_of([&] { vocab.encode_source(" "); }), "has 0 tokens; 1 ... 4 expected"));
    CHECK(contains(error_of([&] { vocab.encode_source("a b c d e"); }),
                   "\"a b c d e\" has 5 tokens; 1 ... 4 expected"));
    const Vocab letters({"a"});
    CHECK(contains(error_of([&] { PairVocab(vocab.source(), letters, vocab.options()); }),
                   "target vocabulary: token 0 is a; <pad> expected"));
    const Vocab known({"a"}, {.first = {"<pad>", "<s>", "</s>", "<unk>"}});
    CHECK(contains(error_of([&] { PairVocab(known, known, vocab.options()); }),
                   "<unk> does not stand for the unknown"));
    CHECK(error_of([&] { PairVocab(vocab.source(), vocab.target(), vocab.options()); }) == "");
    PairVocabOptions shared = vocab.options();
    shared.shared = true;
    CHECK(contains(error_of([&] { PairVocab(vocab.source(), vocab.target(), shared); }),
                   "the first difference is token"));
}
