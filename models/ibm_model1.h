// IBM's first model of translation: which word stands for which, learned from sentence pairs by counting.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gradus::models {

/// Each word f_j of a translation comes from one word e_i of the source, or from none (e_0), each of the n + 1 places
/// being equally likely (Brown, Della Pietra, Della Pietra and Mercer 1993, equation 6):
///
///     P(f | e) = Π_j 1/(n + 1) Σ_i t(f_j | e_i)
///
/// t is learned by expectation-maximisation, which for this model finds the global optimum whatever it begins with.
class IbmModel1 {
public:
    /// Ids are 0 ... source_vocab - 1 and 0 ... target_vocab - 1.
    IbmModel1(int64_t source_vocab, int64_t target_vocab);

    /// One more pair to learn from. Throws Error for an id out of range or an empty target.
    void add(std::span<const int32_t> source, std::span<const int32_t> target);

    /// One pass of expectation-maximisation over all pairs (equations 11 to 14). Gives -ln P in nats per target word, as
    /// it was before the pass: it never rises from pass to pass.
    double pass();

    /// t(f | e), 0 for words that were never in a pair together; e = kNone is the empty place.
    static constexpr int32_t kNone = -1;
    double probability(int32_t target, int32_t source) const;

    /// For each target word the place in the source that it most likely comes from, or -1 for none.
    std::vector<int32_t> align(std::span<const int32_t> source,
                               std::span<const int32_t> target) const;

    /// The most probable target word of a source word, of equal ones the smallest; -1 for one that was never seen.
    int32_t best(int32_t source) const;

private:
    using Row = std::unordered_map<int32_t, double>;  // t(. | e), by target word
    size_t row(int32_t source) const { return static_cast<size_t>(source + 1); }

    std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> pairs_;
    std::vector<Row> t_;  // [1 + source_vocab]; row 0 is the empty place
    int64_t target_vocab_;
};

}  // namespace gradus::models
