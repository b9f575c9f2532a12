#include "nn/distill.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "nn/loss.h"
#include "nn/safetensors.h"

namespace gradus::nn {
namespace {

constexpr int32_t kUnlabelled = -100;

void check_temperature(const char* op, double temperature) {
    check(temperature > 0 && std::isfinite(temperature), op,
          "the temperature is {}; more than 0 expected", temperature);
}

void check_classes(const char* op, const Tensor& student, const Tensor& teacher) {
    check(student.rank() > 0 && teacher.rank() > 0 && student.size(-1) == teacher.size(-1), op,
          "the student has {} classes, the teacher {}: logits are {} and {}; leave out or add "
          "columns of the teacher's before",
          student.rank() ? student.size(-1) : 0, teacher.rank() ? teacher.size(-1) : 0,
          student.shape(), teacher.shape());
    check(student.shape() == teacher.shape(), op,
          "the student's logits are {}, the teacher's {}; equal shapes expected", student.shape(),
          teacher.shape());
}

Tensor centred(const Tensor& logits) { return logits - mean(logits, {-1}, true); }

// ---- hashes: what a file of logits was made from ------------------------------------------------

uint64_t mixed(uint64_t hash, uint64_t word) { return Rng::at(hash, word); }

uint64_t hash_of(const Tensor& x, int64_t begin, int64_t end, uint64_t hash) {
    for (int64_t i = begin; i < end; ++i) hash = mixed(hash, std::bit_cast<uint64_t>(x.at(i)));
    return hash;
}

// Of the rows as a set, and of the rows one after the other.
struct RowHashes {
    uint64_t set = 0, sequence = 0;

    explicit RowHashes(const Tensor& inputs) {
        const int64_t rows = inputs.size(0), width = rows > 0 ? inputs.size() / rows : 0;
        for (int64_t i = 0; i < rows; ++i) {
            const uint64_t row = hash_of(inputs, i * width, (i + 1) * width, 1);
            set += row;
            sequence = mixed(sequence, row);
        }
    }
};

uint64_t hash_of(const Module& teacher) {
    uint64_t hash = 2;
    for (const auto& [name, x] : teacher.state_dict()) hash = hash_of(x, 0, x.size(), hash);
    return hash;
}

Tensor read_logits(const std::filesystem::path& path, const Metadata& made_from, int64_t rows) {
    const std::string file = path.string();
    const TensorFile found = load_safetensors(path);
    for (const auto& [what, hash] : made_from)
        check(found.metadata.contains(what), file, "is no file of a teacher's logits: no \"{}\"",
              what);
    const auto check_same = [&](const char* what, const char* text) {
        const std::string &its = found.metadata.at(what), &ours = made_from.at(what);
        check(its == ours, file,
              "{} (hash {}; {} expected). Remove it, or keep these logits in another file", text,
              its, ours);
    };
    check_same("data set", "holds logits for another data set");
    check_same("order", "holds logits for the same rows in another order");
    check_same("teacher", "holds logits of another teacher");
    const auto logits = found.tensors.find("logits");
    check(logits != found.tensors.end() && logits->second.rank() == 2 &&
              logits->second.size(0) == rows,
          file, "has no logits [{}, C]", rows);
    return logits->second;
}

}  // namespace

Tensor soft_targets(const Tensor& logits, double temperature) {
    check_temperature("soft_targets", temperature);
    return softmax(logits.view(logits.shape()) / temperature);  // a view is not on any tape
}

Tensor soft_targets(const std::vector<Tensor>& logits, double temperature) {
    check(!logits.empty(), "soft_targets", "no teachers given; at least one expected");
    Tensor sum = soft_targets(logits[0], temperature);
    for (size_t i = 1; i < logits.size(); ++i) {
        check(logits[i].shape() == logits[0].shape(), "soft_targets",
              "the first teacher's logits are {}, those of teacher {} are {}; one shape expected",
              logits[0].shape(), i + 1, logits[i].shape());
        sum = sum + soft_targets(logits[i], temperature);
    }
    return sum / static_cast<double>(logits.size());
}

Tensor soft_target_loss(const Tensor& logits, const Tensor& q, double temperature) {
    check_temperature("soft_target_loss", temperature);
    check_classes("soft_target_loss", logits, q);
    return soft_cross_entropy(logits / temperature, q) * (temperature * temperature);
}

Tensor logit_matching(const Tensor& logits, const Tensor& teacher_logits) {
    check_classes("logit_matching", logits, teacher_logits);
    const Tensor v = teacher_logits.view(teacher_logits.shape());
    return mse(centred(logits), centred(v)) * 0.5;
}

Tensor distillation_loss(const Tensor& logits, const Tensor& q, const Tensor& labels,
                         double temperature, double weight) {
    check(weight >= 0 && weight <= 1, "distillation_loss",
          "the teacher's weight is {}; 0 (labels alone) ... 1 (the teacher alone) expected",
          weight);
    const Tensor soft = soft_target_loss(logits, q, temperature) * weight;
    if (!labels.defined() || weight == 1) return soft;
    const auto values = labels.values<int32_t>();
    const auto rows = static_cast<double>(labels.size());
    const double share =
        (rows - static_cast<double>(std::count(values.begin(), values.end(), kUnlabelled))) / rows;
    if (share == 0) return soft;
    return soft +
           cross_entropy(logits, labels, {.ignore_index = kUnlabelled}) * ((1 - weight) * share);
}

double TeacherAnnealing::operator()(int64_t step) const {
    check(total >= 1, "teacher annealing", "over {} steps; at least 1 expected", total);
    const auto done = static_cast<double>(std::min(step, total));
    return from + (to - from) * done / static_cast<double>(total);
}

Tensor teacher_logits(Layer& teacher, const Tensor& inputs, int64_t at_once) {
    check(!Tape::current(), "teacher_logits",
          "a tape is open, which would remember the teacher's pass; ask the teacher before");
    check(at_once >= 1 && inputs.rank() >= 1 && inputs.size(0) >= 1, "teacher_logits",
          "inputs are {}, {} rows at once; at least one row expected", inputs.shape(), at_once);
    const Evaluating scope(teacher);
    std::vector<Tensor> portions;
    for (const Tensor& x : split(inputs, at_once)) portions.push_back(teacher(x));
    return concat(portions);
}

Tensor teacher_logits(Layer& teacher, const Tensor& inputs, const std::filesystem::path& file,
                      int64_t at_once) {
    const RowHashes rows(inputs);
    const Metadata made_from{{"data set", fmt::format("{:016x}", rows.set)},
                             {"order", fmt::format("{:016x}", rows.sequence)},
                             {"teacher", fmt::format("{:016x}", hash_of(teacher))}};
    if (std::filesystem::exists(file)) return read_logits(file, made_from, inputs.size(0));
    const Tensor logits = teacher_logits(teacher, inputs, at_once);
    save_safetensors(file, {{"logits", logits}}, made_from);
    return logits;
}

Distiller::Distiller(Layer& student, TransferSet set, const DistillerOptions& options)
    : student_(student), set_(std::move(set)), options_(options) {
    const int64_t rows = set_.inputs.size(0);
    check(options_.batch >= 1 && options_.batch <= rows, "distiller",
          "batches of {} from {} rows; a size from 1 up to the number of rows expected",
          options_.batch, rows);
    q_ = soft_targets(set_.teachers, options_.temperature);
    check(q_.rank() == 2 && q_.size(0) == rows, "distiller",
          "{} inputs, but the teachers' logits are {}; a row for each expected", rows, q_.shape());
    check(!set_.labels.defined() || set_.labels.shape() == Shape{rows}, "distiller",
          "{} inputs, but labels are {}; one for each expected, -100 where there is none", rows,
          set_.labels.defined() ? set_.labels.shape() : Shape{});
}

Tensor Distiller::loss(int64_t step) {
    check(step >= 0, "distiller", "step {}; steps count from 0", step);
    if (const int64_t epoch = step / per_epoch(); epoch != epoch_) {
        order_ = Rng(options_.seed, epoch).permutation(q_.size(0));
        epoch_ = epoch;
    }
    const Tensor rows = order_.view({options_.batch}, step % per_epoch() * options_.batch);
    const auto batch_of = [&](const Tensor& x) { return index_select(x, 0, rows); };
    Tensor labels;
    if (set_.labels.defined()) {
        labels = Tensor::empty({options_.batch}, Dtype::i32);
        for (int64_t i = 0; i < options_.batch; ++i)
            labels.set(i, set_.labels.at(static_cast<int64_t>(rows.at(i))));
    }
    return distillation_loss(student_(batch_of(set_.inputs)), batch_of(q_), labels,
                             options_.temperature, options_.weight(step));
}

double Distiller::train(Optimizer& optimizer, int64_t step) {
    student_.train();
    optimizer.zero_grad();
    Tape tape;
    const Tensor now = loss(step);
    tape.backward(now);
    optimizer.step();
    return now.item();
}

}  // namespace gradus::nn
