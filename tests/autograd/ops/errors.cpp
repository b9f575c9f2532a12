// Bad input: the text names the op, what was found and what was expected.
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {
const Tensor f23 = Tensor::ones({2, 3}), f4 = Tensor::ones({4}),
             d23 = Tensor::ones({2, 3}, Dtype::f64);
const Tensor scalar = Tensor::ones({});
const Tensor i3 = Tensor::zeros({3}, Dtype::i32), i23 = Tensor::zeros({2, 3}, Dtype::i32);
}  // namespace

TEST_CASE("errors: shapes that do not broadcast are both named") {
    CHECK(fails([] { f23 + f4; }, {"add: ", "[2, 3]", "[4]", "3 and 4"}));
    CHECK(fails([] { f23 - f4; }, {"sub: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { f23* f4; }, {"mul: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { f23 / f4; }, {"div: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { pow(f23, f4); }, {"pow: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { maximum(f23, f4); }, {"maximum: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { minimum(f23, f4); }, {"minimum: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { return f23 > f4; }, {"greater: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { equal(f23, f4); }, {"equal: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { where(f23, f23, f4); }, {"where: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { broadcast_to(f23, {3}); }, {"broadcast_to: ", "[2, 3]", "[3]"}));
    CHECK(fails([] { broadcast_to(f4, {2, 3}); }, {"broadcast_to: ", "[4]", "[2, 3]"}));
    CHECK(fails([] { sum_to(f23, {2}); }, {"sum_to: ", "[2, 3]", "[2]"}));
}

TEST_CASE("errors: dtypes do not mix, and ids are no numbers") {
    CHECK(fails([] { f23 + d23; }, {"add: ", "f32", "f64", ".to("}));
    CHECK(fails([] { matmul(f23, d23, Trans::b); }, {"matmul: ", "f32", "f64"}));
    CHECK(fails([] { linear(f23, d23); }, {"linear: ", "f32", "f64"}));
    CHECK(
        fails([] { linear(f23, f23, Tensor::ones({2}, Dtype::f64)); }, {"linear: ", "f32", "f64"}));
    CHECK(fails([] { where(d23, f23, f23); }, {"where: ", "f32", "f64"}));
    CHECK(fails([] { concat({f23, d23}); }, {"concat: ", "f32", "f64"}));
    CHECK(
        fails([] { layer_norm(f23, Tensor::ones({3}, Dtype::f64), Tensor::ones({3}, Dtype::f64)); },
              {"layer_norm: ", "f32", "f64"}));
    CHECK(fails([] { mse(f23, d23); }, {"f32", "f64"}));
    CHECK(fails([] { exp(i3); }, {"exp: ", "i32", ".to(Dtype::f32)"}));
    CHECK(fails([] { i3 + i3; }, {"add: ", "i32"}));
    CHECK(fails([] { sum(i3); }, {"sum: ", "i32"}));
    CHECK(fails([] { softmax(i23); }, {"softmax: ", "i32"}));
    CHECK(fails([] { matmul(i23, i23, Trans::b); }, {"matmul: ", "i32"}));
}

TEST_CASE("errors: axes that do not exist, or twice") {
    CHECK(fails([] { sum(f23, 2); }, {"sum: axis 2", "[2, 3]"}));
    CHECK(fails([] { mean(f23, -3); }, {"mean: axis -3", "[2, 3]"}));
    CHECK(fails([] { max(f23, {0, 5}); }, {"max: axis 5", "[2, 3]"}));
    CHECK(fails([] { var(f23, {0, -2}); }, {"var: axis 0", "twice"}));
    CHECK(fails([] { argmax(f23, 2); }, {"argmax: axis 2", "[2, 3]"}));
    CHECK(fails([] { softmax(f23, 2); }, {"softmax: axis 2", "[2, 3]"}));
    CHECK(fails([] { log_softmax(scalar); }, {"log_softmax: axis -1", "[]"}));
    CHECK(fails([] { logsumexp(f23, -3); }, {"logsumexp: axis -3", "[2, 3]"}));
    CHECK(fails([] { transpose(f23, 0, 2); }, {"transpose: axis 2", "[2, 3]"}));
    CHECK(fails([] { transpose(scalar); }, {"transpose: axis", "[]"}));
    CHECK(fails([] { permute(f23, {0}); }, {"permute: ", "1 axes", "[2, 3]"}));
    CHECK(fails([] { permute(f23, {0, -2}); }, {"permute: axis 0", "twice"}));
    CHECK(fails([] { concat({f23, f23}, 2); }, {"concat: axis 2", "[2, 3]"}));
    CHECK(fails([] { stack({f23, f23}, 3); }, {"stack: axis 3", "3 axes"}));
    CHECK(fails([] { split(f23, 1, 2); }, {"split: axis 2", "[2, 3]"}));
    CHECK(fails([] { slice(f23, 2, 0, 1); }, {"slice: axis 2", "[2, 3]"}));
    CHECK(fails([] { pad(f23, 2, 0, 1); }, {"pad: axis 2", "[2, 3]"}));
    CHECK(fails([] { gather(f23, 2, i23); }, {"gather: axis 2", "[2, 3]"}));
    CHECK(fails([] { index_select(f23, 2, i3); }, {"index_select: axis 2", "[2, 3]"}));
}

TEST_CASE("errors: nothing to choose from") {
    CHECK(fails([] { max(Tensor::zeros({0})); }, {"max: ", "[0]", "no elements"}));
    CHECK(fails([] { argmax(Tensor::zeros({2, 0})); }, {"argmax: ", "[2, 0]", "no elements"}));
}

TEST_CASE("errors: products whose sizes do not meet") {
    CHECK(fails([] { matmul(f23, f23); },
                {"matmul: inner sizes differ", "a is [2, 3]", "b is [2, 3]", "3 and 2"}));
    CHECK(fails(
        [] {
            matmul(f23, Tensor::ones({3, 2}), Trans::b);
        },
        {"matmul: ", "b is [3, 2] transposed"}));
    CHECK(fails(
        [] {
            matmul(f23, Tensor::ones({3, 2}), Trans::a);
        },
        {"matmul: ", "a is [2, 3] transposed"}));
    CHECK(fails([] { matmul(f4, f23); }, {"matmul: ", "[4]", "[2, 3]", "two axes"}));
    CHECK(fails(
        [] {
            matmul(Tensor::ones({2, 2, 3}), Tensor::ones({3, 3, 2}));
        },
        {"matmul: ", "[2]", "[3]"}));
    CHECK(fails([] { linear(f23, f4); }, {"linear: ", "[2, 3]", "[4]", "[out, in]"}));
    CHECK(fails([] { linear(f23, Tensor::ones({5, 4})); }, {"linear: ", "[2, 3]", "[5, 4]"}));
    CHECK(fails([] { linear(f23, f23, f4); }, {"linear: bias is [4]", "bias [2] expected"}));
    CHECK(fails([] { linear(scalar, f23); }, {"linear: ", "[]"}));
}

TEST_CASE("errors: shapes that cannot be had") {
    CHECK(fails([] { reshape(f23, {4}); }, {"reshape: x is [2, 3] (6 elements)", "[4]"}));
    CHECK(fails([] { reshape(f23, {-1, 4}); }, {"reshape: ", "[2, 3]", "[-1, 4]"}));
    CHECK(fails([] { reshape(f23, {-1, -1}); }, {"reshape: ", "one -1"}));
    CHECK(fails([] { reshape(f23, {-2, -3}); }, {"reshape: ", "negative"}));
    CHECK(fails([] { reshape(Tensor::zeros({0}), {0, -1}); }, {"reshape: ", "[0]"}));
    CHECK(fails([] { concat({}); }, {"concat: ", "no tensors"}));
    CHECK(fails([] { concat({f23, Tensor::ones({2, 4})}); }, {"concat: ", "[2, 3]", "[2, 4]"}));
    CHECK(fails([] { concat({f23, f4}); }, {"concat: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { stack({}); }, {"stack: ", "no tensors"}));
    CHECK(fails([] { stack({f23, f4}); }, {"stack: ", "[2, 3]", "[4]"}));
    CHECK(fails([] { split(f23, 0); }, {"split: ", "size 0"}));
    CHECK(fails([] { slice(f23, 1, 2, 1); }, {"slice: ", "2 to 1", "[2, 3]"}));
    CHECK(fails([] { slice(f23, 1, 0, 4); }, {"slice: ", "0 to 4", "[2, 3]"}));
    CHECK(fails([] { slice(f23, 1, -4, 2); }, {"slice: ", "-4 to 2"}));
    CHECK(fails([] { pad(f23, 1, -1, 0); }, {"pad: ", "-1 before"}));
}

TEST_CASE("errors: ids of the wrong kind or out of range") {
    const Tensor bad = ids({0, 2, 1}, {3}), negative = ids({0, -1, 1}, {3});
    CHECK(
        fails([&] { index_select(f23, 0, bad); }, {"index_select: id 2 at position 1", "0 ... 1"}));
    CHECK(fails([&] { index_select(f23, 0, negative); }, {"index_select: id -1 at position 1"}));
    CHECK(fails([&] { embedding(f23, bad); }, {"embedding: id 2 at position 1", "0 ... 1"}));
    CHECK(fails([&] { gather(f23, 0, ids({0, 1, 2}, {1, 3})); }, {"gather: id 2 at position 2"}));
    CHECK(fails([&] { gather(f23, 0, i3); }, {"gather: ", "[3]", "[2, 3]"}));
    CHECK(fails(
        [&] {
            gather(f23, 0, Tensor::zeros({2, 2}, Dtype::i32));
        },
        {"gather: ", "[2, 2]"}));
    CHECK(fails([&] { index_select(f23, 0, i23); }, {"index_select: ", "[2, 3]", "one axis"}));
    CHECK(
        fails([&] { index_select(f23, 0, Tensor::zeros({3})); }, {"index_select: ", "f32", "i32"}));
    CHECK(fails([&] { embedding(f23, Tensor::zeros({3})); }, {"embedding: ", "f32", "i32"}));
    CHECK(fails([&] { embedding(f4, i3); }, {"embedding: ", "[4]", "[V, D]"}));
}

TEST_CASE("errors: losses whose targets do not fit") {
    const Tensor logits = Tensor::ones({3, 4});
    const char* op = "softmax_cross_entropy: ";
    CHECK(fails(
        [&] {
            softmax_cross_entropy(logits, ids({0, 4, 1}, {3}));
        },
        {op, "target 4 at position 1", "0 ... 3", "ignore_index -100"}));
    CHECK(fails([&] { softmax_cross_entropy(logits, ids({0, -1, 1}, {3})); }, {op, "target -1"}));
    CHECK(fails([&] { softmax_cross_entropy(logits, ids({0, 1}, {2})); }, {op, "[3, 4]", "[2]"}));
    CHECK(fails([&] { softmax_cross_entropy(logits, logits); }, {op, "f32", "i32"}));
    CHECK(fails([&] { softmax_cross_entropy(scalar, i3); }, {op, "[]", "[3]"}));
    for (double smoothing : {-0.1, 1.1, kNaN})
        CHECK(fails([&] { softmax_cross_entropy(logits, i3, {.label_smoothing = smoothing}); },
                    {op, "label_smoothing", "0 ... 1"}));
    CHECK(
        fails([&] { soft_cross_entropy(logits, f4); }, {"soft_cross_entropy: ", "[3, 4]", "[4]"}));
    CHECK(fails([&] { soft_cross_entropy(scalar, scalar); }, {"soft_cross_entropy: ", "[]"}));
    CHECK(fails([&] { composed::soft_cross_entropy(scalar, scalar); },
                {"soft_cross_entropy: ", "[]"}));
    CHECK(fails([&] { mse(logits, f4); }, {"mse: ", "[3, 4]", "[4]"}));
    CHECK(fails([&] { bce_with_logits(logits, f4); }, {"bce_with_logits: ", "[3, 4]", "[4]"}));
    CHECK(fails([&] { kl_div(logits, f4); }, {"kl_div: ", "[3, 4]", "[4]"}));
    CHECK(fails([&] { kl_div(scalar, scalar); }, {"kl_div: ", "[]"}));
}

TEST_CASE("errors: normalisation and noise") {
    Rng rng(1);
    CHECK(fails([] { layer_norm(f23, f4, f4); }, {"layer_norm: ", "[2, 3]", "[4]", "[D]"}));
    CHECK(fails([] { layer_norm(f23, Tensor::ones({3}), f4); }, {"layer_norm: ", "bias is [4]"}));
    CHECK(fails([] { layer_norm(scalar, scalar, scalar); }, {"layer_norm: ", "[]"}));
    for (double p : {1.0, -0.1, 2.0, kNaN})
        CHECK(fails([&] { dropout(f23, p, rng); }, {"dropout: p is", "0 <= p < 1"}));
    CHECK(fails([] { clamp(f23, 2, 1); }, {"clamp: ", "2", "1"}));
}

TEST_CASE("errors: an undefined tensor is refused by every op, never read") {
    const Tensor nothing;
    Rng rng(1);
    const std::function<void()> uses[] = {
        [&] { exp(nothing); },
        [&] { f23 + nothing; },
        [&] { nothing* f23; },
        [&] { sum(nothing); },
        [&] { matmul(f23, nothing); },
        [&] { linear(nothing, f23); },
        [&] { linear(f23, nothing); },
        [&] { reshape(nothing, {1}); },
        [&] {
            concat({f23, nothing});
        },
        [&] { stack({nothing}); },
        [&] { slice(nothing, 0, 0, 1); },
        [&] { gather(f23, 0, nothing); },
        [&] { embedding(nothing, i3); },
        [&] { softmax(nothing); },
        [&] { softmax_cross_entropy(nothing, i3); },
        [&] { softmax_cross_entropy(f23, nothing); },
        [&] { layer_norm(f23, nothing, nothing); },
        [&] { where(nothing, f23, f23); },
        [&] { dropout(nothing, 0.5, rng); },
    };
    for (const auto& use : uses) CHECK(fails(use, {"undefined"}));
}
