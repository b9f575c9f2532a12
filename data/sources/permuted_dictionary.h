// A translation that is known: word by word, in another order.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "autograd/random.h"
#include "data/pairs/pairs.h"

namespace gradus::data {

struct PermutedDictionaryOptions {
    int64_t words = 64;  // of each language; at least `longest`, at most 512
    int64_t shortest = 3, longest = 12;
    uint64_t seed = 0;  // of the dictionary
};

/// Sentences of made-up words, and their translation into made-up words of another language: each
/// word has one translation, and the first word of a sentence says in which order the words of the
/// translation stand: as they are, backwards, neighbours swapped, or the second half first. No word
/// is in a sentence twice, so that each word of the translation comes from one place.
///
///     const data::PermutedDictionary language({.seed = 1});
///     const data::Pair pair = language.sample(rng);      // "bado kile meno" -> "sifu trava zowe"
///     language.alignment(pair.source);                   // 2 1 0: backwards
class PermutedDictionary {
public:
    enum class Order { forwards, backwards, neighbours_swapped, second_half_first };
    static constexpr int64_t kOrders = 4;

    /// Throws Error where a sentence could not have that many different words.
    explicit PermutedDictionary(const PermutedDictionaryOptions& options = {});

    /// Every length is equally likely, then every choice of words.
    Pair sample(Rng& rng) const;
    std::vector<Pair> sample(Rng& rng, int64_t count) const;

    /// The one right translation. Throws Error where the dictionary lacks a word.
    std::string solution(std::string_view source) const;
    /// For each word of the translation the place of the word it comes from.
    std::vector<int32_t> alignment(std::string_view source) const;

    /// The places of n words in an order, and the order that a first word asks for.
    static std::vector<int32_t> places(Order order, int64_t n);
    Order order_of(const std::string& first_word) const;

    const std::vector<std::string>& source_words() const { return source_words_; }
    const std::string& translation(const std::string& word) const;

private:
    size_t number(const std::string& word) const;

    PermutedDictionaryOptions options_;
    std::vector<std::string> source_words_, target_words_;  // with the same number: translations
    std::unordered_map<std::string, size_t> numbers_;       // of the source words
};

}  // namespace gradus::data
