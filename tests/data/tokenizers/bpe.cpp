#include "data/tokenizers/bpe.h"

#include <doctest/doctest.h>

#include <ctime>

#include "autograd/random.h"
#include "data/text/text.h"
#include "data/tokenizers/byte_alphabet.h"
#include "tests/data/temporary.h"
#include "tests/data/tokenizers/fixture.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::numbers, test::TemporaryFolder, test::write_file;

namespace {

using Ids = std::vector<int32_t>;

std::vector<std::string> tokens_of(const Bpe& bpe) {
    std::vector<std::string> tokens;
    for (int32_t id = 0; id < bpe.size(); ++id) tokens.push_back(bpe.vocab().token(id));
    return tokens;
}

std::string random_bytes(Rng& rng, int64_t n) {
    std::string bytes;
    for (; n > 0; --n) bytes += static_cast<char>(rng.below(256));
    return bytes;
}

// Of this process: other programs do not count.
double seconds_since(std::clock_t start) {
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// Merges "ab", " ab", " abc", " abab", and a special.
const std::string kText = "ab ab ab abc abc abab abab";
Bpe small() { return Bpe::train({kText}, {.size = 262}); }

// Its files, changed by f(vocab.json, merges.txt) before they are read again.
template <class F>
std::string refusal(F f) {
    const TemporaryFolder folder;
    small().save(folder.path());
    std::string vocab = test::file_bytes(folder / "vocab.json");
    std::string merges = test::file_bytes(folder / "merges.txt");
    f(vocab, merges);
    write_file(folder / "vocab.json", vocab);
    write_file(folder / "merges.txt", merges);
    return error_of([&] { Bpe::load(folder.path()); });
}

void replace(std::string& text, const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    REQUIRE_MESSAGE(at != text.npos, from << " is not in " << text);
    text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("bpe: GPT-2's ids of tricky strings, and the strings again") {
    if (test::absent("gpt2-bpe")) return;
    const Bpe gpt2 = Bpe::load(GRADUS_DATA "/gpt2-bpe");
    CHECK(gpt2.size() == 50257);
    CHECK(gpt2.merges().size() == 50000);
    CHECK(gpt2.id("<|endoftext|>") == 50256);
    CHECK(gpt2.id(" the") == 262);
    const auto cases = test::tokenizer_fixture("gpt2");
    CHECK(cases.size() > 60);
    for (const auto& entry : cases) {
        const auto text = entry["text"].get<std::string>();
        CAPTURE(text);
        const Tensor ids = gpt2.encode(text);
        CHECK(numbers(ids) == entry["ids"].get<Ids>());
        CHECK(gpt2.decode(ids) == text);
    }
    // Saved in Hugging Face's form it is the same.
    const TemporaryFolder folder;
    gpt2.save(folder / "gpt2");
    const Bpe again = Bpe::load(folder / "gpt2");
    CHECK(tokens_of(again) == tokens_of(gpt2));
    CHECK(again.merges() == gpt2.merges());
}

TEST_CASE("bpe: learns the merges that another trainer learns from the same text") {
    const auto other = test::tokenizer_fixture("trained");
    const auto text = other["text"].get<std::string>();
    const auto tokens = other["tokens"].get<std::vector<std::string>>();
    const Bpe ours = Bpe::train({text}, {.size = 450, .min_count = 2, .specials = {}});
    CHECK(tokens_of(ours) == tokens);
    const auto merges = other["merges"].get<std::vector<std::string>>();
    REQUIRE(merges.size() == ours.merges().size());
    for (size_t i = 0; i < merges.size(); ++i) {
        const auto [left, right] = ours.merges()[i];
        CHECK(ours.vocab().token(left) + " " + ours.vocab().token(right) == merges[i]);
    }
}

TEST_CASE("bpe: bytes have the first ids, merges the next, specials the last") {
    const Bpe bpe = small();
    CHECK(bpe.size() == 261);  // no pair occurs twice any more
    CHECK(bpe.vocab().token(0) == "!");
    CHECK(bpe.bytes(255) == "\xad");
    CHECK(bpe.bytes(256) == "ab");
    CHECK(bpe.bytes(257) == " ab");
    CHECK(bpe.vocab().token(257) == "\u0120ab");
    CHECK(bpe.bytes(258) == " abc");
    CHECK(bpe.bytes(259) == " abab");
    CHECK(bpe.bytes(260) == "<|endoftext|>");
    CHECK(bpe.id("<|endoftext|>") == 260);
    CHECK(numbers(bpe.encode("ab abc")) == Ids{256, 258});
}

TEST_CASE("bpe: what was merged first in training is joined first, not what is longest") {
    // Learned: "bc", then "ab" (where no c follows): "abc" is a bc, never ab c.
    const Bpe bpe = Bpe::train({"bc bc bc bc ab ab ab"}, {.size = 300, .specials = {}});
    CHECK(numbers(bpe.encode("abc")) == Ids{bpe.id("a"), bpe.id("bc")});
    const Bpe runs = Bpe::train({"aa aa"}, {.size = 258, .specials = {}});
    CHECK(numbers(runs.encode("aaaaa")) == Ids{256, 256, runs.id("a")});
}

TEST_CASE("bpe: any bytes come back") {
    Rng rng(1);
    const Bpe bpe = small();
    for (int trial = 0; trial < 50; ++trial) {
        const std::string bytes = random_bytes(rng, rng.below(300));
        CHECK(bpe.decode(bpe.encode(bytes)) == bytes);
    }
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    CHECK(bpe.decode(bpe.encode(all)) == all);
    CHECK(bpe.decode(bpe.encode("one!").view({2, 2})) == "one!");
    CHECK(bpe.encode("").shape() == Shape{0});
    CHECK(bpe.decode(bpe.encode("")) == "");
    // Learned from bytes that are no text, too.
    const std::string noise = random_bytes(rng, 20000);
    const Bpe of_noise = Bpe::train({noise}, {.size = 400});
    CHECK(of_noise.decode(of_noise.encode(noise)) == noise);
}

TEST_CASE("bpe: ids end within a character where they are cut there") {
    const Bpe bpe = small();
    const std::string text = "\u4f60";
    const Tensor ids = bpe.encode(text);
    REQUIRE(ids.size() == 3);
    CHECK(bpe.bytes(ids.values<int32_t>()[0]) == text.substr(0, 1));
}

TEST_CASE("bpe: a special's name in a text is text") {
    const Bpe bpe = small();
    const Tensor ids = bpe.encode("<|endoftext|>");
    CHECK(ids.size() > 1);
    CHECK(bpe.decode(ids) == "<|endoftext|>");
    CHECK(bpe.decode(Tensor::from<int32_t>({260, 256})) == "<|endoftext|>ab");
}

TEST_CASE("bpe: the same texts in any order, cut anywhere between words, give the same tokens") {
    const Bpe whole = Bpe::train({"on and on and", " so on"}, {.size = 300});
    CHECK(tokens_of(Bpe::train({" so on", "on and on and"}, {.size = 300})) == tokens_of(whole));
    CHECK(tokens_of(Bpe::train({"on", " and", " on and so on"}, {.size = 300})) ==
          tokens_of(whole));
}

TEST_CASE("bpe: a long word without a space costs little more than its length") {
    const Bpe bpe = small();
    const std::string word(1'000'000, 'a'), pairs = [] {
        std::string text;
        for (int i = 0; i < 500'000; ++i) text += "ab";
        return text;
    }();
    const std::clock_t start = std::clock();
    CHECK(bpe.encode(word).size() == 1'000'000);
    CHECK(bpe.encode(pairs).size() == 500'000);
    // Under a second; pairwise scans would take hours.
    CHECK(seconds_since(start) < 20);
}

TEST_CASE("bpe: through files and through a string") {
    const Bpe bpe = Bpe::train({kText + "\n\u00e9\u00e9 \u00e9\u00e9 \"\" \"\" \\\\ \\\\"},
                               {.size = 280, .specials = {"<pad>", "[END]"}});
    const TemporaryFolder folder;
    bpe.save(folder / "deep/down");
    bpe.save(folder / "deep/down");  // over the first
    CHECK(std::filesystem::exists(folder / "deep/down/merges.txt"));
    CHECK(contains(test::file_bytes(folder / "deep/down/merges.txt"), "#version: 0.2\na b\n"));
    for (const Bpe& again : {Bpe::load(folder / "deep/down"), Bpe::parse(bpe.to_string())}) {
        CHECK(tokens_of(again) == tokens_of(bpe));
        CHECK(again.merges() == bpe.merges());
        CHECK(numbers(again.encode(kText)) == numbers(bpe.encode(kText)));
        CHECK(again.id("[END]") == bpe.size() - 1);
    }
}

TEST_CASE("bpe: a merges file out of order is refused") {
    CHECK(refusal([](auto&, auto&) {}) == "");
    CHECK(contains(refusal([](auto&, std::string& merges) {
                       replace(merges, "\u0120 ab\n\u0120ab c\n", "\u0120ab c\n\u0120 ab\n");
                   }),
                   "merges.txt: line 3 merges \"\\u0120ab\", which no line before it makes"));
    const Bpe two = Bpe::train({"ab ab ab cd cd"}, {.size = 300});
    const TemporaryFolder folder;
    two.save(folder.path());
    const std::string header = "#version: 0.2\n";
    write_file(folder / "merges.txt", header + "a b\nc d\n\u0120 ab\n\u0120 cd\n");
    CHECK(error_of([&] { Bpe::load(folder.path()); }) == "");
    write_file(folder / "merges.txt", header + "c d\na b\n\u0120 ab\n\u0120 cd\n");
    CHECK(contains(error_of([&] { Bpe::load(folder.path()); }),
                   "line 3 makes \"ab\", id 256, after id 257 on the line before"));
    write_file(folder / "merges.txt", header + "a b\na b\nc d\n\u0120 ab\n\u0120 cd\n");
    CHECK(contains(error_of([&] { Bpe::load(folder.path()); }), "line 3 makes \"ab\", id 256"));
    write_file(folder / "merges.txt", header + "a b\n\u0120 ab\n");
    CHECK(contains(error_of([&] { Bpe::load(folder.path()); }),
                   "token 257, \"cd\", is made by no merge"));
}

TEST_CASE("bpe: what is no line of merges is refused") {
    const auto with_line = [](const std::string& line) {
        return refusal([&](auto&, std::string& merges) { replace(merges, "a b\n", line + "\n"); });
    };
    for (const char* line : {"ab", "a b c", "a ", " b", "a  b"})
        CHECK(contains(with_line(line),
                       fmt::format("merges.txt: line 2 is \"{}\"; two tokens", line)));
    CHECK(contains(with_line("a z"), "line 2 has \"az\", which is not in the vocabulary"));
    CHECK(contains(with_line("az b"), "line 2 has \"az\", which is not in the vocabulary"));
    CHECK(contains(with_line("a \xff"), "merges.txt: is not UTF-8: line 2, byte 3"));
    CHECK(contains(refusal([](auto&, std::string& merges) { merges.clear(); }), "is empty"));
}

TEST_CASE("bpe: a vocabulary with holes or duplicates is refused") {
    const auto with = [](const std::string& from, const std::string& to) {
        return refusal([&](std::string& vocab, auto&) { replace(vocab, from, to); });
    };
    CHECK(contains(with("\"ab\": 256", "\"ab\": 300"), "vocab.json: token \"ab\" has the id 300"));
    CHECK(contains(with("\"ab\": 256", "\"ab\": 257"), "id 257 is both"));
    CHECK(contains(with("\"ab\": 256, ", ""), "has the id 260; 260 tokens, so ids 0 ... 259"));
    CHECK(contains(with("\"ab\": 256", "\"!\": 256"), "has the id 260; 260 tokens"));
    for (const char* id : {"-1", "1.5", "\"256\"", "null"})
        CHECK(contains(with("\"ab\": 256", fmt::format("\"ab\": {}", id)),
                       fmt::format("token \"ab\" has the id {}", id)));
    CHECK(contains(with("\"#\": 2", "\"##\": 2"), "has no token for byte 0x23; all 256"));
    CHECK(contains(with("\"#\": 2", "\" \": 2"), "token 2, \" \", has a character that stands"));
    CHECK(contains(with("{", "["), "vocab.json: is no vocabulary; a JSON object"));
    CHECK(contains(refusal([](std::string& vocab, auto&) { vocab = "{}"; }), "is no vocabulary"));
    CHECK(contains(with("<|endoftext|>", "endoftext"), "260, \"endoftext\", is made by no merge"));
}

TEST_CASE("bpe: what is not there is said, with the remedy") {
    const TemporaryFolder folder;
    CHECK(contains(error_of([&] { Bpe::load(folder.path()); }), "./run data gpt2-bpe"));
    small().save(folder.path());
    std::filesystem::remove(folder / "merges.txt");
    CHECK(contains(error_of([&] { Bpe::load(folder.path()); }), "merges.txt: there is no such"));
    write_file(folder / "file", "");
    CHECK(contains(error_of([&] { small().save(folder / "file"); }), "cannot be made"));
    for (const char* text : {"", "{}", "[1]", "{\"vocab.json\": 1, \"merges.txt\": \"\"}"})
        CHECK(contains(error_of([&] { Bpe::parse(text); }), "where vocab.json and merges.txt"));

    const Bpe bpe = small();
    CHECK(contains(error_of([&] {
                       bpe.decode(Tensor::from<int32_t>({0, 261}));
                   }),
                   "there is no token 261; 0 ... 260 expected"));
    CHECK(contains(error_of([&] { bpe.bytes(-1); }), "there is no token -1"));
    CHECK(contains(error_of([&] { bpe.id("xyz"); }), "\"xyz\" is none of its 261 tokens"));

    const auto refused = [](const BpeOptions& options) {
        return error_of([&] { Bpe::train({"some text"}, options); });
    };
    CHECK(contains(refused({.size = 256}), "256 asked; at least 256 bytes and 1 specials"));
    CHECK(refused({.size = 257}) == "");
    CHECK(contains(refused({.min_count = 0}), "min_count is 0"));
    for (const char* special : {"", "the", "<>"})
        CHECK(contains(refused({.specials = {special}}), "is spelled like a text's"));
    CHECK(contains(refused({.specials = {"<s>", "<s>"}}), "\"<s>\" stands twice"));
}

TEST_CASE("bpe: 4 MB of novels: learned in at most 20 s on one core, and they come back") {
    if (test::absent("austen")) return;
    const TextData novels = load_text(GRADUS_DATA "/austen");
    std::vector<std::string_view> texts;
    for (const auto* part : {&novels.train, &novels.test})
        for (const Document& novel : *part) texts.push_back(novel.text);
    const std::clock_t start = std::clock();
    const Bpe bpe = Bpe::train(texts, {.size = 16384});
    CHECK(seconds_since(start) < 20);
    CHECK(bpe.size() == 16384);
    const Tensor ids = bpe.encode(texts.back());
    CHECK(bpe.decode(ids) == texts.back());
    CHECK(static_cast<double>(texts.back().size()) / static_cast<double>(ids.size()) > 4);
}
