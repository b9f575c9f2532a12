// A probabilistic context-free grammar: sentences with structure, and their exact probabilities.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "autograd/random.h"

namespace gradus::data {

/// left -> right with probability p. Two names on the right are symbols that are rewritten in turn,
/// one is a word (Chomsky normal form).
struct Rule {
    std::string left;
    std::vector<std::string> right;
    double p;
};

/// Sentences that a grammar makes: from its start symbol, each symbol is rewritten by one of its
/// rules until only words are left. N symbols · V words · n length of a sentence.
///
///     const auto grammar = data::Pcfg::english();
///     const Tensor ids = grammar.sample(rng);            // i32 [n]
///     fmt::print("{}\n", grammar.text(ids));             // the dog near the cats sleeps
///     const double bayes = grammar.nats(ids) / (n + 1);  // a token, the end being one
class Pcfg {
public:
    /// The first rule's left side is the start symbol; words are numbered as they first appear.
    /// Throws Error where a rule is not in normal form, stands there twice or has no probability,
    /// those of a symbol do not sum to 1, or sentences would become endless: where a symbol makes one
    /// symbol or more on average (the largest eigenvalue of the matrix of means is 1 or above).
    explicit Pcfg(const std::vector<Rule>& rules);

    /// A little English: relative clauses, places, and verbs that agree with a noun far before them.
    static Pcfg english();

    int64_t symbols() const { return static_cast<int64_t>(names_.size()); }
    int64_t words() const { return static_cast<int64_t>(words_.size()); }
    const std::string& word(int32_t id) const;
    /// Throws Error where the grammar has no such word.
    int32_t id(const std::string& word) const;
    std::string text(const Tensor& ids) const;

    /// Words in a sentence, on average.
    double mean_length() const { return mean_length_; }

    /// A sentence, i32 [n]. Throws Error where it has more than `longest` words: grammars close to
    /// endless ones make such.
    Tensor sample(Rng& rng, int64_t longest = 10000) const;

    /// p(sentence), by the inside algorithm (Baker 1979), in O(n³). A sentence of some hundred words
    /// is less likely than a double can say, and comes out as 0: nats() has no such limit.
    double inside(const Tensor& ids) const;

    /// p(. | words before) at each place of a sentence and after it, [n + 1, V + 1] in f64; column V
    /// is the end of the sentence. By prefix probabilities (Jelinek and Lafferty 1991). Throws Error
    /// where no sentence begins with the ids.
    Tensor next(const Tensor& ids) const;

    /// -ln p of each word given those before it, and of the end, f64 [n + 1]; and their sum, which is
    /// -ln p(sentence). Infinite from the first token on that cannot follow.
    Tensor token_nats(const Tensor& ids) const;
    double nats(const Tensor& ids) const;

private:
    struct Binary {
        size_t first, second;
        double p;
    };
    struct Chart;

    void add_names(const std::vector<Rule>& rules);
    void add_rules(const std::vector<Rule>& rules);
    void solve_means();
    void complete(Chart& chart, size_t k, int32_t word, double scale) const;
    Tensor continuations(const Chart& chart, size_t k) const;
    Tensor read(const Tensor& ids) const;

    std::vector<std::string> names_, words_;        // of symbols; of words, by their ids
    std::unordered_map<std::string, int32_t> ids_;  // of words
    std::vector<std::vector<Binary>> binary_;       // each symbol's rules for two symbols
    Tensor emission_;                               // [N, V]: p(symbol -> word)
    Tensor left_corner_;  // [N, N]: 1 + P + P² + ..., where P(a, b) = p(a -> b anything)
    double mean_length_ = 0;
};

}  // namespace gradus::data
