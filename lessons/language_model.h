// What the lessons on recurrent language models share: texts as ids, and their training by truncated
// backpropagation through time.
#pragma once

#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "data/text/text.h"
#include "data/text/vocab.h"
#include "lessons/common.h"
#include "lessons/training.h"
#include "models/rnn_lm.h"

namespace gradus::lesson {

// A split text as ids of one vocabulary, which is the training part's; what is not in it is <unk>.
struct Corpus {
    std::string name;
    data::Vocab vocab;
    std::vector<Tensor> train_documents, test_documents;  // [n], i32, each
    Tensor train, test;                                   // [N], i32: the documents in a row
};
Corpus character_corpus(const data::TextData& text);
Corpus word_corpus(const data::TextData& text, int64_t max_vocab);

// A text to learn from; of a generated one, what its test part costs by its own grammar.
struct LmText {
    data::TextData text;
    double optimum = std::numeric_limits<double>::quiet_NaN();  // nats a character
};
// What --data names, `usual` where it names nothing; a part of it for a quick run. "generated" is
// sentences of a small grammar, one a line.
LmText load_lm_text(const Options& options, const std::string& usual = "austen");

// Nats a token of n-gram models of order 1 ... `orders` on the test text from its second token on,
// by interpolated Kneser-Ney and by Witten-Bell, the better of the two.
std::vector<double> count_by_order(const std::vector<Tensor>& train_documents, const Tensor& test,
                                   int64_t vocab, int orders = 6);
std::vector<double> count_by_order(const Corpus& corpus, int orders = 6);

struct LmTrainingOptions {
    int64_t batch = 32;     // B: rows that the text is cut into
    int64_t time = 64;      // T: steps that a gradient goes back
    double epochs = 1;      // passes over the text; 0.5 is half of one
    double rate = 2e-3;     // peak of AdamW's learning rate, then half a cosine down to 0
    double warm_up = 0.05;  // share of the steps until the peak
    double weight_decay = 0.01;
    double clip = 1;    // longest gradient; 0: any
    uint64_t seed = 1;  // that the model was made with: part of what a checkpoint has to fit
    int tests = 10;     // how often the test loss is measured on the way
    int64_t test_ids = 20'000;  // ... on so much of the test text
    double save_every = 20;     // seconds between checkpoints

    // Of a step's logits [B, T, V] and the ids that follow [B, T]; cross-entropy unless given. A name
    // that says which it is goes into checkpoints.
    std::function<Tensor(const Tensor& logits, const Tensor& y, int64_t step)> loss{};
    std::string loss_name{};
};

// Trains a model on corpus.train, as train() does. A checkpoint of another vocabulary or text is
// refused, too.
bool train_language_model(const std::string& label, models::RnnLM& model, const Corpus& corpus,
                          const LmTrainingOptions& options, const Checkpoint& checkpoint,
                          History& history);

}  // namespace gradus::lesson
