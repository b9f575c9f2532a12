#include "autograd/gradcheck.h"

#include <cmath>

#include "autograd/ops.h"

namespace gradus {
namespace {

// Σ w y with weights that depend on the size alone; a single y is itself.
Tensor weighted_sum(const Tensor& y) {
    if (y.size() == 1) return sum(y);
    return sum(y * Rng(y.size()).uniform(y.shape(), 0.5, 1.5, y.dtype()));
}

double dot(const Tensor& a, const Tensor& b) {
    double total = 0;
    for (int64_t i = 0; i < a.size(); ++i) total += a.at(i) * b.at(i);
    return total;
}

}  // namespace

GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
    std::vector<Tensor> xs;
    for (size_t i = 0; i < inputs.size(); ++i) {
        check(inputs[i].dtype() == Dtype::f64, "gradcheck",
              "input {} has dtype {}: float32 differences prove nothing, use .to(Dtype::f64)", i,
              name(inputs[i].dtype()));
        xs.push_back(inputs[i].clone().requires_grad());
    }
    std::string op = "f";
    {
        Tape tape;
        const Tensor y = f(xs), loss = weighted_sum(y);
        if (tape.recorded(y)) op = tape.op_of(y);  // names the failure
        if (tape.recorded(loss)) tape.backward(loss);
    }

    GradcheckResult result;
    auto value = [&] { return weighted_sum(f(xs)).item(); };
    auto compare = [&](size_t input, const std::string& where, double expected, double received) {
        const double error = std::abs(expected - received) / std::max(1.0, std::abs(expected));
        if (error <= result.worst && !std::isnan(error)) return;
        result.worst = error;
        if (error <= options.tolerance) return;
        result.ok = false;
        result.message =
            fmt::format("gradcheck: {}: input {} of shape {}, {}: expected {:.9g}, received {:.9g}",
                        op, input, xs[input].shape(), where, expected, received);
    };
    Rng rng(options.seed);
    for (size_t i = 0; i < xs.size(); ++i) {
        Tensor& x = xs[i];
        const Tensor original = inputs[i];
        const Tensor grad = x.grad().defined() ? x.grad() : Tensor::zeros(x.shape(), Dtype::f64);
        if (x.size() <= options.every) {
            for (int64_t j = 0; j < x.size(); ++j) {
                const double step = options.step * std::max(1.0, std::abs(original.at(j)));
                x.set(j, original.at(j) + step);
                const double up = value();
                x.set(j, original.at(j) - step);
                const double down = value();
                x.set(j, original.at(j));
                compare(i, fmt::format("element {}", j), (up - down) / (2 * step), grad.at(j));
            }
            continue;
        }
        for (int k = 0; k < options.directions; ++k) {
            Tensor direction = rng.normal(x.shape(), 0, 1, Dtype::f64);
            direction = direction / std::sqrt(dot(direction, direction));
            x.copy_from(original + direction * options.step);
            const double up = value();
            x.copy_from(original - direction * options.step);
            const double down = value();
            x.copy_from(original);
            compare(i, fmt::format("random direction {}", k), (up - down) / (2 * options.step),
                    dot(direction, grad));
        }
    }
    return result;
}

}  // namespace gradus
