#include "data/sources/in_context.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/sources/distribution.h"

namespace gradus::data {
namespace {

// B batch · T time · K symbols
void check_options(const InContextChains& source) {
    check(source.symbols >= 2 && source.time >= 1 && source.batch >= 1, "in-context chains",
          "{} symbols, {} targets, a batch of {}; at least 2, 1 and 1 expected", source.symbols,
          source.time, source.batch);
}

void check_batch(const Batch& batch, int64_t symbols) {
    const auto& [x, y] = batch;
    check(x.rank() == 2 && x.shape() == y.shape(), "in-context chains",
          "x is {}, y {}; [B, T] of both expected", x.shape(), y.shape());
    check_ids("in-context chains: x", x.view({x.size()}), symbols);
    check_ids("in-context chains: y", y.view({y.size()}), symbols);
    const int32_t *in = x.data<int32_t>(), *out = y.data<int32_t>();
    for (int64_t i = 0; i + 1 < x.size(); ++i) {
        check((i + 1) % x.size(1) == 0 || in[i + 1] == out[i], "in-context chains",
              "row {}: target {} is {}, and x goes on with {}; y must be what follows in x",
              i / x.size(1), i % x.size(1), out[i], in[i + 1]);
    }
}

// -ln (n + pseudo) / (total + K pseudo) of each target: how often the row has had this target, and
// any, after a symbol of the same context.
template <class Context>
Tensor counted_nats(const Batch& batch, int64_t symbols, int64_t contexts, double pseudo,
                    Context context) {
    const int64_t rows = batch.x.size(0), time = batch.x.size(1);
    const int32_t *x = batch.x.data<int32_t>(), *y = batch.y.data<int32_t>();
    Tensor nats = Tensor::empty({rows, time}, Dtype::f64);
    for (int64_t b = 0; b < rows; ++b) {
        std::vector<double> counts(static_cast<size_t>(contexts * symbols), pseudo);
        std::vector<double> totals(static_cast<size_t>(contexts),
                                   static_cast<double>(symbols) * pseudo);
        for (int64_t i = b * time; i < (b + 1) * time; ++i) {
            const int64_t c = context(x[i]);
            double& count = counts[static_cast<size_t>(c * symbols + y[i])];
            double& total = totals[static_cast<size_t>(c)];
            nats.data<double>()[i] = std::log(total / count);
            count += 1;
            total += 1;
        }
    }
    return nats;
}

}  // namespace

Batch InContextChains::at(int64_t step) const {
    check_options(*this);
    check(step >= 0, "in-context chains", "step {}; 0 or more expected", step);
    Rng rng(seed, step);
    Batch rows{Tensor::empty({batch, time}, Dtype::i32), Tensor::empty({batch, time}, Dtype::i32)};
    for (int64_t b = 0; b < batch; ++b) {
        const Tensor chain = dirichlet(symbols, symbols, concentration, rng);
        auto id = static_cast<int32_t>(rng.below(symbols));
        for (int64_t i = b * time; i < (b + 1) * time; ++i) {
            rows.x.data<int32_t>()[i] = id;
            id = draw(row(chain, id), rng);
            rows.y.data<int32_t>()[i] = id;
        }
    }
    return rows;
}

Tensor InContextChains::nats(const Batch& rows) const {
    check_options(*this);
    check_batch(rows, symbols);
    return counted_nats(rows, symbols, symbols, concentration, [](int32_t id) { return id; });
}

Tensor InContextChains::unigram_nats(const Batch& rows) const {
    check_options(*this);
    check_batch(rows, symbols);
    return counted_nats(rows, symbols, 1, 1, [](int32_t) { return 0; });
}

}  // namespace gradus::data
