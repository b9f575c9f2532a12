// Two sentences as one input, and the question whether the second follows the first.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tensor.h"

namespace gradus::data {

/// Two sentences, as ids.
struct SentencePair {
    std::vector<int32_t> first, second;
    bool is_next = true;  // does the second follow the first in its document?
};

/// A document: its sentences, as ids.
using Sentences = std::vector<std::vector<int32_t>>;

/// Next-sentence pairs (Devlin et al. 2018, section 3.1 and A.2): every sentence that has a next one
/// is a first one, in the order of the documents. With probability ½ its next one follows; else a
/// sentence of another document, each document and then each of its sentences equally likely. They
/// depend on the seed and the epoch alone: other epochs, other pairs. Throws Error, naming it, where
/// a sentence has no ids, where no document has two sentences or there are not two documents with
/// any.
std::vector<SentencePair> next_sentence_pairs(const std::vector<Sentences>& documents,
                                              uint64_t seed, int64_t epoch = 0);

/// The ids that frame a pair.
struct PairFrame {
    int32_t classify = 0;   // [CLS]
    int32_t separator = 1;  // [SEP]
    int32_t padding = 2;    // [PAD]
};

/// Pairs as a model reads them:
///
///     ids       [CLS] first ... [SEP] second ... [SEP] [PAD] ...
///     segments    0     0         0      1         1     0
struct FramedPairs {
    Tensor ids, segments;  // [N, T], i32
    Tensor lengths;        // [N], i32: without the padding
    Tensor labels;         // [N], i32: 0 the next sentence, 1 another one, as in BERT
};

/// Frames pairs in rows of `time` ids. Of a pair that does not fit, the longer sentence loses its
/// last id until it does. Throws Error where `time` is below 5, too short for the frame and an id of
/// each.
FramedPairs framed(const std::vector<SentencePair>& pairs, int64_t time, const PairFrame& frame);

}  // namespace gradus::data
