#include "data/text/vocab.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

using Json = nlohmann::json;

// In quotes, with \n for the end of a line, as a message shows it.
std::string in_quotes(std::string_view token) {
    return Json(token).dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Count {
    std::string_view token;
    int64_t count;
};

// By falling count, equal counts in the order of their bytes.
std::vector<Count> count_tokens(const std::vector<std::string_view>& tokens) {
    std::unordered_map<std::string_view, int64_t> counts;
    for (std::string_view token : tokens) ++counts[token];
    std::vector<Count> sorted;
    sorted.reserve(counts.size());
    for (const auto& [token, count] : counts) sorted.push_back({token, count});
    std::sort(sorted.begin(), sorted.end(), [](const Count& a, const Count& b) {
        return a.count != b.count ? a.count > b.count : a.token < b.token;
    });
    return sorted;
}

}  // namespace

Vocab::Vocab(const std::vector<std::string_view>& tokens, const Options& options) {
    for (const std::string& token : options.first) add(token);
    if (options.unknown)
        unknown_ = contains(*options.unknown) ? id(*options.unknown) : add(*options.unknown);
    check(!options.max_size || *options.max_size >= size(), "vocab",
          "max_size is {}, and there are {} first tokens, the unknown included; allow more",
          options.max_size.value_or(0), size());

    bool any_kept = tokens.empty() && !options.first.empty();
    for (const auto& [token, count] : count_tokens(tokens)) {
        if (count < options.min_count) break;
        if (!contains(token)) {
            if (options.max_size && size() == *options.max_size) break;
            add(std::string(token));
        }
        any_kept = any_kept || !unknown_ || id(token) != *unknown_;
    }
    check(any_kept, "vocab",
          "none of {} tokens is left with min_count {} and max_size {}; give more text, or allow "
          "rarer and more tokens",
          tokens.size(), options.min_count,
          options.max_size ? std::to_string(*options.max_size) : "not set");
}

int32_t Vocab::add(std::string token) {
    check_utf8("vocab: token " + in_quotes(token), token);
    const auto id = static_cast<int32_t>(tokens_.size());
    const bool is_new = ids_.emplace(token, id).second;
    check(is_new, "vocab", "{} stands twice among its tokens; name each once", in_quotes(token));
    tokens_.push_back(std::move(token));
    return id;
}

int32_t Vocab::id(std::string_view token) const {
    if (const auto found = ids_.find(token); found != ids_.end()) return found->second;
    check(unknown_.has_value(), "vocab",
          "{} is none of its {} tokens, and none stands for the unknown; build it from a text that "
          "has it, or with .unknown = \"<unk>\"",
          in_quotes(token), size());
    return *unknown_;
}

bool Vocab::contains(std::string_view token) const { return ids_.find(token) != ids_.end(); }

const std::string& Vocab::token(int32_t id) const {
    check(0 <= id && id < size(), "vocab", "there is no token {}; 0 ... {} expected", id,
          size() - 1);
    return tokens_[static_cast<size_t>(id)];
}

Tensor Vocab::encode(const std::vector<std::string_view>& tokens) const {
    Tensor ids = Tensor::empty({static_cast<int64_t>(tokens.size())}, Dtype::i32);
    std::transform(tokens.begin(), tokens.end(), ids.data<int32_t>(),
                   [&](std::string_view token) { return id(token); });
    return ids;
}

std::string Vocab::decode(const Tensor& ids, std::string_view joint) const {
    std::string text;
    bool joined = false;  // does a joint go before the next token, unless that is "\n"?
    for (int32_t id : ids.values<int32_t>()) {
        const std::string& part = token(id);
        if (joined && part != "\n") text += joint;
        text += part;
        joined = part != "\n";
    }
    return text;
}

std::string Vocab::to_string() const {
    Json json{{"tokens", tokens_}};
    if (unknown_) json["unknown"] = *unknown_;
    return json.dump();
}

Vocab Vocab::parse(const std::string& text) {
    const Json json = Json::parse(text, nullptr, false);
    const auto is_string = [](const Json& token) { return token.is_string(); };
    check(json.is_object() && json.contains("tokens") && json["tokens"].is_array() &&
              std::all_of(json["tokens"].begin(), json["tokens"].end(), is_string),
          "vocab",
          "found {} where a vocabulary's {{\"tokens\": [\"...\"]}} is expected; take a checkpoint "
          "that was saved with one",
          in_quotes(text.substr(0, 40)));
    Vocab vocab;
    for (const Json& token : json["tokens"]) vocab.add(token.get<std::string>());
    check(vocab.size() > 0, "vocab", "has no tokens; take a checkpoint that was saved with some");
    if (json.contains("unknown")) {
        const Json& unknown = json["unknown"];
        check(unknown.is_number_unsigned() && unknown < vocab.size(), "vocab",
              "its unknown token is {}; an id 0 ... {} expected", unknown.dump(), vocab.size() - 1);
        vocab.unknown_ = unknown.get<int32_t>();
    }
    return vocab;
}

void Vocab::check_same(std::string_view what, const Vocab& other) const {
    const auto shown = [](const Vocab& vocab, size_t id) {
        return id < vocab.tokens_.size() ? in_quotes(vocab.tokens_[id]) : "missing";
    };
    const auto [here, there] =
        std::mismatch(tokens_.begin(), tokens_.end(), other.tokens_.begin(), other.tokens_.end());
    const auto first = static_cast<size_t>(here - tokens_.begin());
    constexpr std::string_view kRemedy =
        "go on with the text and the options of that training, or train anew";
    check(here == tokens_.end() && there == other.tokens_.end(), what,
          "its vocabulary has {} tokens, the one here {}; the first difference is token {}: {} "
          "there, {} here; {}",
          other.size(), size(), first, shown(other, first), shown(*this, first), kRemedy);
    const auto name = [](const Vocab& vocab) {
        return vocab.unknown_ ? in_quotes(vocab.token(*vocab.unknown_)) : "nothing";
    };
    check(unknown_ == other.unknown_, what,
          "in its vocabulary {} stands for the unknown, in the one here {}; {}", name(other),
          name(*this), kRemedy);
}

}  // namespace gradus::data
