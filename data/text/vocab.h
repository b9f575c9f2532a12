// A vocabulary: which tokens there are, and their ids.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "autograd/tensor.h"

namespace gradus::data {

struct VocabOptions {
    int64_t min_count = 1;              // rarer tokens are unknown
    std::optional<int64_t> max_size{};  // the most frequent ones, `first` and the unknown included
    std::optional<std::string> unknown{};  // the token that stands for all others: "<unk>"
    std::vector<std::string> first{};      // tokens with the first ids, whether they occur or not
};

/// Tokens, UTF-8, with ids 0 ... size - 1: those given as `first`, then the unknown token where there
/// is one, then the rest by falling count, equal counts in the order of their bytes. So the same
/// texts, in any order, give the same vocabulary.
class Vocab {
public:
    using Options = VocabOptions;

    /// From the tokens of a training text. Throws Error where the options leave none of them an id
    /// of its own, or where there are neither tokens nor `first` ones.
    explicit Vocab(const std::vector<std::string_view>& tokens, const Options& options = {});

    int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
    /// The id of a token; of one that is not here the unknown token's, or an Error that names it.
    int32_t id(std::string_view token) const;
    bool contains(std::string_view token) const;
    /// The token of an id. Throws Error where it is out of range.
    const std::string& token(int32_t id) const;
    std::optional<int32_t> unknown() const { return unknown_; }

    /// Ids (i32, [tokens]) and back (from any shape, in row-major order); `joint` stands between the tokens: "" for characters, " " for
    /// words (none goes before or after "\n").
    Tensor encode(const std::vector<std::string_view>& tokens) const;
    std::string decode(const Tensor& ids, std::string_view joint = "") const;

    /// One string and back, for a checkpoint's notes. parse throws Error where it is none.
    std::string to_string() const;
    static Vocab parse(const std::string& text);

    /// Throws Error, naming the first difference and the remedy, unless `other` (of a checkpoint)
    /// has the same tokens under the same ids.
    void check_same(std::string_view what, const Vocab& other) const;

private:
    // Finds a std::string by a view, without a copy.
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    Vocab() = default;
    int32_t add(std::string token);

    std::vector<std::string> tokens_;
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
    std::optional<int32_t> unknown_;
};

}  // namespace gradus::data
