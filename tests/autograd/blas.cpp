#include "autograd/blas.h"

#ifdef _OPENMP
#include <omp.h>
#endif

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Size {
    int64_t m, n, k;
};
// Around 2^18 multiply-adds, where threads come in, and around the borders of panels (whole sixteens); few rows, and one
// more than those.
constexpr Size kSizes[] = {
    {1, 1, 1},      {1, 7, 300},   {7, 1, 300},    {64, 64, 64},   {64, 64, 65},   {65, 63, 64},
    {16, 16, 5000}, {8, 5, 20000}, {1, 1000, 700}, {900, 1, 700},  {17, 129, 150}, {129, 17, 150},
    {200, 33, 64},  {33, 200, 64}, {255, 257, 31}, {512, 10, 128}, {63, 65, 257},  {2, 9, 37},
    {3, 1001, 100}, {4, 333, 299}, {4, 40, 7000},  {5, 300, 129}};

template <class T>
std::vector<T> numbers(int64_t n, uint64_t seed) {
    const auto values = Rng(seed).uniform({n}, -1, 1, dtype_of<T>());
    return {values.template values<T>().begin(), values.template values<T>().end()};
}

// C (+)= op(A) op(B) in double, as the definition has it.
template <class T>
double error_of_gemm(bool ta, bool tb, Size s, bool add) {
    const auto a = numbers<T>(s.m * s.k, 1), b = numbers<T>(s.k * s.n, 2);
    const auto before = numbers<T>(s.m * s.n, 3);
    auto c = before;
    gemm(ta, tb, s.m, s.n, s.k, a.data(), b.data(), c.data(), add);
    double worst = 0;
    for (int64_t i = 0; i < s.m; ++i)
        for (int64_t j = 0; j < s.n; ++j) {
            double sum = add ? before[static_cast<size_t>(i * s.n + j)] : 0;
            for (int64_t p = 0; p < s.k; ++p)
                sum += static_cast<double>(a[static_cast<size_t>(ta ? p * s.m + i : i * s.k + p)]) *
                       b[static_cast<size_t>(tb ? j * s.k + p : p * s.n + j)];
            worst = std::max(worst, std::abs(sum - c[static_cast<size_t>(i * s.n + j)]));
        }
    return worst / std::sqrt(static_cast<double>(s.k));
}

}  // namespace

TEST_CASE("gemm: is the definition, in all forms, writing and adding") {
    for (const Size& size : kSizes)
        for (int form = 0; form < 8; ++form) {
            if (form > 3 && size.m * size.n * size.k > 300000) continue;
            INFO(size.m << " x " << size.n << " x " << size.k << ", form " << form);
            CHECK(error_of_gemm<double>(form & 1, form & 2, size, form & 4) < 1e-14);
            if (size.k < 1000 && (form == 0 || form == 6 || form == 7))
                CHECK(error_of_gemm<float>(form & 1, form & 2, size, form & 4) < 5e-6);
        }
}

TEST_CASE("gemm: over no inner elements writes zeros or leaves what is there") {
    std::vector<double> c = {1, 2, 3, 4};
    gemm<double>(false, false, 2, 2, 0, nullptr, nullptr, c.data(), true);
    CHECK(c == std::vector<double>{1, 2, 3, 4});
    gemm<double>(false, false, 2, 2, 0, nullptr, nullptr, c.data(), false);
    CHECK(c == std::vector<double>{0, 0, 0, 0});
    gemm<double>(false, false, 0, 2, 2, nullptr, c.data(), nullptr, false);
}

#ifdef _OPENMP
TEST_CASE("gemm: the same bits on 1, 2 and 3 threads, whatever the sizes") {
    const int before = omp_get_max_threads();
    auto check = [&]<class T>(T, const Size& s) {
        const auto a = numbers<T>(s.m * s.k, 1), b = numbers<T>(s.k * s.n, 2);
        for (int form = 0; form < 8; ++form) {
            auto product = [&](int threads) {
                omp_set_num_threads(threads);
                std::vector<T> c(static_cast<size_t>(s.m * s.n), T(1));
                gemm(form & 1, form & 2, s.m, s.n, s.k, a.data(), b.data(), c.data(), form & 4);
                return c;
            };
            const auto alone = product(1);
            INFO(s.m << " x " << s.n << " x " << s.k << ", form " << form);
            CHECK(product(2) == alone);
            CHECK(product(3) == alone);
        }
    };
    for (const Size& size : kSizes) {
        check(0.0, size);
        check(0.0f, size);
    }
    omp_set_num_threads(before);
}

TEST_CASE("matmul: batches have the same bits on 1, 2 and 3 threads") {
    const int before = omp_get_max_threads();
    for (const auto& [a, b] : {std::pair{Shape{5, 70, 60}, Shape{5, 60, 65}},
                               {Shape{9, 20, 33}, Shape{33, 40}},
                               {Shape{70, 60}, Shape{3, 60, 65}},
                               {Shape{2, 1, 30, 40}, Shape{3, 40, 33}}})
        for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
            const std::vector<Tensor> inputs = {uniform(a), uniform(b)};
            const Function f = [](const auto& xs) { return matmul(xs[0], xs[1]); };
            omp_set_num_threads(1);
            const auto alone = run(f, inputs, dtype);
            for (int threads : {2, 3}) {
                omp_set_num_threads(threads);
                const auto together = run(f, inputs, dtype);
                for (size_t i = 0; i < 3; ++i) CHECK(same_bits(alone[i], together[i]));
            }
        }
    omp_set_num_threads(before);
}
#endif
