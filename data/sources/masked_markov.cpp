#include "data/sources/masked_markov.h"

#include <cmath>

#include "autograd/ops.h"
#include "data/sources/distribution.h"

namespace gradus::data {
namespace {

// The chain from context to context; the last digit of a context's number is its last token.
HiddenMarkov chain_of_contexts(const Markov& chain) {
    check(
        chain.order() >= 1, "masked markov",
        "the source is of order 0: its tokens say nothing of each other; order 1 or more expected");
    const int64_t k = chain.symbols(), contexts = chain.table().size(0);
    Tensor move = Tensor::zeros({contexts, contexts}, Dtype::f64);
    Tensor show = Tensor::zeros({contexts, k}, Dtype::f64);
    for (int64_t c = 0; c < contexts; ++c) {
        show.set(c * k + c % k, 1);
        for (int64_t id = 0; id < k; ++id)
            move.set(c * contexts + (c * k + id) % contexts, chain.table().at(c * k + id));
    }
    return HiddenMarkov(move, show, chain.stationary());
}

}  // namespace

MaskedMarkov::MaskedMarkov(const Markov& chain)
    : chain_(chain), states_(chain_of_contexts(chain)) {}

Tensor MaskedMarkov::nats(const Tensor& ids, const Tensor& hidden) const {
    check((ids.rank() == 1 || ids.rank() == 2) && ids.shape() == hidden.shape() &&
              hidden.dtype() == Dtype::i32,
          "masked markov", "ids are {}, hidden is {} {}; [n] or [B, n] in i32 of both expected",
          ids.shape(), name(hidden.dtype()), hidden.shape());
    check_ids("masked markov", ids.view({ids.size()}), chain_.symbols());
    const int64_t n = ids.size(-1), k = chain_.symbols();
    Tensor nats = Tensor::zeros(ids.shape(), Dtype::f64);
    Tensor seen = Tensor::empty({n}, Dtype::i32);
    for (int64_t begin = 0; begin < ids.size(); begin += n) {
        const int32_t *text = ids.data<int32_t>() + begin, *hides = hidden.data<int32_t>() + begin;
        for (int64_t t = 0; t < n; ++t)
            seen.data<int32_t>()[t] = hides[t] ? HiddenMarkov::kHole : text[t];
        const Tensor guesses = states_.cloze(seen);  // [n, K]
        for (int64_t t = 0; t < n; ++t)
            if (hides[t]) nats.data<double>()[begin + t] = -std::log(guesses.at(t * k + text[t]));
    }
    return nats;
}

double MaskedMarkov::one_hidden_nats() const {
    check(chain_.order() == 1, "masked markov",
          "the source is of order {}; the average over one hidden token is known for order 1: take "
          "that of nats() over a long text",
          chain_.order());
    const int64_t k = chain_.symbols();
    const Tensor& move = chain_.table();
    const Tensor twice = matmul(move, move);
    double total = 0;
    for (int64_t a = 0; a < k; ++a) {
        for (int64_t b = 0; b < k; ++b) {
            for (int64_t c = 0; c < k; ++c) {
                const double path = move.at(a * k + b) * move.at(b * k + c);
                if (path > 0)
                    total -=
                        chain_.stationary().at(a) * path * std::log(path / twice.at(a * k + c));
            }
        }
    }
    return total;
}

}  // namespace gradus::data
