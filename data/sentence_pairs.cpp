#include "data/sentence_pairs.h"

#include <algorithm>

#include "autograd/error.h"
#include "autograd/random.h"

namespace gradus::data {
namespace {

void check_documents(const std::vector<Sentences>& documents) {
    size_t with_any = 0, with_two = 0;
    for (size_t d = 0; d < documents.size(); ++d) {
        with_any += !documents[d].empty();
        with_two += documents[d].size() >= 2;
        for (size_t s = 0; s < documents[d].size(); ++s)
            check(!documents[d][s].empty(), "next-sentence pairs",
                  "sentence {} of document {} has no ids; leave it out", s, d);
    }
    check(with_two >= 1 && with_any >= 2, "next-sentence pairs",
          "of {} documents {} have sentences and {} have two; two with sentences, one of them with "
          "two, expected",
          documents.size(), with_any, with_two);
}

}  // namespace

std::vector<SentencePair> next_sentence_pairs(const std::vector<Sentences>& documents,
                                              uint64_t seed, int64_t epoch) {
    check_documents(documents);
    check(epoch >= 0, "next-sentence pairs", "epoch {}; 0 or more expected", epoch);
    Rng rng(seed, epoch);

    std::vector<const Sentences*> filled;  // those with sentences
    for (const Sentences& document : documents)
        if (!document.empty()) filled.push_back(&document);
    // Any of the others: the last one takes the place of the document itself.
    const auto other_than = [&](size_t here) -> const Sentences& {
        const auto drawn = static_cast<size_t>(rng.below(static_cast<int64_t>(filled.size()) - 1));
        return *filled[drawn == here ? filled.size() - 1 : drawn];
    };

    std::vector<SentencePair> pairs;
    for (size_t d = 0; d < filled.size(); ++d) {
        const Sentences& document = *filled[d];
        for (size_t s = 0; s + 1 < document.size(); ++s) {
            if (rng.uniform() < 0.5) {
                pairs.push_back({document[s], document[s + 1], true});
            } else {
                const Sentences& other = other_than(d);
                const auto drawn =
                    static_cast<size_t>(rng.below(static_cast<int64_t>(other.size())));
                pairs.push_back({document[s], other[drawn], false});
            }
        }
    }
    return pairs;
}

FramedPairs framed(const std::vector<SentencePair>& pairs, int64_t time, const PairFrame& frame) {
    constexpr int64_t kFrame = 3, kSentences = 2;
    check(time >= kFrame + kSentences, "framed pairs",
          "rows of {} ids; at least {} expected: [CLS], two [SEP] and an id of each sentence", time,
          kFrame + kSentences);
    const auto rows = static_cast<int64_t>(pairs.size());
    FramedPairs result{Tensor::full({rows, time}, frame.padding, Dtype::i32),
                       Tensor::zeros({rows, time}, Dtype::i32), Tensor::empty({rows}, Dtype::i32),
                       Tensor::empty({rows}, Dtype::i32)};
    for (int64_t i = 0; i < rows; ++i) {
        const auto& [first, second, is_next] = pairs[static_cast<size_t>(i)];
        const auto room = static_cast<size_t>(time - kFrame);
        size_t of_first = first.size(), of_second = second.size();
        while (of_first + of_second > room) --(of_first > of_second ? of_first : of_second);

        int32_t* const begin = result.ids.data<int32_t>() + i * time;
        int32_t* end = begin;
        *end++ = frame.classify;
        end = std::copy_n(first.begin(), of_first, end);
        *end++ = frame.separator;
        int32_t* const middle = end;
        end = std::copy_n(second.begin(), of_second, end);
        *end++ = frame.separator;
        std::fill(result.segments.data<int32_t>() + i * time + (middle - begin),
                  result.segments.data<int32_t>() + i * time + (end - begin), 1);
        result.lengths.data<int32_t>()[i] = static_cast<int32_t>(end - begin);
        result.labels.data<int32_t>()[i] = is_next ? 0 : 1;
    }
    return result;
}

}  // namespace gradus::data
