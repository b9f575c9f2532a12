// What the lessons on translation share: pairs as ids, training and decoding of any encoder-decoder,
// and the classical methods that it has to beat.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/pairs/bleu.h"
#include "data/pairs/vocab.h"
#include "lessons/common.h"
#include "lessons/training.h"
#include "models/ibm_model1.h"
#include "models/seq2seq.h"
#include "models/transformer.h"

namespace gradus::lesson {

using Tokens = std::vector<std::string>;
using Ids = std::vector<int32_t>;

// A split set of pairs as ids of one vocabulary, which is the training part's.
struct Pairs {
    std::string name;
    data::PairVocab vocab;
    std::vector<data::PairIds> train, test;
    std::vector<Tokens> references;  // of test: the target sides as they stand, unknown words too
    int64_t longest = 0;             // tokens of a target, its end counted

    Pairs(std::string its_name, const std::vector<data::Pair>& train_pairs,
          const std::vector<data::Pair>& test_pairs, const data::PairVocabOptions& options);
};

// The pairs that --data names, `usual` where it names nothing; a part of them for a quick run.
// "generated" is a permuted dictionary of the run's seed.
data::PairData load_pair_data(const Options& options, const std::string& usual);

// How the pairs of such a source are cut into tokens: sentences of known corpora by length, so that
// all can be learned in minutes.
data::PairVocabOptions tokens_of(const std::string& name, int64_t min_count, bool shared = false);

// An encoder-decoder, as training and decoding see it.
struct Translator {
    nn::Module& model;
    std::string description;                               // of all its options, for a checkpoint
    std::function<Tensor(const data::PairBatch&)> logits;  // [B, T, V], under teacher forcing
    std::function<std::unique_ptr<nn::StepModel>(const Tensor& source, const Tensor& lengths)>
        steps;
    std::map<std::string, Rng*> generators{};  // that logits() draws from
};
// While it trains, `own_share` of the decoder's steps read its own words (scheduled sampling), by a
// generator that is needed for no other share than 0.
Translator translator(models::Seq2Seq& model, double own_share = 0, Rng* rng = nullptr);
Translator translator(models::Transformer& model);

struct PairTrainingOptions {
    int64_t batch = 64;  // pairs
    double epochs = 10;
    double rate = 1e-3;     // peak of AdamW's learning rate
    double warm_up = 0.05;  // share of the steps until the peak, then half a cosine down to 0
    int64_t noam = 0;       // not 0: Noam's schedule in place of that, for a model of this width
    double weight_decay = 0.01;
    double clip = 1;
    double label_smoothing = 0;
    uint64_t seed = 1;  // that the model was made with, and of the batches
    int tests = 10;
    double save_every = 20;
};

// All that decides what a training comes to: TrainingOptions::course.
std::string course_of(const Translator& translator, const Pairs& pairs,
                      const PairTrainingOptions& options);

// Trains on pairs.train, as train() does. The loss that is tested on the way is that of at most 512
// test pairs, without smoothing, in nats a target token.
bool train_translator(const std::string& label, const Translator& translator, const Pairs& pairs,
                      const PairTrainingOptions& options, const Checkpoint& checkpoint,
                      History& history);

// Nats a target token of the first `count` pairs, under teacher forcing.
double nats_per_token(const Translator& translator, const std::vector<data::PairIds>& pairs,
                      int64_t count);

// The best translation of each pair's source by beam search, width 1 is greedy choice, in the order of
// the pairs. Sentences of similar lengths are decoded together. The length penalty is that of
// nn::BeamOptions.
std::vector<Ids> translate(const Translator& translator, const Pairs& pairs,
                           const std::vector<data::PairIds>& asked, int64_t width = 1,
                           double length_penalty = 0.6);

// BLEU of translations of pairs.test; and the share of some that is exactly right, where an unknown word is
// never right.
double bleu(const Pairs& pairs, const std::vector<Ids>& translations);
double exact(const std::vector<data::PairIds>& pairs, const std::vector<Ids>& translations);

// A figure by the number of source tokens, its end not counted: lengths in order. The share of exact
// translations; and BLEU of pairs.test, two lengths together, at the middle of both.
struct ByLength {
    std::vector<double> lengths, values;
};
ByLength exact_by_length(const std::vector<data::PairIds>& pairs,
                         const std::vector<Ids>& translations);
ByLength bleu_by_length(const Pairs& pairs, const std::vector<Ids>& translations);

// Two ways to translate without a network: word by word, each word by what IBM's first model takes it
// for; and the translation of the training sentence that has most words in common.
std::vector<Ids> word_by_word(const models::IbmModel1& dictionary,
                              const std::vector<data::PairIds>& asked);
std::vector<Ids> nearest_sentence(const std::vector<data::PairIds>& train,
                                  const std::vector<data::PairIds>& asked);
// IBM's first model of the training pairs, without the ends of sentences.
models::IbmModel1 learn_dictionary(const Pairs& pairs, int passes = 8);

// Begins the section of a source's BLEU with what a network has to beat.
void add_bleu_to_beat(Results& results, const Pairs& pairs);

}  // namespace gradus::lesson
