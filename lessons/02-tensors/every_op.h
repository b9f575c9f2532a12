// Every op of autograd/ops.h on small inputs, for the gradient check: scalars, size 1, primes, empty,
// and pairs that broadcast. Inputs stay away from kinks (ReLU at 0) and from poles (1 / 0).
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops.h"

namespace gradus::tensors_lesson {

using Tensors = std::vector<Tensor>;

struct Trial {
    std::function<Tensor(const Tensors&)> f;
    Tensors inputs;
};
struct TriedOp {
    std::string name;
    std::vector<Trial> trials;
};
struct Family {
    std::string name;
    std::vector<TriedOp> ops;
};

// The inputs of one run.
class Inputs {
public:
    explicit Inputs(uint64_t seed) : rng_(seed) {}

    Tensor normal(const Shape& shape) { return rng_.normal(shape, 0, 1, Dtype::f64); }
    Tensor positive(const Shape& shape) { return rng_.uniform(shape, 0.5, 2, Dtype::f64); }
    // Different numbers, a tenth apart, in random order; none is a multiple of a tenth, where the
    // kinks are. Two offsets give two tensors without a number in common.
    Tensor stepped(const Shape& shape, double offset = 0.03) {
        const Tensor order = rng_.permutation(shape.size()).to(Dtype::f64).view(shape);
        return (order - static_cast<double>(shape.size() / 2)) * 0.1 + offset;
    }
    Tensor ids(const Shape& shape, int64_t classes) {
        Tensor ids = Tensor::empty(shape, Dtype::i32);
        for (int64_t i = 0; i < ids.size(); ++i)
            ids.set(i, static_cast<double>(rng_.below(classes)));
        return ids;
    }
    Tensor distributions(const Shape& shape) { return softmax(normal(shape)); }

    enum class Kind { normal, positive, stepped };
    Tensor of(Kind kind, const Shape& shape, double offset = 0.03) {
        if (kind == Kind::normal) return normal(shape);
        return kind == Kind::positive ? positive(shape) : stepped(shape, offset);
    }

private:
    Rng rng_;
};

using Kind = Inputs::Kind;

// f(x) on each shape.
template <class F>
TriedOp one_input(Inputs& in, const std::string& name, Kind kind, F f,
                  const std::vector<Shape>& shapes = {{}, {1}, {7}, {3, 5}, {2, 3, 5}, {0, 3}}) {
    TriedOp op{name, {}};
    for (const Shape& shape : shapes) {
        op.trials.push_back({[f](const Tensors& x) { return f(x[0]); }, {in.of(kind, shape)}});
    }
    return op;
}

// f(a, b) on pairs that broadcast: alike, missing axis, column with row, both stretched, scalar.
template <class F>
TriedOp two_inputs(Inputs& in, const std::string& name, Kind kind, F f) {
    const std::pair<Shape, Shape> pairs[] = {
        {{3, 5}, {3, 5}}, {{2, 3, 5}, {5}}, {{3, 1}, {1, 7}}, {{2, 1, 5}, {3, 1}},
        {{}, {7}},        {{1}, {1}},       {{0, 3}, {3}}};
    TriedOp op{name, {}};
    for (const auto& [a, b] : pairs) {
        op.trials.push_back({[f](const Tensors& x) { return f(x[0], x[1]); },
                             {in.of(kind, a), in.of(kind, b, 0.07)}});
    }
    return op;
}

inline Family elementwise_ops(Inputs& in) {
    Family family{"elementwise", {}};
    const auto one = [&](const char* name, Kind kind, auto f) {
        family.ops.push_back(one_input(in, name, kind, f));
    };
    const auto two = [&](const char* name, Kind kind, auto f) {
        family.ops.push_back(two_inputs(in, name, kind, f));
    };
    two("a + b", Kind::normal, [](auto& a, auto& b) { return a + b; });
    two("a - b", Kind::normal, [](auto& a, auto& b) { return a - b; });
    two("a * b", Kind::normal, [](auto& a, auto& b) { return a * b; });
    two("a / b", Kind::positive, [](auto& a, auto& b) { return a / b; });
    two("pow(a, b)", Kind::positive, [](auto& a, auto& b) { return pow(a, b); });
    two("maximum", Kind::stepped, [](auto& a, auto& b) { return maximum(a, b); });
    two("minimum", Kind::stepped, [](auto& a, auto& b) { return minimum(a, b); });
    two("a > b", Kind::stepped, [](auto& a, auto& b) { return a > b; });
    two("a < b", Kind::stepped, [](auto& a, auto& b) { return a < b; });
    two("equal", Kind::stepped, [](auto& a, auto& b) { return equal(a, b); });
    two("where", Kind::stepped, [](auto& a, auto& b) { return where(a > b, a * a, b); });
    one("-x", Kind::normal, [](auto& x) { return -x; });
    one("x + 2, 2 + x", Kind::normal, [](auto& x) { return (x + 2) * (2 + x); });
    one("x - 2, 2 - x", Kind::normal, [](auto& x) { return (x - 2) * (2 - x); });
    one("x * 3, 3 * x", Kind::normal, [](auto& x) { return (x * 3) * (3 * x); });
    one("x / 3, 3 / x", Kind::positive, [](auto& x) { return x / 3 + 3 / x; });
    one("pow(x, 3)", Kind::normal, [](auto& x) { return pow(x, 3); });
    one("pow(x, -0.5)", Kind::positive, [](auto& x) { return pow(x, -0.5); });
    one("exp", Kind::normal, [](auto& x) { return exp(x); });
    one("log", Kind::positive, [](auto& x) { return log(x); });
    one("sqrt", Kind::positive, [](auto& x) { return sqrt(x); });
    one("square", Kind::normal, [](auto& x) { return square(x); });
    one("abs", Kind::stepped, [](auto& x) { return abs(x); });
    one("erf", Kind::normal, [](auto& x) { return erf(x); });
    one("tanh", Kind::normal, [](auto& x) { return tanh(x); });
    one("sigmoid", Kind::normal, [](auto& x) { return sigmoid(x); });
    one("relu", Kind::stepped, [](auto& x) { return relu(x); });
    one("silu", Kind::normal, [](auto& x) { return silu(x); });
    one("softplus", Kind::normal, [](auto& x) { return softplus(x); });
    one("gelu", Kind::normal, [](auto& x) { return gelu(x); });
    one("gelu, tanh form", Kind::normal, [](auto& x) { return gelu(x, Gelu::tanh); });
    one("clamp", Kind::stepped, [](auto& x) { return clamp(x, -0.5, 0.5); });
    return family;
}

inline Family reductions(Inputs& in) {
    Family family{"reductions", {}};
    const std::vector<Axes> choices = {{0}, {-1}, {1}, {0, 2}, {0, 1, 2}};
    const auto over_axes = [&](const std::string& name, auto f) {
        TriedOp op{name, {}};
        for (const Shape& shape : {Shape{2, 3, 5}, {7, 1, 3}, {1, 1, 1}}) {
            for (const Axes& axes : choices) {
                op.trials.push_back(
                    {[f, axes](const Tensors& x) { return f(x[0], axes); }, {in.stepped(shape)}});
            }
        }
        return op;
    };
    family.ops.push_back(one_input(in, "sum, all", Kind::normal, [](auto& x) { return sum(x); }));
    family.ops.push_back(over_axes("sum, axes", [](auto& x, auto& axes) { return sum(x, axes); }));
    family.ops.push_back(one_input(in, "mean, all", Kind::normal, [](auto& x) { return mean(x); },
                                   {{}, {1}, {7}, {3, 5}}));
    family.ops.push_back(
        over_axes("mean, axes", [](auto& x, auto& axes) { return mean(x, axes, true); }));
    family.ops.push_back(one_input(in, "max, all", Kind::stepped, [](auto& x) { return max(x); },
                                   {{}, {1}, {7}, {3, 5}}));
    family.ops.push_back(over_axes("max, axes", [](auto& x, auto& axes) { return max(x, axes); }));
    family.ops.push_back(
        over_axes("var, axes", [](auto& x, auto& axes) { return var(x, axes, 0); }));
    family.ops.push_back(one_input(in, "argmax", Kind::stepped,
                                   [](auto& x) { return argmax(x).to(Dtype::f64) * x; },
                                   {{1}, {7}, {5, 1}}));
    return family;
}

inline Family products(Inputs& in) {
    Family family{"matrix products", {}};
    // Each pair as [..., M, K] and [..., K, N], then as the form wants it stored.
    const std::pair<Shape, Shape> pairs[] = {
        {{3, 5}, {5, 7}},    {{1, 1}, {1, 1}},          {{1, 5}, {5, 1}}, {{2, 3, 5}, {5, 7}},
        {{3, 5}, {2, 5, 7}}, {{2, 1, 3, 5}, {3, 5, 2}}, {{2, 0}, {0, 3}}};
    const std::pair<const char*, Trans> forms[] = {{"matmul, A B", Trans::none},
                                                   {"matmul, Aᵀ B", Trans::a},
                                                   {"matmul, A Bᵀ", Trans::b},
                                                   {"matmul, Aᵀ Bᵀ", Trans::both}};
    for (const auto& [name, trans] : forms) {
        TriedOp op{name, {}};
        for (auto [a, b] : pairs) {
            if (trans == Trans::a || trans == Trans::both) std::swap(a[-1], a[-2]);
            if (trans == Trans::b || trans == Trans::both) std::swap(b[-1], b[-2]);
            op.trials.push_back(
                {[form = trans](const Tensors& x) { return matmul(x[0], x[1], form); },
                 {in.normal(a), in.normal(b)}});
        }
        family.ops.push_back(op);
    }
    const std::pair<const char*, Activation> activations[] = {
        {"linear", Activation::none},        {"linear + relu", Activation::relu},
        {"linear + tanh", Activation::tanh}, {"linear + sigmoid", Activation::sigmoid},
        {"linear + gelu", Activation::gelu}, {"linear + gelu_tanh", Activation::gelu_tanh},
        {"linear + silu", Activation::silu}};
    for (const auto& [name, activation] : activations) {
        TriedOp op{name, {}};
        for (const Shape& shape : {Shape{3, 5}, {2, 3, 5}, {1, 5}, {5}}) {
            op.trials.push_back(
                {[form = activation](const Tensors& x) { return linear(x[0], x[1], x[2], form); },
                 {in.positive(shape), in.positive({7, 5}), in.normal({7})}});
        }
        family.ops.push_back(op);
    }
    return family;
}

inline Family moves(Inputs& in) {
    Family family{"shape and picking", {}};
    const auto three = [&](const char* name, auto f, std::vector<Shape> shapes) {
        family.ops.push_back(one_input(in, name, Kind::normal, f, shapes));
    };
    const std::vector<Shape> cubes = {{2, 3, 5}, {1, 3, 1}, {7, 3, 2}};
    three(
        "reshape",
        [](auto& x) {
            return reshape(x, {3, -1});
        },
        cubes);
    three(
        "transpose", [](auto& x) { return transpose(x, 0, -1); }, cubes);
    three(
        "permute",
        [](auto& x) {
            return permute(x, {2, 0, 1});
        },
        cubes);
    three("broadcast_to",
          [](auto& x) {
              return broadcast_to(x, {2, 3, 5});
          },
          {{}, {1}, {5}, {3, 1}, {2, 1, 5}});
    three(
        "sum_to",
        [](auto& x) {
            return sum_to(x, {3, 1});
        },
        cubes);
    three(
        "concat",
        [](auto& x) {
            return concat({x, x * x}, 1);
        },
        cubes);
    three(
        "stack",
        [](auto& x) {
            return stack({x, x * x}, 1);
        },
        cubes);
    three(
        "split", [](auto& x) { return split(x, 2, 1)[0] * 3; }, cubes);
    three(
        "slice", [](auto& x) { return slice(x, 1, 1, 3); }, cubes);
    three(
        "pad", [](auto& x) { return pad(x, 1, 1, 2, 0.5); }, cubes);
    const Tensor two = in.ids({2, 2, 5}, 3), few = in.ids({7}, 3), words = in.ids({2, 3}, 5);
    three("gather", [two](auto& x) { return gather(x, 1, two); }, {{2, 3, 5}});
    three(
        "index_select", [few](auto& x) { return index_select(x, 1, few); }, cubes);
    three("embedding", [words](auto& x) { return embedding(x, words); }, {{5, 3}, {5, 1}});
    return family;
}

inline Family softmax_and_losses(Inputs& in) {
    Family family{"softmax and losses", {}};
    const auto one = [&](const char* name, auto f) {
        family.ops.push_back(one_input(in, name, Kind::normal, f, {{7}, {1}, {3, 5}, {2, 3, 5}}));
    };
    one("softmax", [](auto& x) { return softmax(x); });
    one("softmax, first axis", [](auto& x) { return softmax(x, 0); });
    one("log_softmax", [](auto& x) { return log_softmax(x); });
    one("log_softmax, first axis", [](auto& x) { return log_softmax(x, 0); });
    one("logsumexp", [](auto& x) { return logsumexp(x); });
    one("logsumexp, first axis", [](auto& x) { return logsumexp(x, 0, true); });
    const auto loss = [&](const char* name, auto f) {
        TriedOp op{name, {}};
        for (const Shape& shape : {Shape{1, 1}, {3, 7}, {1, 5}, {5, 3}})
            op.trials.push_back(f(shape));
        family.ops.push_back(op);
    };
    for (const auto& [name, smoothing] :
         {std::pair("softmax_cross_entropy", 0.0), {"... smoothed, some ignored", 0.1}}) {
        loss(name, [&, share = smoothing](const Shape& shape) {
            Tensor targets = in.ids({shape[0]}, shape[1]);
            if (share > 0 && shape[0] > 1) targets.set(0, -100);
            const CrossEntropy options{-100, share};
            return Trial{[targets, options](const Tensors& x) {
                             return softmax_cross_entropy(x[0], targets, options);
                         },
                         {in.normal(shape)}};
        });
    }
    loss("soft_cross_entropy", [&](const Shape& shape) {
        const Tensor q = in.distributions(shape);
        return Trial{[q](const Tensors& x) { return soft_cross_entropy(x[0], q); },
                     {in.normal(shape)}};
    });
    loss("mse", [&](const Shape& shape) {
        return Trial{[](const Tensors& x) { return mse(x[0], x[1]); },
                     {in.normal(shape), in.normal(shape)}};
    });
    loss("bce_with_logits", [&](const Shape& shape) {
        return Trial{[](const Tensors& x) { return bce_with_logits(x[0], x[1]); },
                     {in.normal(shape), in.positive(shape) * 0.5}};
    });
    loss("kl_div", [&](const Shape& shape) {
        return Trial{[](const Tensors& x) { return kl_div(x[0], x[1]); },
                     {log(in.distributions(shape)), in.distributions(shape)}};
    });
    return family;
}

inline Family norm_and_noise(Inputs& in) {
    Family family{"normalisation and noise", {}};
    TriedOp norm{"layer_norm", {}}, drop{"dropout", {}};
    for (const Shape& shape : {Shape{3, 5}, {2, 3, 7}, {5}, {3, 1}}) {
        norm.trials.push_back({[](const Tensors& x) { return layer_norm(x[0], x[1], x[2]); },
                               {in.normal(shape), in.normal({shape[-1]}), in.normal({shape[-1]})}});
        drop.trials.push_back({[](const Tensors& x) {
                                   Rng same(7);  // the same elements at each evaluation
                                   return dropout(x[0], 0.3, same);
                               },
                               {in.normal(shape)}});
    }
    family.ops = {norm, drop};
    return family;
}

inline Family composed_twins(Inputs& in) {
    Family family{"the composed twins", {}};
    const auto one = [&](const char* name, auto f) {
        family.ops.push_back(one_input(in, name, Kind::stepped, f, {{7}, {1}, {3, 5}, {2, 3, 5}}));
    };
    one("gelu", [](auto& x) { return composed::gelu(x); });
    one("softmax", [](auto& x) { return composed::softmax(x); });
    one("log_softmax", [](auto& x) { return composed::log_softmax(x); });
    one("logsumexp", [](auto& x) { return composed::logsumexp(x); });
    const Tensor targets = in.ids({5}, 3), q = in.distributions({5, 3});
    const auto more = [&](const char* name, auto f, Tensors inputs) {
        family.ops.push_back({name, {{f, std::move(inputs)}}});
    };
    more("linear", [](const Tensors& x) { return composed::linear(x[0], x[1], x[2]); },
         {in.normal({3, 5}), in.normal({7, 5}), in.normal({7})});
    more("softmax_cross_entropy",
         [targets](const Tensors& x) { return composed::softmax_cross_entropy(x[0], targets); },
         {in.stepped({5, 3})});
    more("soft_cross_entropy",
         [q](const Tensors& x) { return composed::soft_cross_entropy(x[0], q); },
         {in.stepped({5, 3})});
    more("layer_norm", [](const Tensors& x) { return composed::layer_norm(x[0], x[1], x[2]); },
         {in.normal({3, 5}), in.normal({5}), in.normal({5})});
    return family;
}

inline std::vector<Family> every_op(uint64_t seed) {
    Inputs in(seed);
    return {elementwise_ops(in),    reductions(in),     products(in),      moves(in),
            softmax_and_losses(in), norm_and_noise(in), composed_twins(in)};
}

}  // namespace gradus::tensors_lesson
