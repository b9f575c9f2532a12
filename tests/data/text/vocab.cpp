#include "data/text/vocab.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/text/text.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of;

namespace {

std::vector<std::string> tokens_of(const Vocab& vocab) {
    std::vector<std::string> tokens;
    for (int32_t id = 0; id < vocab.size(); ++id) tokens.push_back(vocab.token(id));
    return tokens;
}

using Tokens = std::vector<std::string>;

}  // namespace

TEST_CASE("vocab: ids go by falling count, equal counts by their bytes") {
    auto tokens = words("b a c a \u00e9 Z c a");
    const Vocab vocab(tokens);
    CHECK(tokens_of(vocab) == Tokens{"a", "c", "Z", "b", "\u00e9"});
    for (int32_t id = 0; id < vocab.size(); ++id) CHECK(vocab.id(vocab.token(id)) == id);
    CHECK(vocab.contains("Z"));
    CHECK(!vocab.contains("z"));
    CHECK(!vocab.unknown());

    std::reverse(tokens.begin(), tokens.end());
    CHECK(tokens_of(Vocab(tokens)) == tokens_of(vocab));
}

TEST_CASE("vocab: first tokens, the unknown, the frequent ones") {
    const auto tokens = words("a a a b b c <s> <s> <s> <s>");
    const Vocab vocab(tokens, {.min_count = 2, .unknown = "<unk>", .first = {"<pad>", "<s>"}});
    CHECK(tokens_of(vocab) == Tokens{"<pad>", "<s>", "<unk>", "a", "b"});
    CHECK(vocab.unknown() == 2);
    CHECK(vocab.id("c") == 2);
    CHECK(vocab.id("anything") == 2);

    const Vocab small(tokens, {.max_size = 4, .unknown = "<unk>", .first = {"<pad>", "<s>"}});
    CHECK(tokens_of(small) == Tokens{"<pad>", "<s>", "<unk>", "a"});
    const Vocab own(tokens, {.max_size = 3, .unknown = "c", .first = {"c"}});
    CHECK(tokens_of(own) == Tokens{"c", "<s>", "a"});
    CHECK(own.id("b") == 0);
    // A text that already has the unknown token, as prepared corpora do.
    const Vocab prepared(words("x <unk> <unk>"), {.unknown = "<unk>"});
    CHECK(tokens_of(prepared) == Tokens{"<unk>", "x"});
    CHECK(tokens_of(Vocab({}, {.first = {"0", "1"}})) == Tokens{"0", "1"});
}

TEST_CASE("vocab: text to ids and back") {
    const std::string text = "caf\u00e9 \u4e16\nx";
    const Vocab letters(characters(text));
    const Tensor ids = letters.encode(characters(text));
    CHECK(ids.shape() == Shape{8});
    CHECK(ids.dtype() == Dtype::i32);
    CHECK(letters.decode(ids) == text);
    CHECK(letters.decode(ids.view({2, 4})) == text);

    const std::string lines = "to be\nor not\n\nto be";
    const Vocab whole(words(lines));
    CHECK(whole.decode(whole.encode(words(lines)), " ") == lines);
    const Vocab frequent(words(lines), {.min_count = 2, .unknown = "?"});
    CHECK(frequent.decode(frequent.encode(words(lines)), " ") == "to be\n? ?\n\nto be");
    CHECK(whole.encode({}).size() == 0);
    CHECK(whole.decode(whole.encode({})) == "");
}

TEST_CASE("vocab: through a string and back, with every token") {
    const Vocab vocab(characters("a\"\\\n\t\u00e9\U0001f600 {}\x01"),
                      {.unknown = "<unk>", .first = {"<s>"}});
    const Vocab again = Vocab::parse(vocab.to_string());
    CHECK(tokens_of(again) == tokens_of(vocab));
    CHECK(again.unknown() == 1);
    CHECK(error_of([&] { vocab.check_same("model", again); }) == "");
    CHECK(!Vocab::parse(Vocab(words("a b")).to_string()).unknown());
    const Vocab copy = again;
    CHECK(copy.id("\u00e9") == vocab.id("\u00e9"));
}

TEST_CASE("vocab: what is no vocabulary is not taken for one") {
    const auto refusal = [](const std::string& text) {
        return error_of([&] { Vocab::parse(text); });
    };
    CHECK(refusal(R"({"tokens": ["a", "b"], "unknown": 1})") == "");
    for (const char* text : {"", "tokens", "[]", "{}", R"({"tokens": "a"})", R"({"tokens": [1]})",
                             R"({"tokens": ["a")"})
        CHECK(contains(refusal(text), "where a vocabulary's"));
    CHECK(contains(refusal(R"({"tokens": []})"), "has no tokens"));
    CHECK(contains(refusal(R"({"tokens": ["a", "b", "a"]})"), "\"a\" stands twice"));
    for (const char* unknown : {"2", "-1", "0.5", "\"a\"", "4294967296"})
        CHECK(contains(refusal(fmt::format(R"({{"tokens": ["a", "b"], "unknown": {}}})", unknown)),
                       fmt::format("its unknown token is {}; an id 0 ... 1 expected", unknown)));
}

TEST_CASE("vocab: a checkpoint's other vocabulary is refused at the first difference") {
    const Vocab here(words("a a a b b c")), other(words("a a a b b d")), longer(words("a b b b c"));
    const auto refusal = [&](const Vocab& there) {
        return error_of([&] { here.check_same("lstm.safetensors", there); });
    };
    CHECK(refusal(Vocab(words("c b b a a a"))) == "");
    CHECK(contains(refusal(other),
                   "lstm.safetensors: its vocabulary has 3 tokens, the one here 3; "
                   "the first difference is token 2: \"d\" there, \"c\" here"));
    CHECK(contains(refusal(other), "or train anew"));
    CHECK(contains(refusal(longer), "token 0: \"b\" there, \"a\" here"));
    CHECK(contains(refusal(Vocab(words("a a b"))), "token 2: missing there, \"c\" here"));
    CHECK(contains(refusal(Vocab(words("a a a a b b b c c \n"))), "\"\\n\" there, missing here"));
    CHECK(contains(refusal(Vocab(words("a a a b b c"), {.unknown = "c", .first = {"a", "b"}})),
                   "\"c\" stands for the unknown, in the one here nothing"));
}

TEST_CASE("vocab: what cannot be is an error with its remedy") {
    const Vocab vocab(words("a b"));
    CHECK(contains(error_of([&] { vocab.id("\n"); }), "\"\\n\" is none of its 2 tokens"));
    CHECK(contains(error_of([&] { vocab.encode({"a", "\u00fc"}); }), ".unknown = \"<unk>\""));
    CHECK(contains(error_of([&] { vocab.token(2); }), "there is no token 2; 0 ... 1 expected"));
    CHECK(error_of([&] { vocab.token(-1); }) != "");
    CHECK(contains(error_of([&] { vocab.decode(Tensor::from<int32_t>({0, 5})); }), "no token 5"));

    const auto refusal = [](std::vector<std::string_view> tokens, const VocabOptions& options) {
        return error_of([&] { Vocab(tokens, options); });
    };
    CHECK(contains(refusal({}, {}), "none of 0 tokens is left"));
    CHECK(contains(refusal({}, {.unknown = "?"}), "none of 0 tokens is left"));
    CHECK(contains(refusal({"a", "b"}, {.min_count = 2}), "with min_count 2 and max_size not set"));
    CHECK(contains(refusal({"a"}, {.max_size = 1, .unknown = "?"}), "none of 1 tokens is left"));
    CHECK(contains(refusal({"a"}, {.max_size = 0}), "none of 1 tokens is left"));
    CHECK(contains(refusal({"a"}, {.max_size = 1, .unknown = "?", .first = {"x"}}),
                   "max_size is 1, and there are 2 first tokens"));
    CHECK(contains(refusal({"a"}, {.first = {"x", "x"}}), "\"x\" stands twice"));
    CHECK(contains(refusal({"a\xff"}, {}), "is not UTF-8: line 1, byte 2"));
}
