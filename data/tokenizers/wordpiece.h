// WordPiece: BERT's tokenizer.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/vocab.h"

namespace gradus::data {

struct WordPieceOptions {
    int64_t size = 4096;    // of the vocabulary: specials, characters and merges together
    int64_t min_count = 2;  // rarer characters are unknown, rarer pairs are not merged
};

/// Text to ids, as BERT does it: words (bert_words), each cut from left to right into the longest
/// pieces that there are. Pieces within a word begin with "##". A word that cannot be cut, or is
/// longer than 100 characters, is [UNK] as a whole.
///
///     const auto tokenizer = data::WordPiece::load(".data/bert-vocab");
///     tokenizer.encode("Unaffable!");                    // una ##ffa ##ble !
class WordPiece {
public:
    /// From texts: [PAD] [UNK] [CLS] [SEP] [MASK]; the characters that occur min_count times, in
    /// the order of their bytes, at the beginning of a word and then within; then pieces merged by
    /// learn_merges, as Hugging Face's trainer does it. (Schuster and Nakajima 2012, whose idea
    /// WordPiece is, merge what makes the text likelier.) There are fewer than `size` where no pair
    /// occurs min_count times any more. Throws Error where `size` has no room for specials and
    /// characters, or no character occurs often enough.
    static WordPiece train(const std::vector<std::string_view>& texts,
                           const WordPieceOptions& options = {});

    /// From pieces by id; those of a checkpoint are WordPiece(Vocab::parse(...)). Throws Error
    /// where one of the five specials is missing.
    explicit WordPiece(Vocab vocab);

    /// From a file of one piece a line, in the order of ids (Hugging Face's vocab.txt), a folder
    /// that has one, or the folder of ./run data bert-vocab. Throws Error, with file and line,
    /// where a line is empty or repeats one before it, or a special is missing.
    static WordPiece load(const std::filesystem::path& path);
    /// Writes such a file, whole or not at all.
    void save(const std::filesystem::path& file) const;

    const Vocab& vocab() const { return vocab_; }
    int64_t size() const { return vocab_.size(); }

    int32_t pad() const { return pad_; }    // [PAD]: fills up
    int32_t unk() const { return unk_; }    // [UNK]: the unknown
    int32_t cls() const { return cls_; }    // [CLS]: before a text; stands for the whole of it
    int32_t sep() const { return sep_; }    // [SEP]: after each text
    int32_t mask() const { return mask_; }  // [MASK]: what is to be guessed

    /// Ids (i32, [pieces]) without specials: a special's name in a text is encoded as any other
    /// text. Throws Error where the text is not UTF-8.
    Tensor encode(std::string_view text) const;
    /// Words with spaces between them: capitals, accents and the white space are lost. Throws Error
    /// for an id that is out of range.
    std::string decode(const Tensor& ids) const;

private:
    std::vector<int32_t> pieces(std::string_view word) const;

    Vocab vocab_;
    int32_t pad_, unk_, cls_, sep_, mask_;
};

}  // namespace gradus::data
