// BLEU, the measure of translations.
#pragma once

#include <string>
#include <vector>

namespace gradus::data {

/// The score and what it is made of.
struct Bleu {
    double score;                              // 0 ... 100
    double precisions[4];                      // of 1- to 4-grams, 0 ... 1
    double brevity_penalty;                    // 0 ... 1
    long hypothesis_length, reference_length;  // tokens of all sentences
};

/// Papineni et al. 2002, over a whole corpus of token lists with one reference each:
/// BLEU = BP exp(¼ Σ ln p_n),  BP = min(1, e^(1 - r/c)). Equal to sacreBLEU's figure for the same
/// tokens (tokenize none); an n-gram order without a match is smoothed as there ("exp": 1/2, 1/4 ...
/// of a match), and a corpus too short to have 4-grams scores 0.
/// Throws Error where the two lists differ in length or are empty.
Bleu bleu(const std::vector<std::vector<std::string>>& hypotheses,
          const std::vector<std::vector<std::string>>& references);

}  // namespace gradus::data
