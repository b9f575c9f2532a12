// What counting knows of a hidden piece whose neighbours on both sides are seen.
// V vocabulary · c how often something was counted
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lessons/14-bert/corpus.h"

namespace gradus::lesson14 {

// Three models, each falling back on the next by absolute discounting (Ney, Essen and Kneser 1994):
//   p(w | l · r)  counts of w between l and r, else
//   q(w | l, r)   ∝ p(w | l) p(r | w): exact where the text is a chain of bigrams, else
//   p(w)          how often it occurs, once more than it was seen.
// A neighbour that is hidden as well, or that the frame has in its place, has no part in it.
class BothSides {
public:
    static constexpr int32_t kUnseen = -1;

    BothSides(const std::vector<Documents>& sources, int64_t vocab)
        : V_(static_cast<uint64_t>(vocab)), count_(V_), followers_(V_) {
        for (const Documents& documents : sources)
            for (const data::Sentences& document : documents) {
                Ids ids;
                for (const Ids& passage : document)
                    ids.insert(ids.end(), passage.begin(), passage.end());
                add(ids);
            }
        for (auto* keys : {&after_, &before_, &between_}) std::sort(keys->begin(), keys->end());
        for_each_count(after_, 0, V_ * V_, [&](uint64_t key, double) { ++followers_[key / V_]; });
    }

    /// p(w | its neighbours) of every w, [V]. kUnseen for a neighbour that is not seen.
    std::vector<double> distribution(int32_t left, int32_t right) const {
        std::vector<double> p(V_);
        for (size_t w = 0; w < V_; ++w) p[w] = frequency(w);
        if (left != kUnseen) fall_back(after_, static_cast<uint64_t>(left), p);
        if (right == kUnseen) return p;

        const auto r = static_cast<uint64_t>(right);
        std::vector<double> likelihood(V_);  // p(r | w)
        for (size_t w = 0; w < V_; ++w)
            likelihood[w] =
                frequency(r) * (count_[w] > 0 ? kDiscount * followers_[w] / count_[w] : 1);
        for_each_count(before_, r * V_, (r + 1) * V_, [&](uint64_t key, double c) {
            likelihood[key % V_] += (c - kDiscount) / count_[key % V_];
        });
        double all = 0;
        for (size_t w = 0; w < V_; ++w) all += p[w] *= likelihood[w];
        for (double& x : p) x /= all;
        if (left != kUnseen) fall_back(between_, static_cast<uint64_t>(left) * V_ + r, p);
        return p;
    }

private:
    static constexpr double kDiscount = 0.75;

    void add(const Ids& ids) {
        for (size_t i = 0; i < ids.size(); ++i) {
            const auto w = static_cast<uint64_t>(ids[i]);
            ++count_[w];
            ++all_;
            if (i + 1 == ids.size()) continue;
            const auto next = static_cast<uint64_t>(ids[i + 1]);
            after_.push_back(w * V_ + next);
            before_.push_back(next * V_ + w);
            if (i > 0) between_.push_back((static_cast<uint64_t>(ids[i - 1]) * V_ + next) * V_ + w);
        }
    }
    double frequency(size_t w) const { return (count_[w] + 1) / (all_ + static_cast<double>(V_)); }

    // f(key, c) for each different key from `low` up to `high`, of sorted keys.
    template <class F>
    static void for_each_count(const std::vector<uint64_t>& keys, uint64_t low, uint64_t high,
                               F&& f) {
        auto at = std::lower_bound(keys.begin(), keys.end(), low);
        while (at != keys.end() && *at < high) {
            const auto next = std::upper_bound(at, keys.end(), *at);
            f(*at, static_cast<double>(next - at));
            at = next;
        }
    }
    // p becomes the discounted shares of what was counted in a context, and p with what is left.
    void fall_back(const std::vector<uint64_t>& keys, uint64_t context,
                   std::vector<double>& p) const {
        double all = 0, kinds = 0;
        const uint64_t low = context * V_, high = low + V_;
        for_each_count(keys, low, high, [&](uint64_t, double c) { all += c, ++kinds; });
        if (all == 0) return;
        for (double& x : p) x *= kDiscount * kinds / all;
        for_each_count(keys, low, high,
                       [&](uint64_t key, double c) { p[key % V_] += (c - kDiscount) / all; });
    }

    uint64_t V_;
    double all_ = 0;
    std::vector<double> count_, followers_;           // of each w; kinds of pieces that follow it
    std::vector<uint64_t> after_, before_, between_;  // keys: what is known, then w
};

}  // namespace gradus::lesson14
