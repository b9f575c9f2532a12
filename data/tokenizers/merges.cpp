#include "data/tokenizers/merges.h"

#include <cstddef>
#include <optional>
#include <queue>
#include <unordered_map>

namespace gradus::data {
namespace {

struct Neighbours {
    int64_t count = 0;
    std::vector<size_t> words;  // that have it, or had it before another merge
};

struct Candidate {
    int64_t count;
    uint64_t key;
    bool operator<(const Candidate& other) const {
        return count != other.count ? count < other.count : key > other.key;
    }
};

class Learner {
public:
    explicit Learner(std::vector<CountedWord> words) : words_(std::move(words)) {
        for (size_t w = 0; w < words_.size(); ++w) {
            const std::vector<int32_t>& tokens = words_[w].tokens;
            for (size_t i = 1; i < tokens.size(); ++i) add(key_of(tokens[i - 1], tokens[i]), w);
        }
        for (const auto& [key, pair] : pairs_) best_.push({pair.count, key});
    }

    // The most frequent pair; nothing where none occurs `min_count` times. Counts in the queue may
    // be too high, as those of pairs fall without a word to it: such a pair is put back.
    std::optional<uint64_t> pop(int64_t min_count) {
        while (!best_.empty()) {
            const auto [count, key] = best_.top();
            best_.pop();
            const int64_t now = pairs_.at(key).count;
            if (now == count) return now >= min_count ? std::optional(key) : std::nullopt;
            best_.push({now, key});
        }
        return std::nullopt;
    }

    void merge(uint64_t key, int32_t id) {
        const std::vector<size_t> with_pair = std::move(pairs_.at(key).words);
        pairs_.erase(key);
        merged_.clear();
        for (const size_t w : with_pair) merge_in(w, key, id);
        // Only pairs with the new token have become more frequent.
        for (const uint64_t pair : merged_) best_.push({pairs_.at(pair).count, pair});
    }

private:
    void add(uint64_t key, size_t word) {
        Neighbours& pair = pairs_[key];
        pair.count += words_[word].count;
        if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
    }

    void add_new(uint64_t key, size_t word) {
        if (!pairs_.count(key)) merged_.push_back(key);
        add(key, word);
    }

    // The merged pair itself is no longer among the pairs.
    void remove(uint64_t key, size_t word) {
        if (const auto found = pairs_.find(key); found != pairs_.end())
            found->second.count -= words_[word].count;
    }

    void merge_in(size_t word, uint64_t key, int32_t id) {
        std::vector<int32_t>& tokens = words_[word].tokens;
        size_t end = 0;  // of what is done
        for (size_t i = 0; i < tokens.size(); ++i, ++end) {
            tokens[end] = tokens[i];
            if (i + 1 == tokens.size() || key_of(tokens[i], tokens[i + 1]) != key) continue;
            if (end > 0) {
                remove(key_of(tokens[end - 1], tokens[i]), word);
                add_new(key_of(tokens[end - 1], id), word);
            }
            if (i + 2 < tokens.size()) {
                remove(key_of(tokens[i + 1], tokens[i + 2]), word);
                add_new(key_of(id, tokens[i + 2]), word);
            }
            tokens[end] = id;
            ++i;
        }
        tokens.resize(end);
    }

    std::vector<CountedWord> words_;
    std::unordered_map<uint64_t, Neighbours> pairs_;
    std::priority_queue<Candidate> best_;
    std::vector<uint64_t> merged_;  // the pairs that the merge at work has made
};

}  // namespace

std::vector<Merge> learn_merges(std::vector<CountedWord> words, int32_t first_id, int64_t most,
                                int64_t min_count) {
    Learner learner(std::move(words));
    std::vector<Merge> merges;
    while (static_cast<int64_t>(merges.size()) < most) {
        const std::optional<uint64_t> key = learner.pop(min_count);
        if (!key) break;
        learner.merge(*key, first_id + static_cast<int32_t>(merges.size()));
        merges.push_back({static_cast<int32_t>(*key >> 32), static_cast<int32_t>(*key)});
    }
    return merges;
}

}  // namespace gradus::data
