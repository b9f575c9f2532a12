#include "data/sources/masked_markov.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using data::Markov, data::MaskedMarkov;

namespace {

// p(text), the first `order` tokens included: as from an endless text.
double probability(const Markov& chain, const Tensor& ids) {
    int64_t context = 0;
    for (int i = 0; i < chain.order(); ++i)
        context = context * chain.symbols() + static_cast<int64_t>(ids.at(i));
    return chain.stationary().at(context) * std::exp(-chain.nats(ids));
}

// -ln p(token t | those not hidden), by summing over every text that has the same ones.
double by_summing(const Markov& chain, const Tensor& ids, const Tensor& hidden, int64_t t) {
    const int64_t k = chain.symbols(), n = ids.size();
    double same = 0, all = 0;
    for (int64_t number = 0; number < std::pow(k, n); ++number) {
        Tensor text = ids.clone();
        bool agrees = true;
        for (int64_t i = 0, rest = number; i < n; ++i, rest /= k) {
            if (hidden.at(i) == 0) agrees = agrees && rest % k == static_cast<int64_t>(ids.at(i));
            text.set(i, static_cast<double>(rest % k));
        }
        if (!agrees) continue;
        const double p = probability(chain, text);
        all += p;
        if (text.at(t) == ids.at(t)) same += p;
    }
    return -std::log(same / all);
}

// The mean over hidden tokens of -ln p, where every `period`-th and so many after it are hidden.
double mean_nats(const Markov& chain, int64_t period, int64_t together) {
    Rng rng(3);
    const int64_t n = 60000;
    const Tensor ids = chain.sample(n, rng);
    Tensor hidden = Tensor::zeros({n}, Dtype::i32);
    int64_t count = 0;
    for (int64_t i = period; i + period < n; i += period)
        for (int64_t j = 0; j < together; ++j, ++count) hidden.set(i + j, 1);
    return sum(MaskedMarkov(chain).nats(ids, hidden)).item() / static_cast<double>(count);
}

}  // namespace

TEST_CASE("masked markov: any set of hidden tokens agrees with the sum over all texts") {
    Rng rng(1);
    for (const int order : {1, 2}) {
        const Markov chain = Markov::random(3, order, 0.7, rng);
        const MaskedMarkov masked(chain);
        const Tensor ids = chain.sample(5, rng);
        for (int set = 0; set < 32; ++set) {
            Tensor hidden = Tensor::zeros({5}, Dtype::i32);
            for (int i = 0; i < 5; ++i) hidden.set(i, set >> i & 1);
            const Tensor nats = masked.nats(ids, hidden);
            for (int i = 0; i < 5; ++i) {
                const double expected = hidden.at(i) == 0 ? 0 : by_summing(chain, ids, hidden, i);
                CHECK(nats.at(i) == doctest::Approx(expected).epsilon(1e-10));
            }
        }
    }
}

TEST_CASE("masked markov: one hidden token of the symmetric source: the known figures") {
    const auto nats = [](int64_t symbols, double stay) {
        return MaskedMarkov(Markov::symmetric(symbols, stay)).one_hidden_nats();
    };
    CHECK(std::abs(nats(3, 0.8) - 0.4014) < 5e-5);
    CHECK(std::abs(nats(8, 0.7) - 0.7287) < 5e-5);
    CHECK(std::abs(nats(16, 0.6) - 1.1489) < 5e-5);
}

TEST_CASE("masked markov: on a text, one hidden token costs that, with its neighbour hidden more") {
    const Markov chain = Markov::symmetric(8, 0.7);
    CHECK(mean_nats(chain, 5, 1) == doctest::Approx(0.7287).epsilon(0.03));
    CHECK(mean_nats(chain, 5, 2) == doctest::Approx(0.9750).epsilon(0.03));
    // Nothing is hidden from whoever knows what comes next in a ring.
    const Markov ring(Tensor::from<double>({0, 1, 0, 0, 0, 1, 1, 0, 0}, {3, 3}));
    CHECK(mean_nats(ring, 5, 3) == 0);
    CHECK(MaskedMarkov(ring).one_hidden_nats() == 0);
}

TEST_CASE("masked markov: rows are texts of their own") {
    const Markov chain = Markov::symmetric(4, 0.6);
    Rng rng(2);
    const Tensor ids = reshape(chain.sample(12, rng), {2, 6});
    const Tensor hidden = Tensor::from<int32_t>({1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1}, {2, 6});
    const MaskedMarkov masked(chain);
    const Tensor nats = masked.nats(ids, hidden);
    CHECK(nats.shape() == Shape{2, 6});
    for (int64_t b = 0; b < 2; ++b)
        CHECK(test::same_bits(nats.view({6}, b * 6),
                              masked.nats(ids.view({6}, b * 6), hidden.view({6}, b * 6))));
    CHECK(sum(masked.nats(ids, Tensor::zeros({2, 6}, Dtype::i32))).item() == 0);
}

TEST_CASE("masked markov: what does not fit is refused") {
    Rng rng(1);
    const Markov forgetful = Markov::random(3, 0, 1, rng), longer = Markov::random(3, 2, 1, rng);
    CHECK(test::contains(test::error_of([&] { MaskedMarkov{forgetful}; }), "of order 0"));
    CHECK(test::contains(test::error_of([&] { MaskedMarkov(longer).one_hidden_nats(); }),
                         "of order 2"));
    const MaskedMarkov masked(Markov::symmetric(3, 0.5));
    const auto read = [&](std::vector<int32_t> ids, const Tensor& hidden) {
        return test::error_of([&] { masked.nats(Tensor::from<int32_t>(ids), hidden); });
    };
    const Tensor none = Tensor::zeros({2}, Dtype::i32);
    CHECK(test::contains(read({0, 3}, none), "id 3 at position 1; 0 ... 2 expected"));
    CHECK(test::contains(read({0}, none), "ids are [1], hidden is i32 [2]"));
    CHECK(test::contains(read({0, 1}, Tensor::zeros({2})), "hidden is f32 [2]"));
}
