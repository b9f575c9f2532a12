#include "autograd/vec.h"

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kTiny = std::numeric_limits<float>::min();
constexpr uint32_t kStride =
    1009;  // a prime: every exponent and all kinds of mantissas, 4 million floats

// The largest relative error of f against the same function in double over the floats that `inside` wants. A result too
// small for a normal float may be 0 or come from fewer bits.
template <class F, class Exact, class Inside>
double worst_error(F f, Exact exact, Inside inside) {
    double worst = 0;
    for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += kStride) {
        const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
        if (x != x || !inside(x)) continue;
        const double expected = exact(static_cast<double>(x)), received = f(x);
        if (static_cast<float>(expected) == received) continue;
        if (std::abs(expected) < kTiny && std::abs(received) <= 1.0001 * kTiny) continue;
        const double error = std::abs(received - expected) / std::abs(expected);
        worst = std::isnan(error) ? kInfinity : std::max(worst, error);
    }
    return worst;
}
bool everywhere(float) { return true; }

// An op over an array, where the loop is one of vectors, gives what the scalar gives.
template <class F>
void check_vectors(const char* name, Tensor (*op)(const Tensor&), F f) {
    std::vector<float> values;
    for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 40009)
        values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    const Tensor x = Tensor::from(values), y = op(x);
    int64_t wrong = 0;
    for (size_t i = 0; i < values.size(); ++i) {
        const float received = y.values<float>()[i], expected = f(values[i]);
        const float slack = 4e-7f * std::abs(expected);
        const bool equal = received == expected || (received != received && expected != expected) ||
                           std::abs(received - expected) <= slack;
        wrong += !equal;
    }
    INFO(name);
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("vec: relative error below 4e-7 over all floats") {
    CHECK(worst_error([](float x) { return vec::exp(x); }, [](double x) { return std::exp(x); },
                      everywhere) <= 4e-7);
    CHECK(worst_error([](float x) { return vec::tanh(x); }, [](double x) { return std::tanh(x); },
                      everywhere) <= 4e-7);
    CHECK(worst_error([](float x) { return vec::erf(x); }, [](double x) { return std::erf(x); },
                      everywhere) <= 4e-7);
    CHECK(worst_error([](float x) { return vec::log(x); }, [](double x) { return std::log(x); },
                      [](float x) { return x > 0; }) <= 4e-7);
    CHECK(worst_error([](float x) { return vec::sigmoid(x); },
                      [](double x) { return 1 / (1 + std::exp(-x)); }, everywhere) <= 4e-7);
    CHECK(worst_error([](float x) { return vec::log1p(x); }, [](double x) { return std::log1p(x); },
                      [](float x) { return x >= 0 && x <= 1; }) <= 4e-7);
}

TEST_CASE("vec: log keeps its relative error close to 1, where it is nearly 0") {
    double worst = 0;
    for (int32_t ulps = -200000; ulps <= 200000; ++ulps) {
        const float x = std::bit_cast<float>(std::bit_cast<int32_t>(1.0f) + ulps);
        if (x == 1) continue;
        const double expected = std::log(static_cast<double>(x));
        worst = std::max(worst, std::abs((vec::log(x) - expected) / expected));
    }
    CHECK(worst <= 4e-7);
    CHECK(vec::log(1.0f) == 0);
}

TEST_CASE("vec: exp keeps its error up to the ends of its range") {
    double worst = 0;
    for (float end : {88.7228394f, -87.3365479f})
        for (int32_t ulps = 0; ulps < 100000; ++ulps) {
            const float x = std::bit_cast<float>(std::bit_cast<int32_t>(end) - ulps);
            const double expected = std::exp(static_cast<double>(x));
            if (static_cast<float>(expected) == vec::exp(x)) continue;  // infinity, too
            worst = std::max(worst, std::abs(vec::exp(x) - expected) / expected);
        }
    CHECK(worst <= 4e-7);
    CHECK(vec::exp(88.8f) == kInf);
    CHECK(vec::exp(-104.0f) == 0);
}

TEST_CASE("vec: NaN gives NaN, infinities their limits, zeros keep their sign") {
    for (auto f :
         {+[](float x) { return vec::exp(x); }, +[](float x) { return vec::tanh(x); },
          +[](float x) { return vec::erf(x); }, +[](float x) { return vec::log(x); },
          +[](float x) { return vec::sigmoid(x); }, +[](float x) { return vec::log1p(x); }})
        CHECK(std::isnan(f(kNan)));
    CHECK(vec::exp(kInf) == kInf);
    CHECK(vec::exp(-kInf) == 0);
    CHECK(vec::exp(0.0f) == 1);
    CHECK(vec::tanh(kInf) == 1);
    CHECK(vec::tanh(-kInf) == -1);
    CHECK(vec::erf(kInf) == 1);
    CHECK(vec::erf(-kInf) == -1);
    CHECK(vec::sigmoid(kInf) == 1);
    CHECK(vec::sigmoid(-kInf) == 0);
    CHECK(vec::sigmoid(0.0f) == 0.5f);
    CHECK(vec::log(kInf) == kInf);
    CHECK(vec::log(0.0f) == -kInf);
    CHECK(vec::log(-0.0f) == -kInf);
    CHECK(std::isnan(vec::log(-1.0f)));
    CHECK(std::isnan(vec::log(-kInf)));
    CHECK(vec::log1p(0.0f) == 0);
    CHECK(std::signbit(vec::tanh(-0.0f)));
    CHECK(std::signbit(vec::erf(-0.0f)));
    CHECK_FALSE(std::signbit(vec::erf(0.0f)));
}

TEST_CASE("vec: denormals: exp, tanh, erf pass through them, log is right on them") {
    for (float x : {1e-45f, 1e-40f, 1.1e-38f}) {
        CHECK(vec::exp(x) == 1);
        CHECK(std::abs(vec::tanh(x) - x) <= kTiny);
        CHECK(std::abs(vec::erf(x)) <= 1.2 * kTiny);
        CHECK(std::abs(vec::log(x) / std::log(static_cast<double>(x)) - 1) < 4e-7);
    }
}

TEST_CASE("vec: a loop of vectors gives what the scalar gives") {
    check_vectors("exp", exp, [](float x) { return vec::exp(x); });
    check_vectors("log", log, [](float x) { return vec::log(x); });
    check_vectors("tanh", tanh, [](float x) { return vec::tanh(x); });
    check_vectors("sigmoid", sigmoid, [](float x) { return vec::sigmoid(x); });
    check_vectors("erf", erf, [](float x) { return vec::erf(x); });
    check_vectors("sqrt", sqrt, [](float x) { return std::sqrt(x); });
}
