#include "data/tokenizers/wordpiece.h"

#include <doctest/doctest.h>

#include "data/text/text.h"
#include "tests/data/temporary.h"
#include "tests/data/tokenizers/fixture.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::numbers, test::TemporaryFolder, test::write_file;

namespace {

using Ids = std::vector<int32_t>;
using Tokens = std::vector<std::string>;

Tokens tokens_of(const Vocab& vocab) {
    Tokens tokens;
    for (int32_t id = 0; id < vocab.size(); ++id) tokens.push_back(vocab.token(id));
    return tokens;
}

Tokens pieces(const WordPiece& tokenizer, const std::string& text) {
    Tokens found;
    for (const int32_t id : numbers(tokenizer.encode(text)))
        found.push_back(tokenizer.vocab().token(id));
    return found;
}

const std::string kSpecials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";

WordPiece of_lines(const std::string& lines) {
    const TemporaryFolder folder;
    write_file(folder / "vocab.txt", lines);
    return WordPiece::load(folder / "vocab.txt");
}

std::string refusal(const std::string& lines) {
    return error_of([&] { of_lines(lines); });
}

}  // namespace

TEST_CASE("wordpiece: BERT's ids of tricky strings") {
    if (test::absent("bert-vocab")) return;
    const WordPiece bert = WordPiece::load(GRADUS_DATA "/bert-vocab");
    CHECK(bert.size() == 30522);
    CHECK(Ids{bert.pad(), bert.unk(), bert.cls(), bert.sep(), bert.mask()} ==
          Ids{0, 100, 101, 102, 103});
    CHECK(bert.vocab().token(1) == "[unused0]");
    CHECK(pieces(bert, "Unaffable!") == Tokens{"una", "##ffa", "##ble", "!"});
    const auto cases = test::tokenizer_fixture("bert");
    CHECK(cases.size() > 60);
    for (const auto& entry : cases) {
        const auto text = entry["text"].get<std::string>();
        CAPTURE(text);
        CHECK(numbers(bert.encode(text)) == entry["ids"].get<Ids>());
    }
    const TemporaryFolder folder;
    bert.save(folder / "vocab.txt");
    const WordPiece again = WordPiece::load(folder.path());
    CHECK(tokens_of(again.vocab()) == tokens_of(bert.vocab()));
}

TEST_CASE(
    "wordpiece: the longest piece first, from left to right; a word without pieces is [UNK]") {
    const WordPiece tokenizer = of_lines(kSpecials + "un\nu\n##a\n##aff\n##able\n##ab\nab\n!\n");
    CHECK(pieces(tokenizer, "unaffable") == Tokens{"un", "##aff", "##able"});
    CHECK(pieces(tokenizer, "Uab! ab!") == Tokens{"u", "##ab", "!", "ab", "!"});
    CHECK(pieces(tokenizer, "unaffables unab") == Tokens{"[UNK]", "un", "##ab"});
    CHECK(pieces(tokenizer, "able") == Tokens{"[UNK]"});  // greedy: ab, then no ##le
    CHECK(pieces(tokenizer, "[MASK]") == Tokens{"[UNK]", "[UNK]", "[UNK]"});
    CHECK(tokenizer.encode("").size() == 0);
    CHECK(tokenizer.decode(tokenizer.encode("unaffable \u00dcnab!")) == "unaffable unab !");
    CHECK(tokenizer.decode(tokenizer.encode("")) == "");
}

TEST_CASE("wordpiece: words of more than 100 characters are [UNK]") {
    const WordPiece tokenizer = of_lines(kSpecials + "a\n##a\n\u00f8\n##\u00f8\n");
    CHECK(tokenizer.encode(std::string(100, 'a')).size() == 100);
    CHECK(pieces(tokenizer, std::string(101, 'a')) == Tokens{"[UNK]"});
    std::string long_word;
    for (int i = 0; i < 100; ++i) long_word += "\u00f8";  // characters, not bytes
    CHECK(tokenizer.encode(long_word).size() == 100);
    CHECK(pieces(tokenizer, std::string(1'000'000, 'a')) == Tokens{"[UNK]"});
}

TEST_CASE("wordpiece: learned from a text: specials, characters, then merges by falling count") {
    const WordPiece tokenizer =
        WordPiece::train({"Hug hug hug pug, pug!", "hugs hugs bun"}, {.size = 100, .min_count = 2});
    // h 5, u 8, g 7, p 2, s 2, n and b 1, punctuation 1 each.
    CHECK(tokens_of(tokenizer.vocab()) == Tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "g",
                                                 "h", "p", "s", "u", "##g", "##h", "##p", "##s",
                                                 "##u", "##ug", "hug", "pug", "hugs"});
    CHECK(pieces(tokenizer, "hugs shug pugs bug") ==
          Tokens{"hugs", "s", "##h", "##ug", "pug", "##s", "[UNK]"});
    CHECK(WordPiece::train({"hug hug pug pug"}, {.size = 14}).size() == 14);
}

TEST_CASE("wordpiece: every word of learned characters has pieces, and the text comes back") {
    const std::string text = "it is a truth universally acknowledged that a single man";
    const WordPiece tokenizer = WordPiece::train({text}, {.size = 80, .min_count = 1});
    const std::string turned(text.rbegin(), text.rend());
    for (const std::string& words : {text, turned}) {
        const Tensor ids = tokenizer.encode(words);
        for (const int32_t id : numbers(ids)) CHECK(id > tokenizer.mask());
        CHECK(tokenizer.decode(ids) == words);
    }
    CHECK(tokenizer.encode(text).size() < tokenizer.encode(turned).size());
}

TEST_CASE("wordpiece: the same texts in any order give the same pieces") {
    const WordPiece one = WordPiece::train({"so it goes", "so it went"}, {.min_count = 1});
    const WordPiece other = WordPiece::train({"went it so goes it so"}, {.min_count = 1});
    CHECK(tokens_of(one.vocab()) == tokens_of(other.vocab()));
}

TEST_CASE("wordpiece: through a file and through a vocabulary's string") {
    const WordPiece tokenizer = WordPiece::train({"so it goes, so it went"}, {.min_count = 1});
    const TemporaryFolder folder;
    tokenizer.save(folder / "vocab.txt");
    tokenizer.save(folder / "vocab.txt");  // over the first
    CHECK(folder.file_count() == 1);
    CHECK(test::file_bytes(folder / "vocab.txt").starts_with(kSpecials));
    const WordPiece parsed(Vocab::parse(tokenizer.vocab().to_string()));
    for (const WordPiece& again : {WordPiece::load(folder.path()), parsed}) {
        CHECK(error_of([&] { tokenizer.vocab().check_same("file", again.vocab()); }) == "");
        CHECK(numbers(again.encode("So, so!")) == numbers(tokenizer.encode("So, so!")));
        CHECK(again.mask() == 4);
    }
}

TEST_CASE("wordpiece: a vocabulary with holes or duplicates is refused") {
    CHECK(refusal(kSpecials) == "");
    CHECK(refusal(kSpecials + "a\r\nb") == "");
    CHECK(contains(refusal(kSpecials + "a\n\nb\n"),
                   "vocab.txt: line 7 is empty; the piece with id 6"));
    CHECK(contains(refusal(kSpecials + "a\nb\na\n"), "line 8 is \"a\", as line 6 is"));
    CHECK(contains(refusal("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n"), "vocab.txt: has no [MASK]"));
    CHECK(contains(refusal(kSpecials + "a\nb\xff\n"), "vocab.txt: is not UTF-8: line 7, byte 2"));
    CHECK(contains(refusal(" \n"), "is empty"));
    CHECK(contains(error_of([] {
                       WordPiece(Vocab({}, {.first = {"[PAD]", "a"}}));
                   }),
                   "its vocabulary has no [UNK]"));
}

TEST_CASE("wordpiece: the package's list of BERT's pieces, and what is none") {
    const TemporaryFolder folder;
    const auto load = [&](const std::string& json) {
        write_file(folder / "vocab.json", json);
        return WordPiece::load(folder.path());
    };
    const std::string specials = R"("[PAD]", "\u2581", "[UNK]", "[CLS]", "[SEP]", "[MASK]")";
    CHECK(tokens_of(load("[" + specials + R"(, "\u2581[", "[", "\u2581the", "s"])").vocab()) ==
          Tokens{"[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[", "##[", "the",
                 "##s"});
    CHECK(contains(error_of([&] { load("{}"); }), "is no list of pieces; fetch it anew"));
    CHECK(contains(error_of([&] { load("[1]"); }), "piece 0 is 1; a string expected"));
    CHECK(contains(error_of([&] { load("[\"a\"]"); }), "vocab.json: has no [PAD]"));
    CHECK(contains(error_of([&] { load("[" + specials + ", \"a\", \"a\"]"); }),
                   "\"##a\" stands twice"));
}

TEST_CASE("wordpiece: what cannot be is an error with its remedy") {
    const TemporaryFolder folder;
    CHECK(contains(error_of([&] { WordPiece::load(folder.path()); }), "./run data bert-vocab"));
    CHECK(contains(error_of([&] { WordPiece::load(folder / "none.txt"); }), "has no word pieces"));
    const WordPiece tokenizer = of_lines(kSpecials + "a\n");
    CHECK(contains(error_of([&] { tokenizer.decode(Tensor::from<int32_t>({6})); }),
                   "there is no token 6; 0 ... 5 expected"));
    CHECK(contains(error_of([&] { tokenizer.encode("a\xff"); }), "is not UTF-8: line 1, byte 2"));
    const auto refused = [](const std::string& text, const WordPieceOptions& options) {
        return error_of([&] { WordPiece::train({text}, options); });
    };
    CHECK(contains(refused("abc", {.size = 10, .min_count = 1}),
                   "10 asked, and 5 specials and 3 characters, each of them twice, are 11; allow"));
    CHECK(refused("abc", {.size = 11, .min_count = 1}) == "");
    CHECK(contains(refused("abc", {}), "no character of 1 texts occurs 2 times"));
    CHECK(contains(refused("abc", {.min_count = 0}), "min_count is 0"));
}

TEST_CASE("wordpiece: learned from novels, it knows nearly every word of another one") {
    if (test::absent("austen")) return;
    const TextData novels = load_text(GRADUS_DATA "/austen");
    const WordPiece tokenizer = WordPiece::train({novels.train[0].text}, {.size = 4096});
    CHECK(tokenizer.size() == 4096);
    const Tensor ids = tokenizer.encode(novels.test[0].text);
    int64_t unknown = 0;
    for (const int32_t id : numbers(ids)) unknown += id == tokenizer.unk();
    CHECK(static_cast<double>(unknown) < 1e-3 * static_cast<double>(ids.size()));
}
