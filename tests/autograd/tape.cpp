#include "autograd/tape.h"

#include "autograd/ops/elementwise.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

Tensor leaf(const std::vector<double>& values) { return vector(values).requires_grad(); }

// y = x³, written as a user would.
Tensor cube(const Tensor& X) {
    return elementwise(
        "cube", X, [](auto x) { return x * x * x; },
        [](auto x, Unused /*y*/, auto dy) { return as(x, 3) * x * x * dy; });
}

// y = a + b whose way back hands on dy itself, twice: nothing is copied until somebody adds.
Tensor plain_add(const Tensor& a, const Tensor& b) {
    Tensor y = a.clone();
    for (int64_t i = 0; i < y.size(); ++i) y.set(i, a.at(i) + b.at(i));
    return record("plain_add", {a, b}, y, [](const Tensor& dy, Gradient da, Gradient db) {
        da += dy;
        db += dy;
    });
}

}  // namespace

TEST_CASE("tape: b = a + a, c = b + b has gradient 4") {
    Tensor a = leaf({3});
    Tape tape;
    const Tensor b = a + a, c = b + b;
    tape.backward(c);
    CHECK(c.item() == 12);
    CHECK(a.grad().item() == 4);
}

TEST_CASE("tape: a leaf that is used many times gathers every contribution") {
    Tensor a = leaf({2, 5});
    Tape tape;
    Tensor y = a;
    for (int i = 0; i < 200; ++i) y = y + a;
    tape.backward(sum(y * a));
    CHECK(close(a.grad(), {2 * 201 * 2., 2 * 201 * 5.}));
}

TEST_CASE("tape: gradients add up over tapes until zero_grad") {
    Tensor a = leaf({2});
    auto step = [&] {
        Tape tape;
        tape.backward(square(a));
    };
    CHECK_FALSE(a.grad().defined());
    step();
    step();
    CHECK(a.grad().item() == 8);
    a.zero_grad();
    CHECK_FALSE(a.grad().defined());
    step();
    CHECK(a.grad().item() == 4);
}

TEST_CASE("tape: a seed weighs the outputs and is left as it was") {
    Tensor a = leaf({1, 2, 3});
    const Tensor seed = vector({1, 10, 100});
    Tape tape;
    const Tensor b = reshape(a, {3, 1});
    tape.backward(reshape(b + b, {3}), seed);
    CHECK(close(a.grad(), {2, 20, 200}));
    CHECK(close(seed, {1, 10, 100}));
}

TEST_CASE("tape: mistakes in calling backward say what to do") {
    Tensor a = leaf({1, 2});
    const Tensor before = a * a;
    Tape tape;
    const Tensor y = a * a, loss = sum(y);
    CHECK(fails([&] { tape.backward(y); }, {"backward", "[2]", "scalar", "seed"}));
    CHECK(fails([&] { tape.backward(sum(before)); }, {"not recorded on this tape"}));
    CHECK(fails([&] { tape.backward(y, vector({1})); }, {"seed is [1]", "[2]"}));
    CHECK(fails([&] { tape.backward(y, Tensor::ones({2})); }, {"f32", "f64"}));
    CHECK(fails([&] { tape.backward(Tensor()); }, {"undefined"}));
    CHECK(fails([&] { tape.gradients(y, {a}); }, {"gradients", "[2]", "scalar"}));
    CHECK(fails([&] { tape.gradients(loss, {before}); }, {"gradients", "not recorded"}));
    tape.backward(loss);  // none of the errors has used the tape or left anything behind
    CHECK(close(a.grad(), {2, 4}));
    CHECK(fails([&] { tape.backward(loss); }, {"backward", "used already", "new Tape"}));
    CHECK(fails([&] { tape.gradients(loss, {a}); }, {"gradients", "used already"}));
}

TEST_CASE("tape: a tensor of another tape is refused") {
    Tensor a = leaf({1});
    Tape outer;
    const Tensor y = square(a);
    Tape inner;
    CHECK(fails([&] { inner.backward(y); }, {"another tape"}));
}

TEST_CASE("tape: without one nothing is recorded, nor what wants no gradient") {
    Tensor a = leaf({1});
    const Tensor y = a * a;
    Tape tape;
    CHECK(tape.entries().empty());
    const Tensor constant = vector({2}) * vector({3});
    CHECK(tape.entries().empty());
    const Tensor z = a * constant;
    CHECK(tape.entries().size() == 2);
    tape.backward(z);
    const Tensor after = a * a;  // after backward, nothing more
    CHECK(tape.entries().size() == 2);
    CHECK(Tape::current() == nullptr);
}

TEST_CASE("tape: a value carried over from a closed tape is a constant") {
    Tensor a = leaf({3}), hidden;
    {
        Tape tape;
        hidden = a * a;
    }
    Tape tape;
    const Tensor y = hidden * a;
    tape.backward(y);
    CHECK(a.grad().item() == 9);
}

TEST_CASE("tape: nested tapes record each their own, and the outer goes on afterwards") {
    Tensor a = leaf({3});
    Tape outer;
    const Tensor b = a * a;
    {
        Tape inner;
        const Tensor c = b * a;  // to the inner tape b is a number
        inner.backward(c);
        CHECK(a.grad().item() == 9);
        CHECK(Tape::current() == nullptr);
    }
    CHECK(Tape::current() == &outer);
    a.zero_grad();
    const Tensor d = b * a;
    outer.backward(d);
    CHECK(a.grad().item() == 27);
}

TEST_CASE("tape: gradients sees a leaf whole although an inner tape has used it in between") {
    Tensor a = leaf({3});
    Tape outer;
    const Tensor b = a * a;
    {
        Tape inner;
        inner.backward(a * 5);
    }
    CHECK(outer.gradients(b + a * 2, {a})[0].item() == 8);
}

TEST_CASE("tape: ops that the loss does not depend on are skipped") {
    Tensor a = leaf({3}), b = leaf({4});
    bool ran = false;
    Tape tape;
    const Tensor unused = record("unused", {b}, b.clone(), [&](const Tensor&, Gradient db) {
        ran = true;
        db += Tensor::ones({1}, Dtype::f64);
    });
    const Tensor y = a * 2;
    const Tensor later = unused * a;
    tape.backward(y);
    CHECK_FALSE(ran);
    CHECK(a.grad().item() == 2);
    CHECK_FALSE(b.grad().defined());
}

TEST_CASE("tape: an error on the way back leaves the thread able to record again") {
    Tensor a = leaf({3});
    {
        Tape tape;
        const Tensor y = record("broken", {a}, a.clone(), [](const Tensor&, Gradient da) {
            da += vector({1, 2});
        });
        CHECK(fails([&] { tape.backward(y); }, {"[2]", "[1]"}));
    }
    CHECK(Tape::current() == nullptr);
    Tape tape;
    tape.backward(a * 2);
    CHECK(a.grad().item() == 2);
}

TEST_CASE("tape: entries tell ops, shapes and inputs") {
    Tensor a = leaf({1, 2}), w = Tensor::ones({2}, Dtype::f64);
    Tape tape;
    const Tensor y = sum(tanh(a * w));
    const auto entries = tape.entries();
    REQUIRE(entries.size() == 4);
    CHECK(std::string(entries[0].op) == "leaf");
    CHECK(std::string(entries[1].op) == "mul");
    CHECK(entries[1].inputs == std::vector<int>{0});  // w wants no gradient
    CHECK(std::string(entries[2].op) == "tanh");
    CHECK(entries[2].shape == Shape{2});
    CHECK(entries[3].shape == Shape{});
    CHECK(entries[3].inputs == std::vector<int>{2});
    CHECK(entries[3].dtype == Dtype::f64);
}

TEST_CASE("tape: to_dot draws each value once and each use as an arrow") {
    Tensor a = leaf({1, 2});
    Tape tape;
    const Tensor y = sum(a * a);
    const std::string dot = tape.to_dot();
    CHECK(dot.starts_with("digraph tape {"));
    CHECK(dot.ends_with("}\n"));
    CHECK(dot.find("n0 [label=\"leaf\\n[2] f64\\n16 bytes\", style=rounded];") !=
          std::string::npos);
    CHECK(dot.find("n0 -> n1;\n    n0 -> n1;") != std::string::npos);
    CHECK(dot.find("n1 -> n2;") != std::string::npos);
    CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
}

TEST_CASE("tape: a user's formula is an op like ours, in both dtypes and to second order") {
    check_gradient("cube", [](const auto& xs) { return cube(xs[0]); }, {uniform({3, 5})});
    Tensor x = Tensor::full({2}, 2).requires_grad();
    Tape tape;
    const Tensor first = tape.gradients(sum(cube(x)), {x})[0];
    CHECK(close(first, {12, 12}));
    tape.backward(sum(first));
    CHECK(close(x.grad(), {12, 12}));
}

TEST_CASE("tape: a recorded op of more than four inputs gets its gradients as a span") {
    std::vector<Tensor> xs;
    for (int i = 0; i < 6; ++i) xs.push_back(leaf({1.0 * i}));
    Tape tape;
    const std::vector<Input> inputs(xs.begin(), xs.end());
    const Tensor y =
        record("six", inputs, vector({15}), [](const Tensor& dy, std::span<const Gradient> dxs) {
            for (size_t i = 0; i < dxs.size(); ++i) {
                Gradient dx = dxs[i];
                dx += dy * static_cast<double>(i);
            }
        });
    tape.backward(y);
    for (size_t i = 0; i < 6; ++i) CHECK(xs[i].grad().item() == static_cast<double>(i));
}

TEST_CASE("gradient: a contribution that is kept without a copy is never written through") {
    const std::vector<Tensor> ab = {uniform({2, 3}), uniform({2, 3}, -1, 1, 2)};
    auto check = [&](const char* name, const Function& f) { check_gradient(name, f, ab); };
    check("x + x", [](const auto& xs) { return plain_add(xs[0], xs[0]) * xs[1]; });
    check("a chain of shared gradients", [](const auto& xs) {
        const Tensor u = plain_add(xs[0], xs[1]), v = plain_add(u, xs[0]), w = plain_add(v, u);
        return plain_add(w, v) * u;
    });
    check("one gradient for two values, both used again", [](const auto& xs) {
        const Tensor p = tanh(xs[0]), q = tanh(xs[1]);
        return plain_add(p, q) + p * p + square(q) + p;
    });
    check("a reshape used twice", [](const auto& xs) {
        const Tensor z = reshape(xs[0] + xs[1], {6});
        return z * z + reshape(xs[0], {6});
    });
    check("views of views", [](const auto& xs) {
        const Tensor base = xs[0] * xs[1];
        const Tensor u = reshape(base, {6}), v = reshape(u, {3, 2}), w = reshape(v, {2, 3});
        return plain_add(w, base) * reshape(u, {2, 3}) + reshape(v * v, {2, 3});
    });
    check("one tensor twice in concat", [](const auto& xs) {
        const Tensor z = xs[0] + xs[1];
        return concat({z, z, xs[0], z}, 1) * concat({xs[1], xs[1], z, z}, 1);
    });
    check("slices that overlap", [](const auto& xs) {
        const Tensor z = tanh(xs[0]);
        return slice(z, 1, 0, 2) * slice(z, 1, 1, 3) + slice(xs[1], 1, 0, 2);
    });
    check("a product and a copy into one gradient", [](const auto& xs) {
        const Tensor z = tanh(xs[0]), r = reshape(z, {2, 3});
        return plain_add(matmul(r, reshape(z, {3, 2})), matmul(z, xs[1], Trans::b));
    });
    check("an output that is an input's view", [](const auto& xs) {
        return plain_add(reshape(xs[0], {2, 3}), reshape(xs[0], {2, 3}));
    });
    check("sums back into views", [](const auto& xs) {
        const Tensor row = reshape(sum(xs[0], 0), {1, 3});
        return plain_add(broadcast_to(row, {2, 3}), xs[0] * row) + broadcast_to(row, {2, 3});
    });
}

TEST_CASE("gradient: the seed and other leaves' gradients are never written through") {
    Tensor a = leaf({1, 2}), b = leaf({3, 4});
    const Tensor seed = vector({1, 1});
    for (int i = 1; i <= 3; ++i) {
        Tape tape;
        tape.backward(plain_add(a, plain_add(a, b)), seed);
        CHECK(close(seed, {1, 1}));
        CHECK(close(a.grad(), {2. * i, 2. * i}));
        CHECK(close(b.grad(), {1. * i, 1. * i}));
    }
}
