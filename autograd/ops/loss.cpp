// Losses. Each is a mean, in nats where it is an entropy.
#include <limits>

#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

struct Targets {
    int64_t rows, classes, counted = 0;

    Targets(const Tensor& logits, const Tensor& targets, const CrossEntropy& options)
        : rows(targets.size()), classes(logits.rank() ? logits.size(-1) : 0) {
        Shape expected = targets.shape();
        if (expected.rank() < kMaxRank) expected.append(classes);
        check(targets.dtype() == Dtype::i32, "softmax_cross_entropy",
              "targets have dtype {}, i32 expected", name(targets.dtype()));
        check(logits.rank() > 0 && logits.shape() == expected, "softmax_cross_entropy",
              "logits are {}, targets are {}: [..., C] and [...] expected", logits.shape(),
              targets.shape());
        check(options.label_smoothing >= 0 && options.label_smoothing <= 1, "softmax_cross_entropy",
              "label_smoothing is {}, 0 ... 1 expected", options.label_smoothing);
        const auto values = targets.values<int32_t>();
        for (size_t i = 0; i < values.size(); ++i) {
            if (values[i] == options.ignore_index) continue;
            check(values[i] >= 0 && values[i] < classes, "softmax_cross_entropy",
                  "target {} at position {} is out of range (0 ... {} or ignore_index {} expected)",
                  values[i], i, classes - 1, options.ignore_index);
            ++counted;
        }
    }
};

}  // namespace

Tensor composed::softmax_cross_entropy(const Tensor& logits, const Tensor& targets,
                                       const CrossEntropy& options) {
    const Targets t(logits, targets, options);
    // The targets as distributions q; rows that do not count are 0, so that -Σ q ln p leaves them out.
    Tensor q = Tensor::zeros({t.rows, t.classes}, logits.dtype());
    const double spread = options.label_smoothing / static_cast<double>(t.classes);
    for (int64_t i = 0; i < t.rows; ++i) {
        const auto target = static_cast<int32_t>(targets.at(i));
        if (target == options.ignore_index) continue;
        for (int64_t c = 0; c < t.classes; ++c)
            q.set(i * t.classes + c, spread + (c == target ? 1 - options.label_smoothing : 0));
    }
    const Tensor log_p = composed::log_softmax(reshape(logits, {t.rows, t.classes}));
    return -sum(q * log_p) / static_cast<double>(t.counted);
}

// loss = mean_i Σ_c -q_ic ln p_ic,  p = softmax(z);  dz = (p - q) dloss / count
Tensor softmax_cross_entropy(const Tensor& logits, const Tensor& targets,
                             const CrossEntropy& options) {
    if (Tape::wants_composed()) return composed::softmax_cross_entropy(logits, targets, options);
    const Targets t(logits, targets, options);
    Tensor lse = Tensor::empty({t.rows}, logits.dtype()),
           losses = Tensor::zeros({t.rows}, logits.dtype());
    const double on = 1 - options.label_smoothing,
                 spread = options.label_smoothing / static_cast<double>(t.classes);
    dispatch("softmax_cross_entropy", logits.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* z = logits.data<T>();
        const int32_t* target = targets.data<int32_t>();
        T *norm = lse.data<T>(), *loss = losses.data<T>();
        parallel_rows(t.rows, t.classes, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                if (target[i] == options.ignore_index) continue;
                const T* row = z + i * t.classes;
                T top = row[0], sum = 0, total = 0;
#pragma omp simd reduction(max : top)
                for (int64_t c = 0; c < t.classes; ++c) top = row[c] > top ? row[c] : top;
#pragma omp simd reduction(+ : sum, total)
                for (int64_t c = 0; c < t.classes; ++c)
                    sum += vec::exp(row[c] - top), total += row[c];
                norm[i] = top + std::log(sum);
                loss[i] = norm[i] - static_cast<T>(on) * row[target[i]];
                if (spread > 0) loss[i] -= static_cast<T>(spread) * total;
            }
        });
    });
    double total =
        0;  // not sum(losses), which whoever watches the ops would take for one of the user's
    for (int64_t i = 0; i < t.rows; ++i) total += losses.at(i);
    const Tensor loss = Tensor::full({}, total / static_cast<double>(t.counted), logits.dtype());
    return record(
        "softmax_cross_entropy", {logits}, loss,
        [=, ignored = options.ignore_index](const Tensor& dy, Gradient dz) {
            if (!dz) return;
            dispatch("softmax_cross_entropy", logits.dtype(), [&](auto zero) {
                using T = decltype(zero);
                const auto [out, add] = dz.sink<T>();
                const T *z = logits.data<T>(), *norm = lse.data<T>(),
                        scale = static_cast<T>(dy.item() / static_cast<double>(t.counted));
                const int32_t* target = targets.data<int32_t>();
                parallel_rows(t.rows, t.classes,
                              [&, out = out, add = add](int64_t begin, int64_t end) {
                                  for (int64_t i = begin; i < end; ++i) {
                                      T* row = out + i * t.classes;
                                      const bool counts = target[i] != ignored;
                                      if (!counts && !add) std::fill_n(row, t.classes, T(0));
                                      if (!counts) continue;
                                      const T shift = norm[i], even = static_cast<T>(spread);
                                      detail::map_serial(
                                          t.classes, row, add,
                                          [=](T x) { return scale * (vec::exp(x - shift) - even); },
                                          z + i * t.classes);
                                      row[target[i]] -= scale * static_cast<T>(on);
                                  }
                              });
            });
        });
}

Tensor composed::soft_cross_entropy(const Tensor& logits, const Tensor& distributions) {
    check(logits.rank() > 0 && logits.shape() == distributions.shape(), "soft_cross_entropy",
          "logits are {}, distributions are {}", logits.shape(), distributions.shape());
    const double rows = static_cast<double>(logits.size()) / static_cast<double>(logits.size(-1));
    return -sum(distributions.view(distributions.shape()) * composed::log_softmax(logits)) / rows;
}

// As above, with the whole of q given: -Σ q ln p = Σ q (lse - z)
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& distributions) {
    check(logits.rank() > 0 && logits.shape() == distributions.shape(), "soft_cross_entropy",
          "logits are {}, distributions are {}", logits.shape(), distributions.shape());
    const double rows = static_cast<double>(logits.size()) / static_cast<double>(logits.size(-1));
    return sum(distributions.view(distributions.shape()) * log_softmax(logits)) * (-1 / rows);
}

Tensor mse(const Tensor& prediction, const Tensor& target) {
    check(prediction.shape() == target.shape(), "mse",
          "prediction is {}, target is {}: equal shapes expected", prediction.shape(),
          target.shape());
    return mean(square(prediction - target));
}

// max(x, 0) - x t + ln(1 + e^-|x|);  dx = dy (sigmoid(x) - t),  dt = -dy x
Tensor bce_with_logits(const Tensor& logits, const Tensor& labels) {
    check(logits.shape() == labels.shape(), "bce_with_logits",
          "logits are {}, labels are {}: equal shapes expected", logits.shape(), labels.shape());
    return mean(softplus(logits) - logits * labels);
}

Tensor kl_div(const Tensor& log_p, const Tensor& q) {
    check(log_p.rank() > 0 && log_p.shape() == q.shape(), "kl_div",
          "log_p is {}, q is {}: equal shapes expected", log_p.shape(), q.shape());
    const double rows = static_cast<double>(q.size()) / static_cast<double>(q.size(-1));
    // q ln q is 0 where q is 0, as its limit.
    const Tensor safe = where(equal(q, as(q, 0)), as(q, 1), q);
    return sum(q * (log(safe) - log_p)) / rows;
}

}  // namespace gradus
