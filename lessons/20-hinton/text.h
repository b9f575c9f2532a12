// Stage C: a language model over words teaches a smaller one.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "data/sequences.h"
#include "lessons/20-hinton/proof.h"
#include "lessons/language_model.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "report/text.h"

namespace gradus::lesson20 {

// B rows that a text is cut into · T time · H hidden width · V vocabulary

// All that decides stage C but the seed and the text. Nothing of it was searched for: batches and rate are
// lesson 08's for words, the rest was set before the first run.
struct TextCourse {
    int64_t words = 2000, teacher_hidden = 192, student_hidden = 48, teachers = 2;
    int epochs = 2;
    double dropout = 0.2, rate = 3e-3, temperature = 1, weight = 0.5, smoothing = 0.1;
    int64_t batch = 16, time = 32;
};

struct Reader {
    std::string name;
    models::RnnLM model;
    lesson::History history{};
    double nats = NAN;  // a word of the test text

    Reader(std::string its_name, int64_t vocab, int64_t hidden, double dropout)
        : name(std::move(its_name)),
          model(
              {.vocab = vocab, .dim = hidden, .hidden = hidden, .dropout = dropout, .tied = true}) {
    }
};

// What a teacher says at each place of a text, asked once. A whole text's logits would fill gigabytes: kept are
// the teacher's last hidden states, from which one product with its head makes them again.
class Lecture {
public:
    Lecture(models::RnnLM& teacher, const data::StreamBatches& batches)
        : weight_(teacher.state_dict().at("head.weight").clone()),
          bias_(teacher.state_dict().at("head.bias").clone()) {
        const nn::Evaluating scope(teacher);
        nn::RecurrentState state;
        for (int64_t step = 0; step < batches.per_epoch(); ++step) {
            const auto [y, next] = teacher.hidden(batches.at(step).x, state);
            hidden_.push_back(y);  // [B, T, H]
            state = next;
        }
    }

    Tensor logits(int64_t step) const {  // [B, T, V]
        return linear(hidden_[static_cast<size_t>(step) % hidden_.size()], weight_, bias_);
    }

private:
    std::vector<Tensor> hidden_;  // of each step of a pass
    Tensor weight_, bias_;        // the head's
};

// Trains the readers one after the other, each with a checkpoint of its own.
class Library {
public:
    Library(const lesson::Corpus& corpus, const TextCourse& course, const lesson::Options& options)
        : corpus_(corpus),
          course_(course),
          options_(options),
          file_(checkpoint_of(options)),
          batches_(corpus.train, course.batch, course.time) {}

    // Null where Ctrl-C came first, as below.
    std::unique_ptr<Reader> teacher(int64_t member) {
        const uint64_t seed = options_.seed + 100 * static_cast<uint64_t>(member);
        return trained(fmt::format("text-teacher-{}", member + 1), course_.teacher_hidden,
                       course_.dropout, seed, {}, "");
    }

    using Loss = std::function<Tensor(const Tensor& logits, const Tensor& y, int64_t step)>;
    std::unique_ptr<Reader> student(const std::string& name, const Loss& loss,
                                    const std::string& loss_name) {
        return trained("text-" + name, course_.student_hidden, 0, options_.seed, loss, loss_name);
    }

    // Several teachers are an ensemble.
    std::unique_ptr<Reader> distilled(const std::string& name,
                                      const std::vector<Lecture>& teachers) {
        const auto loss = [&](const Tensor& logits, const Tensor& y, int64_t step) {
            std::vector<Tensor> said;
            for (const Lecture& teacher : teachers) said.push_back(teacher.logits(step));
            const int64_t rows = y.size(), V = logits.size(2);
            const Tensor q = nn::soft_targets(said, course_.temperature);
            return nn::distillation_loss(reshape(logits, {rows, V}), reshape(q, {rows, V}),
                                         reshape(y, {rows}), course_.temperature, course_.weight);
        };
        return student(name, loss,
                       fmt::format("{} teachers at T = {}, weight {}", teachers.size(),
                                   course_.temperature, course_.weight));
    }

    const data::StreamBatches& batches() const { return batches_; }

private:
    std::unique_ptr<Reader> trained(const std::string& name, int64_t hidden, double dropout,
                                    uint64_t seed, const Loss& loss, const std::string& loss_name) {
        nn::manual_seed(seed);
        auto reader = std::make_unique<Reader>(name, corpus_.vocab.size(), hidden, dropout);
        // The first one's is the lesson's own, with which a run is resumed.
        const auto its_file = name == "text-teacher-1" ? file_ : lesson::beside(file_, name);
        const bool resumed = !options_.resume.empty() && std::filesystem::exists(its_file);
        const bool whole = lesson::train_language_model(
            name, reader->model, corpus_,
            {.batch = course_.batch,
             .time = course_.time,
             .epochs = static_cast<double>(options_.epochs_or(course_.epochs, 1)),
             .rate = course_.rate,
             .seed = seed,
             .tests = 4,
             .loss = loss,
             .loss_name = loss_name},
            {its_file, resumed}, reader->history);
        if (!whole) return nullptr;
        reader->nats = models::nats_per_token(reader->model, corpus_.test, 32);
        return reader;
    }

    const lesson::Corpus& corpus_;
    const TextCourse& course_;
    const lesson::Options& options_;
    std::filesystem::path file_;
    data::StreamBatches batches_;
};

// The five rows again, in perplexity. False where Ctrl-C came first.
inline bool distil_text(lesson::Results& results, Report& report, const lesson::Options& options) {
    TextCourse course;
    if (options.quick) course.words = 500, course.teacher_hidden = 32, course.student_hidden = 16;
    const lesson::LmText text = lesson::load_lm_text(options);
    const lesson::Corpus corpus = lesson::word_corpus(text.text, course.words);
    Library library(corpus, course, options);

    std::vector<std::unique_ptr<Reader>> rows;
    const auto came = [&](std::unique_ptr<Reader> reader) {  // to its end?
        rows.push_back(std::move(reader));
        return rows.back() != nullptr;
    };
    std::vector<Lecture> lectures;
    for (int64_t member = 0; member < course.teachers; ++member) {
        if (!came(library.teacher(member))) return false;
        lectures.emplace_back(rows.back()->model, library.batches());
    }
    const auto smoothed = [&](const Tensor& logits, const Tensor& y, int64_t) {
        return nn::cross_entropy(logits, y, {.label_smoothing = course.smoothing});
    };
    const std::string smoothing = fmt::format("label smoothing {}", course.smoothing);
    if (!came(library.student("plain", {}, "")) ||
        !came(library.student("smoothed", smoothed, smoothing)) ||
        !came(library.distilled("distilled", {lectures[0]})) ||
        !came(library.distilled("from-ensemble", lectures)))
        return false;

    const auto counted = lesson::count_by_order(corpus, 4);
    results.section(fmt::format("C. {}, perplexity of the test text, {} different words",
                                text.text.name, corpus.vocab.size()));
    results.add("chance", static_cast<double>(corpus.vocab.size()));
    results.add("trivial baseline: counting words", std::exp(counted.front()));
    results.add("best classical: n-gram, order 1-4",
                std::exp(*std::min_element(counted.begin(), counted.end())));
    report::Table table("Readers, and what they cost",
                        {"", "units", "parameters", "perplexity", "seconds of training"});
    const char* names[] = {"teacher",
                           "the ensemble's other member",
                           "student, plain",
                           "student, label smoothing",
                           "student, distilled",
                           "student, distilled from the ensemble"};
    for (size_t i = 0; i < rows.size(); ++i) {
        const Reader& reader = *rows[i];
        results.add(names[i], std::exp(reader.nats));
        table.row({names[i], report::number(static_cast<double>(reader.model.options().hidden)),
                   report::number(static_cast<double>(reader.model.parameter_count())),
                   fmt::format("{:.1f}", std::exp(reader.nats)),
                   fmt::format("{:.1f}", reader.history.seconds)});
    }
    const double gap = rows[2]->nats - rows[0]->nats;
    results.section(fmt::format("C. {}, the gap in nats a word", text.text.name), "%");
    results.add("closed by label smoothing", (rows[2]->nats - rows[3]->nats) / gap);
    results.add("closed by distillation", (rows[2]->nats - rows[4]->nats) / gap);
    results.add("closed by the ensemble", (rows[2]->nats - rows[5]->nats) / gap);
    results.section(fmt::format("C. {}, sizes", text.text.name));
    results.add("teacher: parameters", static_cast<double>(rows[0]->model.parameter_count()) / 1e3,
                "thousand");
    results.add("student: parameters", static_cast<double>(rows[2]->model.parameter_count()) / 1e3,
                "thousand");
    report.page.heading("Words");
    report.page.table(table);
    return true;
}

}  // namespace gradus::lesson20
