#include "autograd/inspect.h"

#include "autograd/ops.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

TEST_CASE("anomaly guard: the first op that makes a NaN is named, with ranges and module") {
    const Tensor x = vector({0.5, -2, 3});
    Scope model("mlp"), layer("fc1");
    AnomalyGuard guard;
    CHECK(
        fails([&] { exp(log(x * 1)); }, {"log: ", "forward", "[3] in -2 ... 3", "... in mlp.fc1"}));
    CHECK(fails([&] { x / Tensor::zeros({3}, Dtype::f64); }, {"div", "input 1 is [3] in 0 ... 0"}));
    CHECK(fails([&] { exp(x * 1000); }, {"exp", "infinity"}));
    CHECK_NOTHROW(exp(x));
}

TEST_CASE("anomaly guard: an op on the way back is named as well") {
    Tensor x = vector({0, 1}).requires_grad();
    Scope model("mlp");
    AnomalyGuard guard;
    Tape tape;
    const Tensor loss = sum(sqrt(x));
    CHECK(fails([&] { tape.backward(loss); },
                {"sqrt: ", "input 0", "backward", "dy is [2] in 1 ... 1", "... in mlp"}));
}

TEST_CASE("anomaly guard: an op whose gradient is summed over a broadcast is still the one named") {
    Tensor a = vector({-2, 3}), b = vector({2}, {}).requires_grad();
    AnomalyGuard guard;
    Tape tape;
    const Tensor loss = sum(pow(a, b));
    CHECK(fails([&] { tape.backward(loss); }, {"pow: ", "backward"}));
}

TEST_CASE("anomaly guard: a fused op is named, not a part of it") {
    const Tensor logits = vector({kNaN, 1, 2}, {1, 3});
    AnomalyGuard guard;
    CHECK(
        fails([&] { softmax_cross_entropy(logits, ids({1}, {1})); }, {"softmax_cross_entropy: "}));
}

TEST_CASE("anomaly guard: out of scope, nothing is looked at") {
    { AnomalyGuard guard; }
    CHECK(std::isnan(log(vector({-1})).at(0)));
    CHECK(Observer::current() == nullptr);
}

TEST_CASE("profiler: counts calls and times forward and backward") {
    Tensor w = uniform({120, 120}).requires_grad();
    Profiler profiler;
    for (int i = 0; i < 3; ++i) {
        Tape tape;
        tape.backward(sum(tanh(matmul(w, w))));
    }
    const auto& rows = profiler.rows();
    REQUIRE(rows.count("matmul"));
    CHECK(rows.at("matmul").calls == 3);
    CHECK(rows.at("matmul").forward_ms > 0);
    CHECK(rows.at("matmul").backward_ms > 0);
    CHECK(rows.at("tanh").calls == 3);
    CHECK(rows.at("sum").calls == 3);
    const std::string table = profiler.table();
    for (const char* part : {"matmul", "tanh", "forward ms", "total"})
        CHECK(table.find(part) != std::string::npos);
}

TEST_CASE("profiler: what an op calls on its way back is not counted as a call") {
    Tensor w = uniform({3, 5}).requires_grad(), b = uniform({5}).requires_grad();
    Profiler profiler;
    Tape tape;
    const Tensor y = sum(w * b);
    const auto before = profiler.rows();
    tape.backward(y);
    for (const auto& entry : profiler.rows()) {
        const auto& op = entry.first;
        INFO(op);
        CHECK((before.count(op) ? before.at(op).calls : 0) == entry.second.calls);
    }
}

TEST_CASE("observer: observers nest and give way to the outer one") {
    Profiler outer;
    {
        Profiler inner;
        exp(vector({1}));
        CHECK(inner.rows().size() == 1);
    }
    CHECK(outer.rows().empty());
    exp(vector({1}));
    CHECK(outer.rows().at("exp").calls == 1);
}
