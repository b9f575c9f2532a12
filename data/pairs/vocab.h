// The vocabularies of a translation's two sides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/pairs/batches.h"
#include "data/pairs/pairs.h"
#include "data/text/vocab.h"

namespace gradus::data {

/// Ids that every such vocabulary begins with: filling, start, end, and all that it does not know.
constexpr int32_t kPadding = 0, kStart = 1, kEnd = 2, kUnknown = 3;

/// word_tokens, character_tokens or space_tokens.
using Tokenizer = std::vector<std::string> (*)(std::string_view);

struct PairVocabOptions {
    Tokenizer tokenizer;
    int64_t min_tokens = 1;     // of each side, start and end not counted
    int64_t max_tokens = 1000;  // pairs with a shorter or a longer side are dropped
    int64_t min_count = 1;      // rarer tokens are unknown
    bool shared = false;        // one vocabulary for both sides
};

/// Pairs as ids, without those that are too short or too long.
struct EncodedPairs {
    std::vector<PairIds> ids;
    std::vector<int32_t> positions;  // where each stood in the list
    int64_t dropped = 0;
};

/// Text to ids and back, for both sides: <pad> <s> </s> <unk>, then the tokens.
///
///     const PairVocab vocab(train, {.tokenizer = word_tokens, .min_tokens = 4, .max_tokens = 15});
///     PairBatches batches(vocab.encode(train).ids);
///     fmt::print("{}\n", detokenize(vocab.target_tokens(translation)));
class PairVocab {
public:
    /// From the training pairs within the limits. Throws Error where there are none.
    PairVocab(const std::vector<Pair>& train, const PairVocabOptions& options);
    /// From those of a checkpoint. Throws Error where one begins otherwise.
    PairVocab(Vocab source, Vocab target, const PairVocabOptions& options);

    const Vocab& source() const { return source_; }
    const Vocab& target() const { return target_; }
    const PairVocabOptions& options() const { return options_; }

    EncodedPairs encode(const std::vector<Pair>& pairs) const;
    /// A sentence to translate, and the end. Throws Error where it has no tokens, or too many.
    std::vector<int32_t> encode_source(std::string_view sentence) const;
    /// Target tokens up to the end or the last id, without start and filling.
    std::vector<std::string> target_tokens(const std::vector<int32_t>& ids) const;

private:
    Vocab source_, target_;
    PairVocabOptions options_;
};

}  // namespace gradus::data
