#include "data/sources/markov.h"

#include <cmath>

#include "autograd/ops.h"
#include "data/sources/distribution.h"

namespace gradus::data {

Markov::Markov(const Tensor& table) : table_(table) {
    check_rows("markov", table_);
    const int64_t k = symbols(), contexts = table_.size(0);
    check(k >= 2, "markov", "{} symbol; at least 2 expected", k);
    int64_t power = 1;
    for (; power < contexts; power *= k) ++order_;
    check(power == contexts, "markov",
          "the table has {} rows over {} symbols; a power of {} expected: {} or {}", contexts, k, k,
          power / k, power);

    // From context to context is a chain of order 1.
    stationary_ = data::stationary("markov", contexts, [&](const Tensor& pi) {
        Tensor moved = Tensor::zeros({contexts}, Dtype::f64);
        for (int64_t c = 0; c < contexts; ++c) {
            for (int32_t id = 0; id < k; ++id) {
                moved.data<double>()[after(c, id)] += pi.at(c) * table_.at(c * k + id);
            }
        }
        return moved;
    });
}

Markov Markov::symmetric(int64_t symbols, double stay) {
    check(symbols >= 2 && stay >= 0 && stay <= 1, "markov",
          "{} symbols that stay with probability {}; at least 2, and 0 ... 1 expected", symbols,
          stay);
    Tensor table =
        Tensor::full({symbols, symbols}, (1 - stay) / static_cast<double>(symbols - 1), Dtype::f64);
    for (int64_t i = 0; i < symbols; ++i) table.set(i * symbols + i, stay);
    return Markov(table);
}

Markov Markov::random(int64_t symbols, int order, double concentration, Rng& rng) {
    check(symbols >= 2 && order >= 0, "markov",
          "{} symbols, order {}; at least 2 symbols and an order from 0 up expected", symbols,
          order);
    const double contexts = std::pow(static_cast<double>(symbols), order);
    check(contexts <= 1 << 20, "markov",
          "{} symbols to the power {} are {} contexts; at most 1,048,576", symbols, order,
          contexts);
    return Markov(dirichlet(static_cast<int64_t>(contexts), symbols, concentration, rng));
}

double Markov::entropy_rate() const {
    double rate = 0;
    for (int64_t c = 0; c < table_.size(0); ++c)
        rate += stationary_.at(c) * entropy(row(table_, c));
    return rate;
}

// The context that a token makes of another: the oldest digit leaves, the new one comes in last.
int64_t Markov::after(int64_t context, int32_t id) const {
    return (context * symbols() + id) % table_.size(0);
}

Tensor Markov::sample(int64_t n, Rng& rng) const {
    check(n >= 0, "markov", "a sample of {} tokens; 0 or more expected", n);
    Tensor ids = Tensor::empty({n}, Dtype::i32);
    int64_t context = draw(stationary_.values<double>(), rng);
    int64_t digit = table_.size(0);  // of the first context, from its oldest id on
    for (int64_t i = 0; i < n; ++i) {
        if (digit > 1) {
            digit /= symbols();
            ids.data<int32_t>()[i] = static_cast<int32_t>(context / digit % symbols());
            continue;
        }
        const int32_t id = draw(row(table_, context), rng);
        ids.data<int32_t>()[i] = id;
        context = after(context, id);
    }
    return ids;
}

Tensor Markov::token_nats(const Tensor& ids) const {
    check_ids("markov", ids, symbols());
    check(ids.size() >= order_, "markov", "{} tokens; at least the order, {}, expected", ids.size(),
          order_);
    Tensor nats = Tensor::empty({ids.size() - order_}, Dtype::f64);
    int64_t context = 0;
    for (int64_t i = 0; i < ids.size(); ++i) {
        const int32_t id = ids.data<int32_t>()[i];
        if (i >= order_) nats.set(i - order_, -std::log(table_.at(context * symbols() + id)));
        context = after(context, id);
    }
    return nats;
}

double Markov::nats(const Tensor& ids) const { return sum(token_nats(ids)).item(); }

}  // namespace gradus::data
