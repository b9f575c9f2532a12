#include "data/sources/permuted_dictionary.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "autograd/error.h"
#include "data/pairs/tokens.h"

namespace gradus::data {
namespace {

// Different words of two syllables, each a consonant and a vowel.
std::vector<std::string> make_words(int64_t count, std::string_view consonants, Rng& rng) {
    constexpr std::string_view kVowels = "aeiou";
    const auto letter = [&](std::string_view letters) {
        return letters[static_cast<size_t>(rng.below(static_cast<int64_t>(letters.size())))];
    };
    std::vector<std::string> words;
    std::unordered_set<std::string> seen;
    while (static_cast<int64_t>(words.size()) < count) {
        std::string word;
        for (int syllable = 0; syllable < 2; ++syllable)
            (word += letter(consonants)) += letter(kVowels);
        if (seen.insert(word).second) words.push_back(word);
    }
    return words;
}

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

PermutedDictionary::PermutedDictionary(const PermutedDictionaryOptions& options)
    : options_(options) {
    constexpr int64_t kMostWords = 512;  // of the 1,600 that two syllables make
    check(1 <= options.shortest && options.shortest <= options.longest, "permuted dictionary",
          "sentences of {} to {} words; from 1 or more to as many or more expected",
          options.shortest, options.longest);
    check(options.longest <= options.words && options.words <= kMostWords, "permuted dictionary",
          "{} words; at least as many as in the longest sentence, {}, and at most {} expected",
          options.words, options.longest, kMostWords);
    Rng rng(options.seed);
    source_words_ = make_words(options.words, "bdgklmnp", rng);
    target_words_ = make_words(options.words, "cfhrstvz", rng);
    for (size_t i = 0; i < source_words_.size(); ++i) numbers_[source_words_[i]] = i;
}

Pair PermutedDictionary::sample(Rng& rng) const {
    const int64_t n = options_.shortest + rng.below(options_.longest - options_.shortest + 1);
    const Tensor drawn = rng.permutation(options_.words);
    std::vector<std::string> words;
    for (int64_t i = 0; i < n; ++i)
        words.push_back(source_words_[static_cast<size_t>(drawn.data<int32_t>()[i])]);
    const std::string source = joined(words);
    return {source, solution(source)};
}

std::vector<Pair> PermutedDictionary::sample(Rng& rng, int64_t count) const {
    std::vector<Pair> pairs;
    for (int64_t i = 0; i < count; ++i) pairs.push_back(sample(rng));
    return pairs;
}

std::string PermutedDictionary::solution(std::string_view source) const {
    const std::vector<std::string> words = space_tokens(source);
    std::vector<std::string> translated;
    for (const int32_t place : alignment(source))
        translated.push_back(translation(words[static_cast<size_t>(place)]));
    return joined(translated);
}

std::vector<int32_t> PermutedDictionary::alignment(std::string_view source) const {
    const std::vector<std::string> words = space_tokens(source);
    check(!words.empty(), "permuted dictionary", "the sentence is empty; a word or more expected");
    return places(order_of(words.front()), static_cast<int64_t>(words.size()));
}

std::vector<int32_t> PermutedDictionary::places(Order order, int64_t n) {
    std::vector<int32_t> places(static_cast<size_t>(n));
    std::iota(places.begin(), places.end(), 0);
    switch (order) {
        case Order::forwards:
            break;
        case Order::backwards:
            std::reverse(places.begin(), places.end());
            break;
        case Order::neighbours_swapped:
            for (size_t i = 1; i < places.size(); i += 2) std::swap(places[i - 1], places[i]);
            break;
        case Order::second_half_first:  // of five words the third and those after it
            std::rotate(places.begin(), places.begin() + n / 2, places.end());
            break;
    }
    return places;
}

PermutedDictionary::Order PermutedDictionary::order_of(const std::string& first_word) const {
    return static_cast<Order>(number(first_word) % kOrders);
}

const std::string& PermutedDictionary::translation(const std::string& word) const {
    return target_words_[number(word)];
}

size_t PermutedDictionary::number(const std::string& word) const {
    const auto found = numbers_.find(word);
    check(found != numbers_.end(), "permuted dictionary",
          "has no word \"{}\"; one of its {} expected, such as \"{}\"", word, source_words_.size(),
          source_words_.front());
    return found->second;
}

}  // namespace gradus::data
