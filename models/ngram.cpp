// All n-grams of all orders lie in one tree: the child of the node of h by w is the node of hw, which
// is also the context h of the next token. So counting and scoring a token take one step a order, from
// the nodes of the last 0, 1, ... order - 1 tokens. A node counts itself as a gram, and its children as
// a context; both are kept up to date while counting, so that nothing has to be prepared for reading.
#include "models/ngram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "autograd/error.h"

namespace gradus::models {

namespace {

constexpr int kMaxOrder = 6;
constexpr uint32_t kNone = 0;   // in the hash table: empty; the root is nobody's child
constexpr uint32_t kRoot = 0;   // the empty context
constexpr uint32_t kBegin = 1;  // the mark before a document's first token

struct Node {
    uint32_t parent;
    int32_t token;
    bool begins;                             // with the mark
    uint32_t count = 0;                      // c(hw) of this gram, as its smoothing counts
    uint32_t total = 0;                      // Σ_w c(hw) of this context
    std::array<uint32_t, 3> types{0, 0, 0};  // the w with c(hw) of 1, 2, 3 or more
};

// The nodes of the last 0, 1, ... tokens that are in the tree: if one is not, no longer one is.
struct History {
    std::array<uint32_t, kMaxOrder> node{kRoot};
    int found = 1;   // nodes
    int length = 0;  // of the longest context that this position has, found or not
};

// The grams that a token makes with each of them.
using Grams = std::array<uint32_t, kMaxOrder>;

// Counts of 1, 2, and 3 or more are told apart.
size_t bucket(uint32_t count) { return std::min<size_t>(count, 3) - 1; }

}  // namespace

struct Ngram::Counts {
    explicit Counts(const NgramOptions& o) : options(o) {
        nodes.push_back({.parent = kNone, .token = -1, .begins = false});
        nodes.push_back({.parent = kNone, .token = -1, .begins = true});
        discounts.fill({0.5, 1, 1.5});
    }

    // ---- the tree: an open hash table of nodes, which hold their own keys ----

    // Where in the table the gram is, or would go.
    size_t place(uint32_t parent, int32_t token) const {
        const size_t mask = slots.size() - 1;
        size_t i = hash(parent, token) & mask;
        while (slots[i] != kNone &&
               (nodes[slots[i]].parent != parent || nodes[slots[i]].token != token))
            i = (i + 1) & mask;
        return i;
    }
    uint32_t find(uint32_t parent, int32_t token) const { return slots[place(parent, token)]; }
    static size_t hash(uint32_t parent, int32_t token) {
        const uint64_t key = uint64_t{parent} << 32 | static_cast<uint32_t>(token);
        return static_cast<size_t>(Rng::at(key, 0));
    }
    void grow() {
        slots.assign(2 * slots.size(), kNone);
        for (uint32_t i = kBegin + 1; i < nodes.size(); ++i)
            slots[place(nodes[i].parent, nodes[i].token)] = i;
    }

    // ---- counting ----

    // One more for the gram `at` of `order` tokens.
    void increase(uint32_t at, int order) {
        const uint32_t now = ++nodes[at].count;
        Node& context = nodes[nodes[at].parent];
        ++context.total;
        ++context.types[bucket(now)];
        if (now > 1) --context.types[bucket(now - 1)];
        auto& n = times[static_cast<size_t>(order)];
        if (now < n.size()) ++n[now];
        if (now > 1 && now - 1 < n.size()) --n[now - 1];
    }

    // Kneser and Ney count the tokens that stood before a gram, where any can.
    bool counts_itself(const Node& gram, int order) const {
        return options.smoothing != Smoothing::kneser_ney || order == options.order || gram.begins;
    }

    void count(History& history, int32_t token) {
        History next;
        next.length = std::min(history.length + 1, options.order - 1);
        for (int k = 0; k < history.found; ++k) {
            const uint32_t context = history.node[static_cast<size_t>(k)];
            uint32_t gram = find(context, token);
            if (gram == kNone) {
                if (2 * nodes.size() >= slots.size()) grow();
                gram = static_cast<uint32_t>(nodes.size());
                slots[place(context, token)] = gram;
                nodes.push_back({context, token, nodes[context].begins});
                const uint32_t shorter = next.node[static_cast<size_t>(k)];  // without the oldest
                if (k > 0 && !counts_itself(nodes[shorter], k)) increase(shorter, k);
            }
            if (counts_itself(nodes[gram], k + 1)) increase(gram, k + 1);
            // A gram of the full order is no context any more.
            if (k + 1 < options.order) next.node[static_cast<size_t>(next.found++)] = gram;
        }
        history = next;
    }

    void set_discounts() {
        for (size_t order = 1; order < times.size(); ++order) {
            const auto n = [&](size_t i) { return static_cast<double>(times[order][i]); };
            const double y = n(1) / (n(1) + 2 * n(2));
            std::array<double, 3> d{};
            bool fit = true;
            for (size_t i = 1; i <= 3; ++i) {
                const double x = static_cast<double>(i);
                d[i - 1] = x - (x + 1) * y * n(i + 1) / n(i);
                fit = fit && d[i - 1] > 0 && d[i - 1] <= x;  // not if it is no number
            }
            discounts[order] = fit ? d : std::array{0.5, 1.0, 1.5};
        }
    }

    // ---- reading ----

    // Before a document's first token.
    History beginning() const {
        History history;
        if (options.order > 1) {
            history.node[1] = kBegin;
            history.found = 2;
            history.length = 1;
        }
        return history;
    }

    // The grams of a token after each context: once one is not in the tree, no longer one is.
    Grams grams(const History& history, int32_t token) const {
        Grams found{};
        for (size_t k = 0; k < static_cast<size_t>(history.found); ++k)
            if ((found[k] = find(history.node[k], token)) == kNone) break;
        return found;
    }

    void advance(History& history, const Grams& grams) const {
        History next;
        next.length = std::min(history.length + 1, options.order - 1);
        for (size_t k = 0; k + 1 < static_cast<size_t>(options.order) && grams[k] != kNone; ++k)
            next.node[static_cast<size_t>(next.found++)] = grams[k];
        history = next;
    }

    History after(std::span<const int32_t> context) const {
        const size_t reach = static_cast<size_t>(options.order - 1);
        const size_t from = context.size() < reach ? 0 : context.size() - reach;
        History history = context.size() < reach ? beginning() : History{};
        for (size_t i = from; i < context.size(); ++i) {
            check_id(context[i], i);
            advance(history, grams(history, context[i]));
        }
        return history;
    }

    uint32_t count_of(uint32_t gram) const { return gram == kNone ? 0 : nodes[gram].count; }

    // p(token | a context) from p' for the context that is one shorter; `gram` is both together.
    double interpolate(const Node& context, uint32_t gram, size_t order, double shorter) const {
        if (context.total == 0) return shorter;
        const auto& t = context.types;
        const uint32_t c = count_of(gram);
        const double total = context.total;
        if (options.smoothing == Smoothing::witten_bell) {
            const double types = t[0] + t[1] + t[2];
            return (c + types * shorter) / (total + types);
        }
        const auto& d = discounts[order];
        const double free = d[0] * t[0] + d[1] * t[1] + d[2] * t[2];
        return ((c > 0 ? c - d[bucket(c)] : 0) + free * shorter) / total;
    }

    double probability(const History& history, const Grams& grams) const {
        const double vocab = static_cast<double>(options.vocab);
        if (options.smoothing == Smoothing::add_alpha) {
            const auto longest = static_cast<size_t>(history.length);
            if (history.found <= history.length) return 1 / vocab;
            return (count_of(grams[longest]) + options.alpha) /
                   (nodes[history.node[longest]].total + options.alpha * vocab);
        }
        double p = 1 / vocab;
        for (size_t k = 0; k < static_cast<size_t>(history.found); ++k)
            p = interpolate(nodes[history.node[k]], grams[k], k + 1, p);
        return p;
    }
    double probability(const History& history, int32_t token) const {
        return probability(history, grams(history, token));
    }

    std::vector<double> distribution(const History& history) const {
        std::vector<double> p(static_cast<size_t>(options.vocab));
        for (size_t w = 0; w < p.size(); ++w) p[w] = probability(history, static_cast<int32_t>(w));
        return p;
    }

    void check_id(int32_t id, size_t position) const {
        check(id >= 0 && id < options.vocab, "ngram",
              "id {} at position {} is outside the vocabulary: 0 ... {} expected. Encode the text "
              "with the vocabulary that the model was made for",
              id, position, options.vocab - 1);
    }

    NgramOptions options;
    std::vector<Node> nodes;
    std::vector<uint32_t> slots = std::vector<uint32_t>(1024, kNone);  // a power of 2
    std::array<std::array<uint32_t, 5>, kMaxOrder + 1> times{};    // [order][i]: n_i, i = 1 ... 4
    std::array<std::array<double, 3>, kMaxOrder + 1> discounts{};  // [order]: D(1), D(2), D(3+)
    size_t tokens = 0;
};

namespace {

void check_alpha(double alpha) {
    check(alpha > 0 && std::isfinite(alpha), "ngram",
          "alpha {}: a positive number expected; without it, what was never seen is impossible",
          alpha);
}

}  // namespace

Ngram::Ngram(const NgramOptions& options) : options_(options) {
    check(options.order >= 1 && options.order <= kMaxOrder, "ngram", "order {}: 1 ... {} expected",
          options.order, kMaxOrder);
    check(options.vocab >= 1 && options.vocab <= std::numeric_limits<int32_t>::max(), "ngram",
          "a vocabulary of {} tokens: at least 1 expected, at most what an i32 id can name",
          options.vocab);
    check_alpha(options.alpha);
    counts_ = std::make_unique<Counts>(options);
}

Ngram::~Ngram() = default;
Ngram::Ngram(Ngram&& other) noexcept = default;
Ngram& Ngram::operator=(Ngram&& other) noexcept = default;

void Ngram::add(std::span<const int32_t> document) {
    for (size_t i = 0; i < document.size(); ++i) counts_->check_id(document[i], i);
    const size_t tokens = counts_->tokens + document.size();
    check(tokens < std::numeric_limits<uint32_t>::max() / kMaxOrder, "ngram",
          "{} tokens are more than its 32-bit counts can hold; count a part of the text", tokens);
    counts_->tokens = tokens;
    History history = counts_->beginning();
    for (const int32_t token : document) counts_->count(history, token);
    counts_->set_discounts();
}

double Ngram::probability(std::span<const int32_t> context, int32_t token) const {
    counts_->check_id(token, context.size());
    return counts_->probability(counts_->after(context), token);
}

std::vector<double> Ngram::distribution(std::span<const int32_t> context) const {
    return counts_->distribution(counts_->after(context));
}

double Ngram::nats(std::span<const int32_t> document, size_t first) const {
    check(first <= document.size(), "ngram", "first token {} of a document of {}", first,
          document.size());
    History history = counts_->after(document.first(first));
    double sum = 0;
    for (size_t i = first; i < document.size(); ++i) {
        counts_->check_id(document[i], i);
        const Grams grams = counts_->grams(history, document[i]);
        sum -= std::log(counts_->probability(history, grams));
        counts_->advance(history, grams);
    }
    return sum;
}

std::vector<int32_t> Ngram::sample(std::span<const int32_t> context, int64_t count,
                                   Rng& rng) const {
    check(count >= 0, "ngram", "{} tokens asked for; a number that is not negative expected",
          count);
    History history = counts_->after(context);
    std::vector<int32_t> drawn;
    for (int64_t i = 0; i < count; ++i) {
        const std::vector<double> p = counts_->distribution(history);
        double left = rng.uniform();
        size_t token = 0;
        while (token + 1 < p.size() && left >= p[token]) left -= p[token++];
        drawn.push_back(static_cast<int32_t>(token));
        counts_->advance(history, counts_->grams(history, drawn.back()));
    }
    return drawn;
}

void Ngram::set_alpha(double alpha) {
    check_alpha(alpha);
    options_.alpha = counts_->options.alpha = alpha;
}

int64_t Ngram::count(std::span<const int32_t> context, int32_t token) const {
    counts_->check_id(token, context.size());
    const History history = counts_->after(context);
    const auto longest = static_cast<size_t>(history.length);
    return counts_->count_of(counts_->grams(history, token)[longest]);
}

int64_t Ngram::size() const { return static_cast<int64_t>(counts_->nodes.size()) - kBegin - 1; }

}  // namespace gradus::models
