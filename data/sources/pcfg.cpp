#include "data/sources/pcfg.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "autograd/ops.h"
#include "data/sources/distribution.h"

namespace gradus::data {
namespace {

// 1 + M + M² + ..., or an undefined tensor where that has no end: where M's largest eigenvalue is 1
// or above. Each round doubles the number of terms.
Tensor closure(const Tensor& m) {
    const int64_t n = m.size(0);
    Tensor total = Tensor::zeros({n, n}, Dtype::f64), power = m;
    for (int64_t i = 0; i < n; ++i) total.set(i * n + i, 1);
    for (int round = 0; round < 40; ++round) {
        total = total + matmul(power, total);
        power = matmul(power, power);
        const double left = max(power).item();
        if (left < 1e-30) return total;
        if (!(left < 1e30)) break;
    }
    return {};
}

std::string shown(const Rule& rule) {
    return fmt::format("{} -> {}", rule.left, fmt::join(rule.right, " "));
}

size_t position(const std::vector<std::string>& names, const std::string& name) {
    return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

// Inside probabilities β(A, i, k): A makes exactly the words i ... k. Each is multiplied by the scales
// of these words, so that long sentences do not underflow.
struct Pcfg::Chart {
    Chart(size_t n, size_t symbols) : length(n), width(symbols), cells(n * n * symbols) {}
    double* at(size_t i, size_t k) { return cells.data() + (i * length + k) * width; }
    const double* at(size_t i, size_t k) const { return cells.data() + (i * length + k) * width; }

    size_t length, width;
    std::vector<double> cells;
};

Pcfg::Pcfg(const std::vector<Rule>& rules) {
    check(!rules.empty(), "pcfg", "no rules; at least one expected");
    add_names(rules);
    add_rules(rules);
    solve_means();
}

void Pcfg::add_names(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
        if (position(names_, rule.left) == names_.size()) names_.push_back(rule.left);
    }
    for (const Rule& rule : rules) {
        check(rule.right.size() == 1 || rule.right.size() == 2, "pcfg",
              "{}: {} names on the right; two symbols or one word expected (Chomsky normal form)",
              shown(rule), rule.right.size());
        for (const std::string& name : rule.right) {
            const bool symbol = position(names_, name) < names_.size();
            check(symbol || rule.right.size() == 1, "pcfg",
                  "{}: {} has no rules; two symbols expected. A word needs a rule of its own",
                  shown(rule), name);
            check(!symbol || rule.right.size() == 2, "pcfg",
                  "{}: {} is a symbol; one word expected. Put the rules of {} in place of this one",
                  shown(rule), name, name);
        }
        if (rule.right.size() == 1 &&
            ids_.emplace(rule.right[0], static_cast<int32_t>(words_.size())).second)
            words_.push_back(rule.right[0]);
    }
    check(!words_.empty(), "pcfg", "no rule makes a word");
}

void Pcfg::add_rules(const std::vector<Rule>& rules) {
    emission_ = Tensor::zeros({symbols(), words()}, Dtype::f64);
    binary_.resize(names_.size());
    std::vector<double> totals(names_.size());
    std::set<std::string> seen;
    for (const Rule& rule : rules) {
        check(seen.insert(shown(rule)).second, "pcfg", "{} stands there twice; once expected",
              shown(rule));
        check(rule.p > 0 && rule.p <= 1 + 1e-9, "pcfg",
              "{} has probability {}; 0 < p <= 1 expected", shown(rule), rule.p);
        const size_t left = position(names_, rule.left);
        totals[left] += rule.p;
        if (rule.right.size() == 1) {
            emission_.set(static_cast<int64_t>(left) * words() + id(rule.right[0]), rule.p);
        } else {
            binary_[left].push_back(
                {position(names_, rule.right[0]), position(names_, rule.right[1]), rule.p});
        }
    }
    for (size_t a = 0; a < totals.size(); ++a) {
        check(std::abs(totals[a] - 1) < 1e-9, "pcfg",
              "the probabilities of {}'s rules sum to {}; 1 expected", names_[a], totals[a]);
    }
}

void Pcfg::solve_means() {
    const int64_t n = symbols();
    Tensor made = Tensor::zeros({n, n}, Dtype::f64);  // how many of each a rewriting makes
    Tensor first = made.clone();                      // the left ones only
    for (int64_t a = 0; a < n; ++a) {
        for (const Binary& rule : binary_[static_cast<size_t>(a)]) {
            first.data<double>()[a * n + static_cast<int64_t>(rule.first)] += rule.p;
            made.data<double>()[a * n + static_cast<int64_t>(rule.first)] += rule.p;
            made.data<double>()[a * n + static_cast<int64_t>(rule.second)] += rule.p;
        }
    }
    const Tensor uses = closure(made);  // how often each is used below each
    check(
        uses.defined(), "pcfg",
        "sentences would become endless: a symbol is rewritten into one symbol or more of its own "
        "kind on average; give its rules for words more probability");
    mean_length_ = sum(slice(uses, 0, 0, 1) * reshape(sum(emission_, {1}), {1, n})).item();
    left_corner_ = closure(first);
}

const std::string& Pcfg::word(int32_t id) const {
    check(id >= 0 && id < words(), "pcfg", "word {}; 0 ... {} expected", id, words() - 1);
    return words_[static_cast<size_t>(id)];
}

int32_t Pcfg::id(const std::string& word) const {
    const auto found = ids_.find(word);
    check(found != ids_.end(), "pcfg", "the grammar has no word \"{}\"; its {} words: {}", word,
          words(), fmt::format("{}", fmt::join(words_, " ")));
    return found->second;
}

std::string Pcfg::text(const Tensor& ids) const {
    std::string text;
    for (const int32_t id : ids.values<int32_t>()) text += (text.empty() ? "" : " ") + word(id);
    return text;
}

Tensor Pcfg::sample(Rng& rng, int64_t longest) const {
    std::vector<int32_t> ids;
    std::vector<size_t> waiting{
        0};  // symbols to rewrite, the leftmost last; each makes a word or more
    while (!waiting.empty()) {
        const int64_t least = static_cast<int64_t>(ids.size() + waiting.size());
        check(least <= longest, "pcfg",
              "a sentence has more than {} words; allow longer ones, or "
              "give rules for words more probability",
              longest);
        const size_t a = waiting.back();
        waiting.pop_back();
        // The binary rules' probabilities, then those of every word.
        std::vector<double> choices;
        for (const Binary& rule : binary_[a]) choices.push_back(rule.p);
        const auto emitted = row(emission_, static_cast<int64_t>(a));
        choices.insert(choices.end(), emitted.begin(), emitted.end());
        const auto chosen = static_cast<size_t>(draw(choices, rng));
        if (chosen < binary_[a].size()) {
            waiting.push_back(binary_[a][chosen].second);
            waiting.push_back(binary_[a][chosen].first);
        } else {
            ids.push_back(static_cast<int32_t>(chosen - binary_[a].size()));
        }
    }
    return Tensor::from<int32_t>(ids);
}

// Column k of the chart, for word w_k:
//   β(A, k, k) = p(A -> w_k),    β(A, i, k) = Σ_{A -> B C} p Σ_j β(B, i, j) β(C, j + 1, k).
void Pcfg::complete(Chart& chart, size_t k, int32_t word, double scale) const {
    for (size_t a = 0; a < names_.size(); ++a) {
        chart.at(k, k)[a] = scale * emission_.at(static_cast<int64_t>(a) * words() + word);
    }
    for (size_t i = k; i-- > 0;) {
        for (size_t a = 0; a < names_.size(); ++a) {
            double total = 0;
            for (const auto& [first, second, p] : binary_[a]) {
                double splits = 0;
                for (size_t j = i; j < k; ++j) {
                    splits += chart.at(i, j)[first] * chart.at(j + 1, k)[second];
                }
                total += p * splits;
            }
            chart.at(i, k)[a] = total;
        }
    }
}

double Pcfg::inside(const Tensor& ids) const {
    check_ids("pcfg", ids, words());
    const auto n = static_cast<size_t>(ids.size());
    if (n == 0) return 0;
    Chart chart(n, names_.size());
    for (size_t k = 0; k < n; ++k) complete(chart, k, ids.data<int32_t>()[k], 1);
    return chart.at(0, n - 1)[0];
}

// p(sentence begins with the first k words and then w), for every w, [V]. With the left corners
// L(A, B) summed over chains A -> B ..., of any length, down to where the words i ... k part:
//   φ(A, k, w) = Σ_B L(A, B) p(B -> w),
//   φ(A, i, w) = Σ_B L(A, B) Σ_{B -> C D} p Σ_j β(C, i, j) φ(D, j + 1, w).
Tensor Pcfg::continuations(const Chart& chart, size_t k) const {
    const int64_t n = symbols(), v = words();
    std::vector<Tensor> prefix(k + 1);  // φ(., i, .), [N, V]
    prefix[k] = matmul(left_corner_, emission_);
    for (size_t i = k; i-- > 0;) {
        Tensor parted = Tensor::zeros({n, v}, Dtype::f64);
        for (int64_t a = 0; a < n; ++a) {
            double* sums = parted.data<double>() + a * v;
            for (const auto& [first, second, p] : binary_[static_cast<size_t>(a)]) {
                for (size_t j = i; j < k; ++j) {
                    const double weight = p * chart.at(i, j)[first];
                    const double* rest = std::as_const(prefix[j + 1]).data<double>() +
                                         static_cast<int64_t>(second) * v;
                    for (int64_t w = 0; weight > 0 && w < v; ++w) sums[w] += weight * rest[w];
                }
            }
        }
        prefix[i] = matmul(left_corner_, parted);
    }
    return slice(prefix[0], 0, 0, 1);
}

// p(. | words before), for as many words as can follow each other, and what comes after: at most
// [n + 1, V + 1]. Word k is scaled by 1 / p(w_k | words before), which keeps the prefix's probability
// at 1: then φ and β of the start symbol are the next word's and the end's probabilities.
Tensor Pcfg::read(const Tensor& ids) const {
    check_ids("pcfg", ids, words());
    const auto n = static_cast<size_t>(ids.size());
    Chart chart(n, names_.size());
    std::vector<Tensor> rows;
    for (size_t k = 0; k <= n; ++k) {
        const double end = k == 0 ? 0 : chart.at(0, k - 1)[0];
        rows.push_back(concat({continuations(chart, k), Tensor::full({1, 1}, end, Dtype::f64)}, 1));
        if (k == n) break;
        const int32_t word = ids.data<int32_t>()[k];
        const double p = rows.back().at(word);
        if (!(p > 0)) break;
        complete(chart, k, word, 1 / p);
    }
    return concat(rows);
}

Tensor Pcfg::next(const Tensor& ids) const {
    const Tensor rows = read(ids);
    const int64_t possible = rows.size(0) - 1;
    check(possible == ids.size(), "pcfg", "no sentence begins with \"{}\"",
          text(ids.view({std::min(possible + 1, ids.size())})));
    return rows;
}

Tensor Pcfg::token_nats(const Tensor& ids) const {
    const Tensor rows = read(ids);
    const int64_t n = ids.size();
    Tensor nats = Tensor::full({n + 1}, INFINITY, Dtype::f64);
    for (int64_t k = 0; k < rows.size(0); ++k) {
        const int64_t token = k < n ? ids.data<int32_t>()[k] : words();
        nats.set(k, -std::log(rows.at(k * (words() + 1) + token)));
    }
    return nats;
}

double Pcfg::nats(const Tensor& ids) const { return sum(token_nats(ids)).item(); }

// 1 is singular, 2 plural: what agrees may stand far apart, with other nouns in between.
Pcfg Pcfg::english() {
    std::vector<Rule> rules{
        {"S", {"NP1", "VP1"}, 0.5}, {"S", {"NP2", "VP2"}, 0.5}, {"PP", {"P", "NP1"}, 0.5},
        {"PP", {"P", "NP2"}, 0.5},  {"P", {"near"}, 0.5},       {"P", {"behind"}, 0.3},
        {"P", {"with"}, 0.2},       {"C", {"that"}, 1},         {"D1", {"the"}, 0.6},
        {"D1", {"a"}, 0.4},         {"D2", {"the"}, 0.7},       {"D2", {"two"}, 0.3}};
    const std::vector<std::string> nouns{"dog", "cat", "bird"}, verbs{"see", "chase", "hear"},
        verbs_alone{"sleep", "wait", "sing"};
    const std::vector<double> shares{0.5, 0.3, 0.2};
    for (const std::string number : {"1", "2"}) {
        const std::string noun_end = number == "1" ? "" : "s", verb_end = number == "1" ? "s" : "";
        const std::string np = "NP" + number, vp = "VP" + number, rc = "RC" + number;
        rules.push_back({np, {"D" + number, "N" + number}, 0.65});
        rules.push_back({np, {np, "PP"}, 0.2});
        rules.push_back({np, {np, rc}, 0.15});
        rules.push_back({rc, {"C", vp}, 1});
        rules.push_back({vp, {"V" + number, "NP1"}, 0.3});
        rules.push_back({vp, {"V" + number, "NP2"}, 0.3});
        for (size_t i = 0; i < shares.size(); ++i) {
            rules.push_back({"N" + number, {nouns[i] + noun_end}, shares[i]});
            rules.push_back({"V" + number, {verbs[i] + verb_end}, shares[i]});
            rules.push_back({vp, {verbs_alone[i] + verb_end}, 0.4 * shares[i]});
        }
    }
    return Pcfg(rules);
}

}  // namespace gradus::data
