#include "tests/autograd/catalogue.h"

namespace gradus::test {

std::vector<Case> formulas(const Shape& shape) {
    const Tensor x = apart(shape), positive = uniform(shape, 0.3, 2.5, 2);
    auto one = [](Tensor (*op)(const Tensor&)) {
        return [op](const std::vector<Tensor>& xs) { return op(xs[0]); };
    };
    return {
        {"neg", [](const auto& xs) { return -xs[0]; }, {x}},
        {"x + 2", [](const auto& xs) { return xs[0] + 2; }, {x}},
        {"x - 2", [](const auto& xs) { return xs[0] - 2; }, {x}},
        {"x * 3", [](const auto& xs) { return xs[0] * 3; }, {x}},
        {"x / 3", [](const auto& xs) { return xs[0] / 3; }, {x}},
        {"2 + x", [](const auto& xs) { return 2 + xs[0]; }, {x}},
        {"2 - x", [](const auto& xs) { return 2 - xs[0]; }, {x}},
        {"3 * x", [](const auto& xs) { return 3 * xs[0]; }, {x}},
        {"3 / x", [](const auto& xs) { return 3 / xs[0]; }, {positive}},
        {"x^0", [](const auto& xs) { return pow(xs[0], 0); }, {x}},
        {"x^1", [](const auto& xs) { return pow(xs[0], 1); }, {x}},
        {"x^3", [](const auto& xs) { return pow(xs[0], 3); }, {x}},
        {"x^-0.7", [](const auto& xs) { return pow(xs[0], -0.7); }, {positive}},
        {"exp", one(exp), {x}},
        {"log", one(log), {positive}},
        {"sqrt", one(sqrt), {positive}},
        {"square", one(square), {x}},
        {"abs", one(abs), {x}},
        {"erf", one(erf), {x}},
        {"tanh", one(tanh), {x}},
        {"sigmoid", one(sigmoid), {x}},
        {"relu", one(relu), {x}},
        {"silu", one(silu), {x}},
        {"softplus", one(softplus), {x}},
        {"gelu", [](const auto& xs) { return gelu(xs[0]); }, {x}},
        {"gelu tanh", [](const auto& xs) { return gelu(xs[0], Gelu::tanh); }, {x}},
        {"clamp", [](const auto& xs) { return clamp(xs[0], -0.9123, 1.1234); }, {x}},
    };
}

static void add_pairs(std::vector<Case>& cases, int64_t R, int64_t C) {
    const Tensor x = apart({R, C}), positive = uniform({R, C}, 0.3, 2.5, 2);
    struct Pair {
        const char* name;
        Tensor (*op)(const Tensor&, const Tensor&);
    };
    const Pair pairs[] = {
        {"add", operator+ }, {"sub", operator- }, {"mul", operator* }, {"div", operator/ } };
    for (const auto& [name, op] : pairs) {
        const Function f = [op = op](const auto& xs) { return op(xs[0], xs[1]); };
        const std::string label = name;
        cases.push_back({label, f, {x, positive}});
        cases.push_back({label + ", b a row", f, {x, uniform({C}, 0.3, 2.5, 3)}});
        cases.push_back({label + ", a a column", f, {apart({R, 1}), positive}});
    }
    for (bool larger : {true, false}) {
        const std::string label = larger ? "maximum" : "minimum";
        const Function f = [=](const auto& xs) {
            return larger ? maximum(xs[0], xs[1]) : minimum(xs[0], xs[1]);
        };
        cases.push_back({label, f, {grid({R, C}, 0), grid({R, C}, 0.1, 2)}});
        cases.push_back({label + ", b a row", f, {grid({R, C}, 0), grid({C}, 0.1, 2)}});
        cases.push_back({label + ", a a column", f, {grid({R, 1}, 0), grid({R, C}, 0.1, 2)}});
    }
    cases.push_back({"pow", [](const auto& xs) { return pow(xs[0], xs[1]); }, {positive, x}});
    const Tensor mask = x.view(x.shape());
    cases.push_back({"where",
                     [mask](const auto& xs) {
                         const Tensor m = mask.to(xs[0].dtype());
                         return where(m > m * 0, xs[0], xs[1]);
                     },
                     {positive, uniform({1, C})}});
}

static void add_reductions(std::vector<Case>& cases, int64_t R, int64_t C) {
    const Tensor x = apart({R, C}), cube = apart({3, R, C});
    auto along = [&](const char* name, Axes axes) {
        const std::string label = name + to_string(axes);
        auto add = [&](const char* op, Function f) { cases.push_back({op + label, f, {cube}}); };
        add("sum", [axes](const auto& xs) { return sum(xs[0], axes); });
        add("mean", [axes](const auto& xs) { return mean(xs[0], axes, true); });
        add("max", [axes](const auto& xs) { return max(xs[0], axes); });
        add("var", [axes](const auto& xs) { return var(xs[0], axes); });
    };
    cases.push_back({"sum", [](const auto& xs) { return sum(xs[0]); }, {x}});
    cases.push_back({"mean", [](const auto& xs) { return mean(xs[0]); }, {x}});
    cases.push_back({"max", [](const auto& xs) { return max(xs[0]); }, {x}});
    along(" over ", 0);
    along(" over ", 1);
    along(" over ", -1);
    along(" over ", {0, 2});
    along(" over ", {0, 1});
}

static void add_products(std::vector<Case>& cases, int64_t R, int64_t C) {
    const Tensor a = uniform({R, C}, -1, 1, 4), b = uniform({C, R}, -1, 1, 5);
    auto product = [&](const char* name, Trans trans, const Tensor& left, const Tensor& right) {
        cases.push_back(
            {name, [trans](const auto& xs) { return matmul(xs[0], xs[1], trans); }, {left, right}});
    };
    product("matmul", Trans::none, a, b);
    product("matmul, a transposed", Trans::a, a, uniform({R, 5}));
    product("matmul, b transposed", Trans::b, a, uniform({R, C}));
    product("matmul, both transposed", Trans::both, a, uniform({5, R}));
    product("matmul, batch", Trans::none, uniform({3, R, 5}), uniform({3, 5, C}));
    product("matmul, batch on one", Trans::none, uniform({3, R, 5}), uniform({5, C}));
    product("matmul, one on batch", Trans::none, uniform({R, 5}), uniform({3, 5, C}));
    const Activation all[] = {Activation::none,    Activation::relu, Activation::tanh,
                              Activation::sigmoid, Activation::gelu, Activation::gelu_tanh,
                              Activation::silu};
    for (Activation activation : all)
        cases.push_back(
            {"linear " + std::to_string(static_cast<int>(activation)),
             [activation](const auto& xs) { return linear(xs[0], xs[1], xs[2], activation); },
             {a, uniform({5, C}, -1, 1, 6), uniform({5}, -1, 1, 7)}});
}

static void add_shapes(std::vector<Case>& cases, int64_t R, int64_t C) {
    const Tensor x = apart({R, C}), y = apart({R, C}, 8), cube = apart({3, R, C});
    auto add = [&](const char* op, Function f) { cases.push_back({op, f, {x, y}}); };
    add("reshape", [](const auto& xs) { return reshape(xs[0], {-1}) * reshape(xs[1], {-1}); });
    add("transpose", [](const auto& xs) { return transpose(xs[0]) * transpose(xs[1]); });
    cases.push_back({"permute", [](const auto& xs) { return permute(xs[0], {2, 0, 1}); }, {cube}});
    cases.push_back({"broadcast_to",
                     [=](const auto& xs) {
                         return broadcast_to(xs[0], {3, R, C});
                     },
                     {apart({R, 1})}});
    cases.push_back({"sum_to", [=](const auto& xs) { return sum_to(xs[0], {R, 1}); }, {cube}});
    add("concat 0", [](const auto& xs) { return concat({xs[0], xs[1], xs[0]}); });
    add("concat 1", [](const auto& xs) { return concat({xs[0], xs[1], xs[0]}, 1); });
    add("stack", [](const auto& xs) { return stack({xs[0], xs[1]}, -1); });
    add("split", [](const auto& xs) {
        const auto parts = split(xs[0], 2, -1);
        return sum(parts.front() * slice(xs[1], 1, 0, 2), 1) + sum(parts.back(), 1);
    });
    add("slice", [](const auto& xs) { return slice(xs[0], 0, 1, -1) * slice(xs[1], 0, 0, -2); });
    add("pad", [](const auto& xs) { return pad(xs[0], 1, 2, 1, 0.5); });
    std::vector<int32_t> rows, picks;
    for (int64_t i = 0; i < R + 3; ++i) rows.push_back(static_cast<int32_t>(i * i % R));
    for (int64_t i = 0; i < 2 * C; ++i) picks.push_back(static_cast<int32_t>(i * 7 % R));
    const Tensor some = Tensor::from(rows), each = Tensor::from(picks, {2, C});
    add("gather", [=](const auto& xs) { return gather(xs[0], 0, each); });
    add("index_select", [=](const auto& xs) { return index_select(xs[0], 0, some); });
    add("embedding", [=](const auto& xs) { return embedding(xs[0], each); });
}

static void add_losses(std::vector<Case>& cases, int64_t R, int64_t C) {
    const Tensor x = apart({R, C}), q = softmax(uniform({R, C}, -1, 1, 9)), log_p = log_softmax(x);
    for (int axis : {0, 1}) {
        const std::string label = " " + std::to_string(axis);
        auto add = [&](const char* op, Function f) { cases.push_back({op + label, f, {x}}); };
        add("softmax", [axis](const auto& xs) { return softmax(xs[0], axis); });
        add("log_softmax", [axis](const auto& xs) { return log_softmax(xs[0], axis); });
        add("logsumexp", [axis](const auto& xs) { return logsumexp(xs[0], axis); });
    }
    std::vector<int32_t> classes;
    for (int64_t i = 0; i < R; ++i) classes.push_back(static_cast<int32_t>(i * 3 % C));
    classes[1] = -100;
    const Tensor targets = Tensor::from(classes);
    auto add = [&](const char* op, Function f) { cases.push_back({op, f, {x}}); };
    add("cross entropy", [=](const auto& xs) { return softmax_cross_entropy(xs[0], targets); });
    add("cross entropy, smoothed", [=](const auto& xs) {
        return softmax_cross_entropy(xs[0], targets, {.label_smoothing = 0.1});
    });
    add("soft cross entropy",
        [=](const auto& xs) { return soft_cross_entropy(xs[0], q.to(xs[0].dtype())); });
    cases.push_back({"mse", [](const auto& xs) { return mse(xs[0], xs[1]); }, {x, q}});
    cases.push_back({"bce", [](const auto& xs) { return bce_with_logits(xs[0], xs[1]); }, {x, q}});
    cases.push_back({"kl_div", [](const auto& xs) { return kl_div(xs[0], xs[1]); }, {log_p, q}});
    cases.push_back({"layer_norm",
                     [](const auto& xs) { return layer_norm(xs[0], xs[1], xs[2]); },
                     {x, uniform({C}, 0.5, 1.5), uniform({C})}});
    add("dropout", [](const auto& xs) {
        Rng rng(3);
        return dropout(xs[0], 0.3, rng);
    });
}

std::vector<Case> catalogue(int64_t rows, int64_t columns) {
    std::vector<Case> cases = formulas({rows, columns});
    add_pairs(cases, rows, columns);
    add_reductions(cases, rows, columns);
    add_products(cases, rows, columns);
    add_shapes(cases, rows, columns);
    add_losses(cases, rows, columns);
    return cases;
}

}  // namespace gradus::test
