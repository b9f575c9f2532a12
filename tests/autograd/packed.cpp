#include "autograd/packed.h"

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

template <class T>
std::vector<T> numbers(int64_t n, uint64_t seed) {
    const auto values = Rng(seed).uniform({n}, -1, 1, dtype_of<T>());
    return {values.template values<T>().begin(), values.template values<T>().end()};
}

struct Size {
    int64_t rows, k, n;
};
// One tile and less, more than one; panels that are not full; sums longer than kDepth; rows that share places in the cache.
constexpr Size kSizes[] = {{1, 1, 1},   {kTileRows, 9, 33},       {3 * kTileRows + 1, 17, 64},
                           {5, 30, 16}, {2, kDepth, 7},           {7, kDepth + 1, 40},
                           {20, 0, 35}, {9, 2 * kDepth + 5, 100}, {kTileRows + 2, 1024, 70}};

// What is added to the product.
enum class Start { nothing, itself, bias };

template <class T>
double error(const Size& s, bool transpose_a, bool transpose_b, Start start, bool lists) {
    const auto a = numbers<T>(s.rows * s.k, 1), b = numbers<T>(s.k * s.n, 2),
               bias = numbers<T>(s.n, 3), before = numbers<T>(s.rows * s.n, 4);
    auto c = before;
    std::vector<const T*> a_list;
    std::vector<T*> c_list;
    for (int64_t r = 0; r < s.rows; ++r) {
        a_list.push_back(a.data() + r * (transpose_a ? 1 : s.k));
        c_list.push_back(c.data() + r * s.n);
    }
    const Packed<T> packed(transpose_b, s.k, s.n, b.data());
    const Rows<const T> left = lists         ? Rows<const T>(a_list)
                               : transpose_a ? Rows<const T>(a.data(), 1)
                                             : Rows<const T>(a.data(), s.k);
    const Rows<T> to = lists ? Rows<T>(c_list) : Rows<T>(c.data(), s.n);
    packed.multiply(s.rows, left,
                    start == Start::nothing  ? Rows<const T>()
                    : start == Start::itself ? Rows<const T>(to)
                                             : Rows<const T>(bias.data(), 0),
                    to, {0, s.k, s.n, transpose_a ? s.rows : 1});
    double worst = 0;
    for (int64_t r = 0; r < s.rows; ++r)
        for (int64_t j = 0; j < s.n; ++j) {
            double sum = start == Start::nothing ? 0
                         : start == Start::bias  ? bias[static_cast<size_t>(j)]
                                                 : before[static_cast<size_t>(r * s.n + j)];
            for (int64_t i = 0; i < s.k; ++i)
                sum += static_cast<double>(
                           a[static_cast<size_t>(transpose_a ? i * s.rows + r : r * s.k + i)]) *
                       b[static_cast<size_t>(transpose_b ? j * s.k + i : i * s.n + j)];
            worst = std::max(worst, std::abs(sum - c[static_cast<size_t>(r * s.n + j)]));
        }
    return worst / std::sqrt(static_cast<double>(s.k + 1));
}

}  // namespace

TEST_CASE("packed: is the definition, for every form of A, B and C") {
    for (const Size& size : kSizes)
        for (int form = 0; form < 24; ++form) {
            const bool transpose_a = form & 1, transpose_b = form & 2, lists = form & 4;
            if (transpose_a && (lists || size.rows == 1)) continue;  // no such form
            INFO(size.rows << " x " << size.k << " x " << size.n << ", form " << form);
            const Start start{form / 8};
            CHECK(error<double>(size, transpose_a, transpose_b, start, lists) < 1e-14);
            CHECK(error<float>(size, transpose_a, transpose_b, start, lists) < 5e-6);
        }
}

TEST_CASE("packed: a part of a product leaves the columns beyond alone") {
    const auto a = numbers<float>(3 * 50, 1), b = numbers<float>(50 * 80, 2);
    std::vector<float> c(3 * 80, 7);
    const Packed<float> packed(false, 50, 80, b.data());
    packed.multiply(3, Rows(a.data(), 50), Rows(c.data(), 80), {10, 30, 35});
    for (size_t r = 0; r < 3; ++r)
        for (size_t j = 0; j < 80; ++j) {
            double sum = 0;
            for (size_t i = 10; i < 30; ++i) sum += a[r * 50 + i] * b[i * 80 + j];
            CHECK(c[r * 80 + j] == doctest::Approx(j < 35 ? sum : 7).epsilon(1e-5));
        }
}

TEST_CASE(
    "packed: the same bits wherever rows and columns are cut, and from where B is stored either "
    "way") {
    const int64_t m = 3 * kTileRows + 5, k = kDepth + 40, n = 75;
    const auto a = numbers<float>(m * k, 1), b = numbers<float>(k * n, 2);
    std::vector<float> transposed(b.size()), whole(static_cast<size_t>(m * n)), parts = whole,
                                                                                other = whole;
    for (int64_t i = 0; i < k; ++i)
        for (int64_t j = 0; j < n; ++j)
            transposed[static_cast<size_t>(j * k + i)] = b[static_cast<size_t>(i * n + j)];
    const auto multiply = [&](const Packed<float>& packed, int64_t rows, int64_t first,
                              int64_t columns, float* c) {
        packed.multiply(rows, Rows(a.data() + first * k, k), Rows(c + first * n, n),
                        {0, k, columns});
    };
    multiply(Packed<float>(false, k, n, b.data()), m, 0, n, whole.data());
    multiply(Packed<float>(true, k, n, transposed.data()), m, 0, n, other.data());
    CHECK(other == whole);
    for (const auto& [begin, end] : {std::pair{0, 13}, {13, 75}})  // columns
        for (int64_t first = 0; first < m; first += 5)
            multiply(Packed<float>(false, k, end - begin, b.data() + begin, n),
                     std::min<int64_t>(5, m - first), first, end - begin, parts.data() + begin);
    CHECK(parts == whole);
}
