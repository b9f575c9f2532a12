#include "data/sources/distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "autograd/ops.h"

namespace gradus::data {
namespace {

// ln of a gamma variate of shape a (Marsaglia and Tsang 2000). A shape below 1 is drawn as one of
// a + 1 times u^(1/a), in logarithms: for small a the number itself would be 0.
double log_gamma_variate(double a, Rng& rng) {
    double boost = 0;
    if (a < 1) {
        boost = std::log1p(-rng.uniform()) / a;
        a += 1;
    }
    const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = rng.normal(), v = std::pow(1 + c * x, 3);
        const double log_u = std::log1p(-rng.uniform());
        if (v > 0 && log_u < x * x / 2 + d - d * v + d * std::log(v)) {
            return std::log(d * v) + boost;
        }
    }
}

}  // namespace

int32_t draw(std::span<const double> probabilities, Rng& rng) {
    double left = rng.uniform();
    size_t last = 0;  // what rounding leaves over goes to the last one that is possible
    for (size_t i = 0; i < probabilities.size(); ++i) {
        if (probabilities[i] <= 0) continue;
        last = i;
        left -= probabilities[i];
        if (left < 0) break;
    }
    return static_cast<int32_t>(last);
}

Tensor dirichlet(int64_t rows, int64_t columns, double concentration, Rng& rng) {
    check(concentration > 0 && std::isfinite(concentration), "dirichlet",
          "concentration {}; a number above 0 expected", concentration);
    Tensor logs = Tensor::empty({rows, columns}, Dtype::f64);
    for (int64_t i = 0; i < logs.size(); ++i) {
        logs.data<double>()[i] = log_gamma_variate(concentration, rng);
    }
    return softmax(logs);
}

void check_rows(std::string_view what, const Tensor& table) {
    check(table.defined() && table.dtype() == Dtype::f64 && table.rank() == 2 && table.size() > 0,
          what, "{}; probabilities [rows, columns] in f64 expected",
          table.defined() ? fmt::format("the table is {} {}", name(table.dtype()), table.shape())
                          : std::string("the table is undefined"));
    for (int64_t i = 0; i < table.size(0); ++i) {
        const auto p = row(table, i);
        const double total = std::accumulate(p.begin(), p.end(), 0.0);
        const bool negative = std::any_of(p.begin(), p.end(), [](double x) { return !(x >= 0); });
        check(!negative && std::abs(total - 1) < 1e-9, what,
              "row {} {} {}; probabilities from 0 up that sum to 1 expected", i,
              negative ? "holds" : "sums to",
              negative ? *std::find_if(p.begin(), p.end(), [](double x) { return !(x >= 0); })
                       : total);
    }
}

void check_ids(std::string_view what, const Tensor& ids, int64_t count, int32_t lowest) {
    check(ids.dtype() == Dtype::i32 && ids.rank() == 1, what, "ids are {} {}; i32 [n] expected",
          name(ids.dtype()), ids.shape());
    for (int64_t i = 0; i < ids.size(); ++i) {
        const int32_t id = ids.data<int32_t>()[i];
        check(id >= lowest && id < count, what, "id {} at position {}; {} ... {} expected", id, i,
              lowest, count - 1);
    }
}

Tensor stationary(std::string_view what, int64_t states,
                  const std::function<Tensor(const Tensor&)>& move) {
    Tensor pi = Tensor::full({states}, 1 / static_cast<double>(states), Dtype::f64);
    for (int step = 0; step < 100000; ++step) {
        // Half of it rests: a chain that goes round in circles settles too.
        const Tensor next = (pi + move(pi)) / 2;
        const double moved = sum(abs(next - pi)).item();
        pi = next / sum(next);
        if (moved < 1e-14) return pi;
    }
    fail(what,
         "the chain has no stationary distribution that 100,000 steps could find: it hardly "
         "ever leaves some of its states; make such transitions likelier, or impossible");
}

double entropy(std::span<const double> probabilities) {
    double nats = 0;
    for (double p : probabilities) nats -= p > 0 ? p * std::log(p) : 0;
    return nats;
}

}  // namespace gradus::data
