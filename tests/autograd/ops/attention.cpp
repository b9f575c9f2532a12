// Attention: the fused kernels against the composed twin, gradients against differences.
#include "autograd/parallel.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

struct Setting {
    int64_t B, T, S, H, d;
    bool causal = false;
    std::vector<int32_t> lengths{};

    AttentionMask mask() const {
        return {.causal = causal, .key_lengths = lengths.empty() ? Tensor() : ids(lengths, {B})};
    }
    std::vector<Tensor> inputs() const {
        return {uniform({B, T, H * d}, -2, 2, 1), uniform({B, S, H * d}, -2, 2, 2),
                uniform({B, S, H * d}, -1, 1, 3)};
    }
    std::string label() const {
        return fmt::format("B {} T {} S {} H {} d {}{}{}", B, T, S, H, d, causal ? " causal" : "",
                           lengths.empty() ? "" : " padded");
    }
};

const std::vector<Setting> kSettings = {
    {1, 1, 1, 1, 1},
    {2, 5, 5, 1, 3},
    {2, 3, 7, 2, 4},
    {2, 7, 7, 3, 2, true},
    {1, 3, 6, 2, 3, true},  // the last three queries of six
    {1, 6, 3, 1, 2, true},  // the first three queries see nothing
    {3, 4, 5, 2, 3, false, {5, 2, 1}},
    {3, 5, 5, 1, 3, true, {5, 0, 3}},
    {2, 4, 3, 1, 2, false, {0, 3}},
    {2, 1, 6, 3, 4, true},
    {3, 1, 7, 2, 5, false, {7, 0, 3}},
    {1, 37, 70, 1, 5, true},
    {2, 19, 41, 1, 33, false, {40, 33}},
};

Function fused(const Setting& s) {
    return [=](const auto& xs) {
        return scaled_dot_product_attention(xs[0], xs[1], xs[2], s.H, s.mask()).y;
    };
}
Function twin(const Setting& s) {
    return [=](const auto& xs) {
        return composed::scaled_dot_product_attention(xs[0], xs[1], xs[2], s.H, s.mask()).y;
    };
}

void check_close(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        INFO(i);
        CHECK(distance(a[i], b[i]) <= 1e-10);
    }
}

}  // namespace

TEST_CASE("attention: the fused kernel and its twin agree in values and all gradients") {
    for (const Setting& s : kSettings) {
        INFO(s.label());
        const auto plain = run(twin(s), s.inputs());
        check_close(run(fused(s), s.inputs()), plain);
        check_close(run(fused(s), s.inputs(), Dtype::f64, Tape::Fused::composed), plain);
        const auto xs = s.inputs();
        const Tensor weights =
            scaled_dot_product_attention(xs[0], xs[1], xs[2], s.H, s.mask()).weights;
        CHECK(distance(weights,
                       composed::scaled_dot_product_attention(xs[0], xs[1], xs[2], s.H, s.mask())
                           .weights) < 1e-12);
    }
}

TEST_CASE("attention: gradients are those of differences") {
    for (const Setting& s : kSettings)
        if (s.T < 10) check_gradient(s.label(), fused(s), s.inputs());
}

TEST_CASE("attention: packed inputs give what separate ones give") {
    const Setting s{2, 5, 5, 3, 4, true, {5, 3}}, c{2, 3, 6, 3, 4, false, {6, 2}};
    const auto xs = s.inputs(), ys = c.inputs();
    check_close(
        run([&](const auto& in) { return self_attention(in[0], 3, s.mask()).y; }, {concat(xs, -1)}),
        [&] {
            auto apart = run(fused(s), xs);
            return std::vector{apart[0], concat({apart[1], apart[2], apart[3]}, -1)};
        }());
    check_close(run([&](const auto& in) { return cross_attention(in[0], in[1], 3, c.mask()).y; },
                    {ys[0], concat({ys[1], ys[2]}, -1)}),
                [&] {
                    auto apart = run(fused(c), ys);
                    return std::vector{apart[0], apart[1], concat({apart[2], apart[3]}, -1)};
                }());
    check_gradient("packed",
                   [&](const auto& in) {
                       const Tensor both = in[0] * 1;  // its gradient comes from two sides
                       return self_attention(both, 3, s.mask()).y + self_attention(both, 1).y;
                   },
                   {concat(xs, -1)});
}

TEST_CASE("attention: one tensor may be several of the inputs") {
    const AttentionMask causal{.causal = true};
    check_gradient("all three",
                   [&](const auto& in) {
                       return scaled_dot_product_attention(in[0], in[0], in[0], 2, causal).y;
                   },
                   {uniform({2, 4, 6})});
    check_gradient(
        "keys and values",
        [&](const auto& in) { return scaled_dot_product_attention(in[0], in[1], in[1], 2).y; },
        {uniform({2, 3, 4}), uniform({2, 5, 4}, -1, 1, 2)});
    check_gradient("additive",
                   [&](const auto& in) { return additive_attention(in[0], in[0], in[1], in[0]).y; },
                   {uniform({2, 4, 6}), uniform({6})});
}

TEST_CASE("attention: rows of weights sum to 1, or are 0 where nothing may be attended to") {
    const Setting s{3, 6, 6, 2, 3, true, {6, 0, 2}};
    const auto xs = s.inputs();
    const Attention out = scaled_dot_product_attention(xs[0], xs[1], xs[2], s.H, s.mask());
    const Tensor sums = sum(out.weights, -1);  // [B, H, T]
    for (int64_t b = 0; b < 3; ++b)
        for (int64_t i = 0; i < 12; ++i)
            CHECK(sums.at(b * 12 + i) == doctest::Approx(b == 1 ? 0 : 1));
    for (int64_t i = 0; i < 36; ++i) CHECK(out.y.at(36 + i) == 0);
}

TEST_CASE("attention: large scores of either sign stay finite in f32") {
    const Tensor q = Tensor::full({1, 2, 4}, 1e4), k = Rng(1).normal({1, 3, 4}, 0, 1e4),
                 v = Rng(2).normal({1, 3, 4});
    const Tensor y = scaled_dot_product_attention(q, k, v, 2).y;
    for (int64_t i = 0; i < y.size(); ++i) CHECK(std::isfinite(y.at(i)));
}

TEST_CASE("attention: the same bits for any number of threads, in f32 close to f64") {
    const Setting s{5, 33, 33, 4, 16, true, {33, 7, 20, 1, 32}};
    const int before = thread_count();
    set_thread_count(1);
    const auto one = run(fused(s), s.inputs(), Dtype::f32);
    set_thread_count(3);
    const auto three = run(fused(s), s.inputs(), Dtype::f32);
    set_thread_count(before);
    const auto exact = run(twin(s), s.inputs());
    for (size_t i = 0; i < one.size(); ++i) {
        CHECK(same_bits(one[i], three[i]));
        CHECK(distance(one[i].to(Dtype::f64), exact[i]) < 1e-4);
    }
}

TEST_CASE("attention: errors name what was given and what was expected") {
    const Tensor x = uniform({2, 5, 6}), y = uniform({2, 4, 6});
    const auto call = [](const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads,
                         const AttentionMask& mask = {}) {
        return [=] { scaled_dot_product_attention(q, k, v, heads, mask); };
    };
    CHECK(fails(call(x, y, y, 4), {"attention: a width of 6", "4 heads"}));
    CHECK(fails(call(x, y, y, 0), {"0 heads"}));
    CHECK(fails(call(x, y, x, 2), {"q is [2, 5, 6], k is [2, 4, 6], v is [2, 5, 6]"}));
    CHECK(fails(call(x, uniform({3, 4, 6}), uniform({3, 4, 6}), 2), {"k is [3, 4, 6]"}));
    CHECK(fails(call(uniform({5, 6}), y, y, 2), {"q is [5, 6]", "three axes"}));
    CHECK(fails(call(x, y, y, 2, {.key_lengths = ids({4}, {1})}), {"lengths are [1] i32", "[2]"}));
    CHECK(fails(call(x, y, y, 2, {.key_lengths = ids({4, 5}, {2})}), {"row 1 is 5", "0 ... 4"}));
    CHECK(fails(call(x, y.to(Dtype::f32), y.to(Dtype::f32), 2), {"f32"}));
    CHECK(fails([&] { self_attention(uniform({2, 5, 7}), 1); }, {"qkv is [2, 5, 7]"}));
    CHECK(fails([&] { cross_attention(x, y, 2); }, {"kv is [2, 4, 6]", "2 D"}));
    CHECK(fails(
        [&] {
            const Tensor leaf = x.clone().requires_grad();
            Tape tape;
            tape.gradients(sum(scaled_dot_product_attention(leaf, y, y, 2).y), {leaf});
        },
        {"no second derivative"}));
}

namespace {

// T queries of width A against S keys; what is attended to has width D.
struct Additive {
    int64_t B, T, S, A, D;
    std::vector<int32_t> lengths{};

    Tensor key_lengths() const { return lengths.empty() ? Tensor() : ids(lengths, {B}); }
    std::vector<Tensor> inputs() const {
        return {uniform({B, T, A}, -2, 2, 1), uniform({B, S, A}, -2, 2, 2), uniform({A}, -2, 2, 3),
                uniform({B, S, D}, -1, 1, 4)};
    }
};

const std::vector<Additive> kAdditive = {
    {1, 1, 1, 1, 1},
    {2, 1, 5, 3, 4},
    {3, 4, 5, 2, 7, {5, 1, 3}},
    {2, 3, 4, 5, 2, {0, 4}},
    {4, 7, 19, 33, 40, {19, 3, 7, 18}},
};

}  // namespace

TEST_CASE("additive attention: fused and composed agree, gradients are those of differences") {
    for (const Additive& s : kAdditive) {
        INFO(s.B << " " << s.T << " " << s.S << " " << s.A << " " << s.D);
        const Function fast = [&](const auto& xs) {
            return additive_attention(xs[0], xs[1], xs[2], xs[3], s.key_lengths()).y;
        };
        const Function plain = [&](const auto& xs) {
            return composed::additive_attention(xs[0], xs[1], xs[2], xs[3], s.key_lengths()).y;
        };
        const auto expected = run(plain, s.inputs());
        check_close(run(fast, s.inputs()), expected);
        check_close(run(fast, s.inputs(), Dtype::f64, Tape::Fused::composed), expected);
        if (s.A < 10) check_gradient("additive", fast, s.inputs());
        const auto xs = s.inputs();
        CHECK(
            distance(
                additive_attention(xs[0], xs[1], xs[2], xs[3], s.key_lengths()).weights,
                composed::additive_attention(xs[0], xs[1], xs[2], xs[3], s.key_lengths()).weights) <
            1e-12);
        const int before = thread_count();
        set_thread_count(3);
        const auto three = run(fast, s.inputs(), Dtype::f32);
        set_thread_count(1);
        const auto one = run(fast, s.inputs(), Dtype::f32);
        set_thread_count(before);
        for (size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], three[i]));
    }
}

TEST_CASE("additive attention: errors name what was given and what was expected") {
    const Tensor q = uniform({2, 3, 4}), k = uniform({2, 5, 4}), v = uniform({4}),
                 h = uniform({2, 5, 6});
    const auto call = [](auto... xs) { return [=] { additive_attention(xs...); }; };
    CHECK(fails(call(q, k, uniform({5}), h), {"additive_attention: q is [2, 3, 4]", "v is [5]"}));
    CHECK(fails(call(q, k, v, uniform({2, 4, 6})), {"h is [2, 4, 6]", "[B, S, D] expected"}));
    CHECK(fails(call(q, k, v, h, ids({1, 2, 3}, {3})), {"lengths are [3] i32"}));
    CHECK(fails(call(q, k, v, h, ids({1, -1}, {2})), {"row 1 is -1"}));
}
