#include "data/pairs/vocab.h"

#include "autograd/error.h"

namespace gradus::data {
namespace {

using Tokens = std::vector<std::string>;

const Tokens kSpecial{"<pad>", "<s>", "</s>", "<unk>"};  // in the order of their ids

bool is_within(const PairVocabOptions& options, const Tokens& tokens) {
    const auto count = static_cast<int64_t>(tokens.size());
    return std::max<int64_t>(1, options.min_tokens) <= count && count <= options.max_tokens;
}

enum class Side { source, target, both };

Vocab vocab_of(const std::vector<Pair>& pairs, const PairVocabOptions& options, Side side) {
    std::vector<Tokens> sentences;
    for (const Pair& pair : pairs) {
        Tokens source = options.tokenizer(pair.source), target = options.tokenizer(pair.target);
        if (!is_within(options, source) || !is_within(options, target)) continue;
        if (side != Side::target) sentences.push_back(std::move(source));
        if (side != Side::source) sentences.push_back(std::move(target));
    }
    check(!sentences.empty(), "pair vocab",
          "none of {} pairs has {} ... {} tokens on both sides; give other pairs or wider limits",
          pairs.size(), options.min_tokens, options.max_tokens);
    std::vector<std::string_view> tokens;
    for (const Tokens& sentence : sentences)
        tokens.insert(tokens.end(), sentence.begin(), sentence.end());
    return Vocab(
        tokens, {.min_count = options.min_count, .unknown = kSpecial[kUnknown], .first = kSpecial});
}

void check_special(std::string_view what, const Vocab& vocab) {
    for (int32_t id = 0; id < static_cast<int32_t>(kSpecial.size()); ++id) {
        const std::string token = id < vocab.size() ? vocab.token(id) : "missing";
        const std::string& expected = kSpecial[static_cast<size_t>(id)];
        check(token == expected, what,
              "token {} is {}; {} expected; take a checkpoint of a translation model", id, token,
              expected);
    }
    check(vocab.unknown() == kUnknown, what,
          "<unk> does not stand for the unknown; take a checkpoint of a translation model");
}

std::vector<int32_t> ids_of(const Vocab& vocab, const Tokens& tokens) {
    std::vector<int32_t> ids;
    for (const std::string& token : tokens) ids.push_back(vocab.id(token));
    ids.push_back(kEnd);
    return ids;
}

}  // namespace

PairVocab::PairVocab(const std::vector<Pair>& train, const PairVocabOptions& options)
    : PairVocab(vocab_of(train, options, options.shared ? Side::both : Side::source),
                vocab_of(train, options, options.shared ? Side::both : Side::target), options) {}

PairVocab::PairVocab(Vocab source, Vocab target, const PairVocabOptions& options)
    : source_(std::move(source)), target_(std::move(target)), options_(options) {
    check_special("source vocabulary", source_);
    check_special("target vocabulary", target_);
    if (options.shared) source_.check_same("target vocabulary", target_);
}

EncodedPairs PairVocab::encode(const std::vector<Pair>& pairs) const {
    EncodedPairs encoded;
    for (size_t i = 0; i < pairs.size(); ++i) {
        const Tokens source = options_.tokenizer(pairs[i].source);
        const Tokens target = options_.tokenizer(pairs[i].target);
        if (!is_within(options_, source) || !is_within(options_, target)) {
            ++encoded.dropped;
            continue;
        }
        PairIds ids{ids_of(source_, source), ids_of(target_, target)};
        ids.target.insert(ids.target.begin(), kStart);
        encoded.ids.push_back(std::move(ids));
        encoded.positions.push_back(static_cast<int32_t>(i));
    }
    return encoded;
}

std::vector<int32_t> PairVocab::encode_source(std::string_view sentence) const {
    const Tokens tokens = options_.tokenizer(sentence);
    const auto count = static_cast<int64_t>(tokens.size());
    check(1 <= count && count <= options_.max_tokens, "sentence",
          "\"{}\" has {} tokens; 1 ... {} expected; give one that is neither empty nor longer",
          sentence, count, options_.max_tokens);
    return ids_of(source_, tokens);
}

std::vector<std::string> PairVocab::target_tokens(const std::vector<int32_t>& ids) const {
    Tokens tokens;
    for (const int32_t id : ids) {
        if (id == kEnd) break;
        if (id != kStart && id != kPadding) tokens.push_back(target_.token(id));
    }
    return tokens;
}

}  // namespace gradus::data
