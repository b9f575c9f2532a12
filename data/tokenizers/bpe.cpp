#include "data/tokenizers/bpe.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>

#include "autograd/error.h"
#include "data/tokenizers/byte_alphabet.h"
#include "data/tokenizers/gpt2_words.h"

namespace gradus::data {
namespace {

constexpr int32_t kNone = -1;

bool spelled_as_special(std::string_view token) {
    const auto between = [&](char begin, char end) {
        return token.size() > 2 && token.front() == begin && token.back() == end;
    };
    return between('<', '>') || between('[', ']');
}

}  // namespace

Bpe::Bpe(const std::vector<std::string>& tokens, std::vector<Merge> merges, std::string_view source)
    : vocab_({}, {.first = tokens}), merges_(std::move(merges)) {
    byte_ids_.fill(kNone);
    for (const std::string& token : tokens) {
        const std::optional<std::string> bytes = unspelled(token);
        check(bytes.has_value(), source,
              "token {}, \"{}\", has a character that stands for no byte; give the vocabulary of a "
              "byte-level BPE",
              bytes_.size(), token);
        if (bytes->size() == 1)
            byte_ids_[static_cast<uint8_t>(bytes->front())] = static_cast<int32_t>(bytes_.size());
        bytes_.push_back(*bytes);
    }
    for (size_t byte = 0; byte < 256; ++byte)
        check(byte_ids_[byte] != kNone, source,
              "has no token for byte {:#04x}; all 256 bytes expected", byte);

    std::vector<bool> made(tokens.size());
    for (const Merge& merge : merges_) {
        const int32_t id = this->id(bytes(merge.left) + bytes(merge.right));
        joined_[key_of(merge.left, merge.right)] = id;
        made[static_cast<size_t>(id)] = true;
    }
    for (size_t id = 0; id < tokens.size(); ++id)
        check(made[id] || bytes_[id].size() == 1 || spelled_as_special(tokens[id]), source,
              "token {}, \"{}\", is made by no merge, and a special token is spelled <...> or "
              "[...]; are all merges there?",
              id, tokens[id]);
}

Bpe Bpe::train(const std::vector<std::string_view>& texts, const BpeOptions& options) {
    std::vector<std::string> tokens;
    std::array<int32_t, 256> id_of_byte;
    for (const unsigned char byte : byte_alphabet()) {
        id_of_byte[byte] = static_cast<int32_t>(tokens.size());
        tokens.push_back(spelled({reinterpret_cast<const char*>(&byte), 1}));
    }
    const auto specials = static_cast<int64_t>(options.specials.size());
    const int64_t bytes = static_cast<int64_t>(tokens.size()),
                  room = options.size - bytes - specials;
    check(room >= 0, "bpe", "a vocabulary of {} asked; at least {} bytes and {} specials expected",
          options.size, bytes, specials);
    check(options.min_count >= 1, "bpe", "min_count is {}; at least 1 expected", options.min_count);

    std::unordered_map<std::string_view, int64_t> counts;
    for (const std::string_view text : texts)
        for (const std::string_view word : gpt2_words(text)) ++counts[word];
    std::vector<CountedWord> words;
    for (const auto& [word, count] : counts) {
        words.push_back({{}, count});
        for (const char byte : word)
            words.back().tokens.push_back(id_of_byte[static_cast<uint8_t>(byte)]);
    }
    std::vector<Merge> merges =
        learn_merges(std::move(words), static_cast<int32_t>(bytes), room, options.min_count);
    for (const Merge& merge : merges)
        tokens.push_back(tokens[static_cast<size_t>(merge.left)] +
                         tokens[static_cast<size_t>(merge.right)]);
    for (const std::string& special : options.specials) {
        check(spelled_as_special(special), "bpe",
              "the special token \"{}\" is spelled like a text's; <...> or [...] expected",
              special);
        tokens.push_back(spelled(special));
    }
    return Bpe(tokens, std::move(merges), "bpe");
}

int32_t Bpe::joined(int32_t left, int32_t right) const {
    const auto found = joined_.find(key_of(left, right));
    return found == joined_.end() ? kNone : found->second;
}

// Ids rise with the order in which merges were learned, so the lowest that can be made is next; of
// several places the leftmost. A join that is waiting may find its neighbours changed.
std::vector<int32_t> Bpe::encode_word(std::string_view word) const {
    struct Join {
        int32_t id;
        size_t left;
        bool operator>(const Join& other) const {
            return id != other.id ? id > other.id : left > other.left;
        }
    };
    const size_t n = word.size();
    std::vector<int32_t> tokens(n);
    std::vector<size_t> before(n), after(n);  // the neighbours that are left; n at the end
    for (size_t i = 0; i < n; ++i) {
        tokens[i] = byte_ids_[static_cast<uint8_t>(word[i])];
        before[i] = i - 1;
        after[i] = i + 1;
    }
    const auto join_at = [&](size_t left) {
        return after[left] == n ? kNone : joined(tokens[left], tokens[after[left]]);
    };
    std::priority_queue<Join, std::vector<Join>, std::greater<>> queue;
    const auto consider = [&](size_t left) {
        if (const int32_t id = join_at(left); id != kNone) queue.push({id, left});
    };
    for (size_t i = 0; i < n; ++i) consider(i);
    while (!queue.empty()) {
        const auto [id, left] = queue.top();
        queue.pop();
        if (tokens[left] == kNone || join_at(left) != id) continue;
        const size_t right = after[left];
        tokens[left] = id;
        tokens[right] = kNone;
        after[left] = after[right];
        if (after[left] < n) before[after[left]] = left;
        consider(left);
        if (left > 0) consider(before[left]);
    }
    std::erase(tokens, kNone);
    return tokens;
}

Tensor Bpe::encode(std::string_view text) const {
    std::unordered_map<std::string_view, std::vector<int32_t>> known;
    std::vector<int32_t> ids;
    for (const std::string_view word : gpt2_words(text)) {
        const auto [entry, is_new] = known.try_emplace(word);
        if (is_new) entry->second = encode_word(word);
        ids.insert(ids.end(), entry->second.begin(), entry->second.end());
    }
    return Tensor::from<int32_t>(ids);
}

std::string Bpe::decode(const Tensor& ids) const {
    std::string text;
    for (const int32_t id : ids.values<int32_t>()) text += bytes(id);
    return text;
}

const std::string& Bpe::bytes(int32_t id) const {
    check(0 <= id && id < size(), "bpe", "there is no token {}; 0 ... {} expected", id, size() - 1);
    return bytes_[static_cast<size_t>(id)];
}

int32_t Bpe::id(std::string_view bytes) const { return vocab_.id(spelled(bytes)); }

}  // namespace gradus::data
