// Distillation: a student learns from what a teacher makes of an input, its whole distribution (Hinton, Vinyals
// and Dean 2015; logit matching Ba and Caruana 2014; annealing Clark et al. 2019).
#pragma once

#include <filesystem>
#include <vector>

#include "nn/module.h"
#include "nn/optim.h"
#include "nn/schedule.h"

namespace gradus::nn {

// B rows · C classes · z logits of the student · v logits of the teacher · T temperature
//   q = softmax(v / T),   p = softmax(z / T),   C(z) = -Σ_c q_c ln p_c.

/// q, without a gradient: logits [..., C] -> [..., C]. Throws Error unless T > 0.
Tensor soft_targets(const Tensor& logits, double temperature);

/// The mean of the teachers' q: an ensemble as one teacher. Throws Error for none, or for shapes that
/// differ.
Tensor soft_targets(const std::vector<Tensor>& logits, double temperature);

/// T² C(z), the mean over rows, in nats: logits [..., C], q alike. Its gradient is T (p - q) / B, of about
/// one size for every T, as T² makes up for the two T in C (section 2 of the paper). Its smallest value is
/// T² times the entropy of q. Throws Error unless T > 0 and the class counts are equal.
Tensor soft_target_loss(const Tensor& logits, const Tensor& q, double temperature);

/// Half the mean over all elements of (z - v)², each row of z and v with its mean taken off, which no
/// softmax sees. Its gradient (z - v) / (B C) is the limit of soft_target_loss's for a large T.
Tensor logit_matching(const Tensor& logits, const Tensor& teacher_logits);

/// weight · soft_target_loss + (1 - weight) · cross-entropy with labels i32 [...] at T = 1. A row whose label
/// is -100 has none: it adds 0 to the second sum, which is divided by B all the same, so that labelled rows
/// count alike in every batch. Undefined labels are none at all. Throws Error unless 0 <= weight <= 1.
Tensor distillation_loss(const Tensor& logits, const Tensor& q, const Tensor& labels,
                         double temperature, double weight);

/// Teacher annealing: the teacher's weight goes in a line from `from` at step 0 to `to` at step total, where
/// it stays. A Schedule, for DistillerOptions::weight.
struct TeacherAnnealing {
    int64_t total;
    double from = 1, to = 0;
    double operator()(int64_t step) const;
};

/// What a teacher says of inputs [N, ...]: logits [N, C], in evaluation mode, `at_once` rows at a time. They
/// are data: throws Error under a tape, which would remember the whole pass.
Tensor teacher_logits(Layer& teacher, const Tensor& inputs, int64_t at_once = 1000);

/// The same, kept in a safetensors file: read where there is one, computed and written where there is
/// none. The file knows its inputs, their order and its teacher by hashes: one of others is an Error.
Tensor teacher_logits(Layer& teacher, const Tensor& inputs, const std::filesystem::path& file,
                      int64_t at_once = 1000);

/// What is distilled from. Teachers speak of each row; labels may be missing, for all or for some.
struct TransferSet {
    Tensor inputs;                 // [N, ...]
    std::vector<Tensor> teachers;  // logits [N, C] of each; several are an ensemble
    Tensor labels{};               // [N], i32; -100: this row has none; undefined: no row has one
};

struct DistillerOptions {
    double temperature = 20;
    Schedule weight = Constant{0.9};  // of the teacher, by step; 1: labels are not looked at
    int64_t batch = 128;
    uint64_t seed = 0;
};

/// Trains a student on a transfer set. Which rows a step sees depends on the seed and the step alone; each
/// pass has an order of its own.
///
///     const Tensor v = nn::teacher_logits(teacher, pixels, "teacher.safetensors");
///     nn::Distiller distiller(student, {pixels, {v}, labels});
///     for (int64_t step = 0; step < 20 * distiller.per_epoch(); ++step) distiller.train(optimizer, step);
class Distiller {
public:
    /// Throws Error where the transfer set is not as long everywhere, or has fewer rows than a batch.
    Distiller(Layer& student, TransferSet set, const DistillerOptions& options = {});

    int64_t per_epoch() const { return set_.inputs.size(0) / options_.batch; }
    /// distillation_loss of a step's batch, for a tape. Throws Error where the student has other classes.
    Tensor loss(int64_t step);
    /// One step: forward, backward, update; the loss before it.
    double train(Optimizer& optimizer, int64_t step);

private:
    Layer& student_;
    TransferSet set_;
    DistillerOptions options_;
    Tensor q_;      // [N, C]: at the temperature, once and for all
    Tensor order_;  // [N], of pass epoch_
    int64_t epoch_ = -1;
};

}  // namespace gradus::nn
