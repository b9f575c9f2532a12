// Byte-level byte-pair encoding: GPT-2's tokenizer.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text/vocab.h"
#include "data/tokenizers/merges.h"

namespace gradus::data {

struct BpeOptions {
    int64_t size = 4096;    // of the vocabulary: bytes, merges and specials together
    int64_t min_count = 2;  // a pair of neighbours that is rarer is not merged
    std::vector<std::string> specials = {"<|endoftext|>"};  // spelled <...> or [...]
};

/// Text to ids and back, with nothing that is unknown (Radford et al. 2019, section 2.2): the
/// tokens are the 256 bytes and what merges make of them, so that any bytes, UTF-8 or not, come
/// back as they were. A text is cut into words (gpt2_words); within each, the neighbours whose
/// merge was learned first are joined, again and again. Specials are tokens that no text is encoded
/// to.
///
///     const auto tokenizer = data::Bpe::train({text}, {.size = 2048});
///     const Tensor ids = tokenizer.encode("It is a truth");        // i32 [n]
///     fmt::print("{}", tokenizer.decode(ids));
class Bpe {
public:
    /// From texts; the same texts in any order give the same tokens. Ids: the bytes, in the order
    /// of byte_alphabet(), the merges, in theirs, the specials. There are fewer than `size` where
    /// no pair occurs `min_count` times any more. Throws Error where `size` has no room for bytes
    /// and specials, or a special is misspelled or named twice.
    static Bpe train(const std::vector<std::string_view>& texts, const BpeOptions& options = {});

    /// From a folder with vocab.json and merges.txt (Hugging Face's names) or encoder.json and
    /// vocab.bpe (GPT-2's; ./run data gpt2-bpe). The vocabulary, in the spelling of
    /// byte_alphabet(), has the ids 0 ... n - 1 once each, all bytes, and what the merges make of
    /// them, whose ids rise from line to line; other tokens are specials. Throws Error, with the
    /// file and what is wrong in it, where that is not so.
    static Bpe load(const std::filesystem::path& folder);
    /// Writes vocab.json and merges.txt, each whole or not at all, into a folder, which is made.
    void save(const std::filesystem::path& folder) const;

    /// One string and back, for a checkpoint's notes. parse throws Error where it is none.
    std::string to_string() const;
    static Bpe parse(const std::string& text);

    /// The tokens, in the spelling of byte_alphabet(): "Ġthe".
    const Vocab& vocab() const { return vocab_; }
    int64_t size() const { return vocab_.size(); }
    const std::vector<Merge>& merges() const { return merges_; }

    /// Ids (i32, [tokens]) and back (from any shape, in row-major order). A special's name in a
    /// text is encoded as any other text. decode throws Error for an id that is out of range.
    Tensor encode(std::string_view text) const;
    std::string decode(const Tensor& ids) const;

    /// The bytes of a token, perhaps a part of a character. Throws Error where the id is out of
    /// range.
    const std::string& bytes(int32_t id) const;
    /// The id of a special, or of any token by its bytes. Throws Error where there is none.
    int32_t id(std::string_view bytes) const;

private:
    /// Tokens in their spelling, by id; `source` is what errors name.
    Bpe(const std::vector<std::string>& tokens, std::vector<Merge> merges, std::string_view source);
    static Bpe from_files(const std::string& vocab, std::string_view vocab_name,
                          const std::string& merges, std::string_view merges_name);
    std::string vocab_file() const;
    std::string merges_file() const;
    std::vector<int32_t> encode_word(std::string_view word) const;
    int32_t joined(int32_t left, int32_t right) const;

    Vocab vocab_;
    std::vector<std::string> bytes_;     // by id
    std::array<int32_t, 256> byte_ids_;  // of single bytes
    std::vector<Merge> merges_;
    // What two neighbours become, by key_of; what was learned earlier has the lower id.
    std::unordered_map<uint64_t, int32_t> joined_;
};

}  // namespace gradus::data
