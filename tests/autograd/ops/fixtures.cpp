// Values and gradients against PyTorch's, from tests/fixtures/make_ops.py.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

namespace {

// The engine's tests know nothing of nn: the few lines that read a trusted file.
std::map<std::string, Tensor> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    uint64_t length = 0;
    file.read(reinterpret_cast<char*>(&length), sizeof length);
    std::string text(length, ' ');
    file.read(text.data(), static_cast<std::streamsize>(length));
    const std::string data{std::istreambuf_iterator<char>(file), {}};
    std::map<std::string, Tensor> tensors;
    const auto header = nlohmann::json::parse(text);
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        Shape shape;
        for (int64_t size : entry["shape"]) shape.append(size);
        const auto begin = entry["data_offsets"][0].get<size_t>(),
                   end = entry["data_offsets"][1].get<size_t>();
        auto take = [&](auto zero) {
            std::vector<decltype(zero)> values((end - begin) / sizeof zero);
            if (!values.empty()) std::memcpy(values.data(), data.data() + begin, end - begin);
            return Tensor::from(values, shape);
        };
        tensors[name] = entry["dtype"] == "F64"   ? take(double{})
                        : entry["dtype"] == "F32" ? take(float{})
                                                  : take(int32_t{});
    }
    return tensors;
}

const std::map<std::string, Tensor>& stored() {
    static const auto tensors = read(GRADUS_FIXTURES "/ops.safetensors");
    return tensors;
}

// Relative to the largest number, as float32 sums go.
double distance_to(const Tensor& a, const Tensor& b) {
    if (a.shape() != b.shape() || a.dtype() != b.dtype()) return kInfinity;
    double worst = 0, largest = 1;
    for (int64_t i = 0; i < a.size(); ++i) {
        worst = std::max(worst, std::abs(a.at(i) - b.at(i)));
        largest = std::max(largest, std::abs(b.at(i)));
    }
    return worst / largest;
}

void check_case(const std::string& name, const Function& f) {
    for (Dtype dtype : {Dtype::f64, Dtype::f32}) {
        const std::string suffix = dtype == Dtype::f64 ? "" : "32";
        const double tolerance = dtype == Dtype::f64 ? 1e-12 : 3e-6;
        std::vector<Tensor> xs;
        for (int i = 0; stored().count(name + ".x" + std::to_string(i)); ++i)
            xs.push_back(stored().at(name + ".x" + std::to_string(i)).to(dtype).requires_grad());
        REQUIRE(!xs.empty());
        Tape tape;
        const Tensor y = f(xs);
        Tensor w = Tensor::empty(y.shape(), dtype);
        for (int64_t i = 0; i < w.size(); ++i)
            w.set(i, static_cast<double>(i + 1) / static_cast<double>(w.size()));
        tape.backward(y, w);
        INFO(name << suffix);
        CHECK(distance_to(y, stored().at(name + ".y" + suffix)) <= tolerance);
        for (size_t i = 0; i < xs.size(); ++i) {
            INFO("gradient " << i);
            CHECK(distance_to(xs[i].grad(),
                              stored().at(name + ".d" + std::to_string(i) + suffix)) <= tolerance);
        }
    }
}

}  // namespace

TEST_CASE("PyTorch: elementwise ops, broadcast both ways") {
    const std::pair<const char*, Tensor (*)(const Tensor&)> ones[] = {{"neg", operator- },
                                                                       {"exp", exp},
                                                                       {"square", square},
                                                                       {"abs", abs},
                                                                       {"erf", erf},
                                                                       {"tanh", tanh},
                                                                       {"sigmoid", sigmoid},
                                                                       {"relu", relu},
                                                                       {"silu", silu},
                                                                       {"softplus", softplus},
                                                                       {"log", log},
                                                                       {"sqrt", sqrt}};
    for (const auto& [name, op] : ones)
        check_case(name, [op = op](const auto& xs) { return op(xs[0]); });
    check_case("gelu", [](const auto& xs) { return gelu(xs[0]); });
    check_case("gelu_tanh", [](const auto& xs) { return gelu(xs[0], Gelu::tanh); });
    check_case("clamp", [](const auto& xs) { return clamp(xs[0], -0.5, 0.7); });
    check_case("cube", [](const auto& xs) { return pow(xs[0], 3); });
    check_case("power", [](const auto& xs) { return pow(xs[0], -1.3); });
    check_case("inverse", [](const auto& xs) { return 2 / xs[0]; });
    const std::pair<const char*, Tensor (*)(const Tensor&, const Tensor&)> pairs[] = {
        {"add", operator+ },
         {"sub", operator- },
          {"mul", operator* },
           {"div", operator/ }, {"pow", pow}, {"maximum", maximum}, {"minimum", minimum}};
    for (const auto& [name, op] : pairs)
        for (const char* shapes : {"same", "outer", "row", "scalar", "middle"})
            check_case(std::string(name) + "_" + shapes,
                       [op = op](const auto& xs) { return op(xs[0], xs[1]); });
    check_case("where", [](const auto& xs) { return where(xs[0] > xs[1], xs[0], xs[1] * 2); });
}

TEST_CASE("PyTorch: reductions over every set of axes") {
    const std::pair<std::string, Axes> sets[] = {{"0", {0}},        {"1", {1}},     {"2", {-1}},
                                                 {"01", {0, 1}},    {"02", {2, 0}}, {"12", {1, 2}},
                                                 {"012", {0, 1, 2}}};
    for (const auto& [label, axes] : sets)
        for (bool keep : {false, true}) {
            const std::string name = label + (keep ? "k" : "");
            auto along = [axes = axes, keep](auto op) {
                return [=](const std::vector<Tensor>& xs) { return op(xs[0], axes, keep); };
            };
            using A = const Axes&;
            check_case("sum_" + name,
                       along([](const Tensor& x, A a, bool k) { return sum(x, a, k); }));
            check_case("mean_" + name,
                       along([](const Tensor& x, A a, bool k) { return mean(x, a, k); }));
            check_case("max_" + name,
                       along([](const Tensor& x, A a, bool k) { return max(x, a, k); }));
            check_case("var0_" + name,
                       along([](const Tensor& x, A a, bool k) { return var(x, a, 0, k); }));
            check_case("var1_" + name,
                       along([](const Tensor& x, A a, bool k) { return var(x, a, 1, k); }));
        }
}

TEST_CASE("PyTorch: matrix products, plain, transposed, batched, broadcast") {
    auto product = [](Trans trans) {
        return [trans](const std::vector<Tensor>& xs) { return matmul(xs[0], xs[1], trans); };
    };
    check_case("matmul", product(Trans::none));
    check_case("matmul_a", product(Trans::a));
    check_case("matmul_b", product(Trans::b));
    check_case("matmul_ab", product(Trans::both));
    for (const char* batch : {"batch", "right", "left", "both", "one"}) {
        check_case(std::string("matmul_") + batch, product(Trans::none));
        check_case(std::string("matmul_") + batch + "_ab", product(Trans::both));
    }
    check_case("linear", [](const auto& xs) { return linear(xs[0], xs[1], xs[2]); });
}

TEST_CASE("PyTorch: shapes and picking, with repeated ids") {
    check_case("reshape", [](const auto& xs) { return reshape(xs[0], {5, -1}); });
    check_case("transpose", [](const auto& xs) { return transpose(xs[0]); });
    check_case("permute", [](const auto& xs) { return permute(xs[0], {2, 0, 1}); });
    check_case("broadcast_to", [](const auto& xs) { return broadcast_to(xs[0], {2, 3, 4}); });
    check_case("concat", [](const auto& xs) { return concat({xs[0], xs[1], xs[0]}, 1); });
    check_case("stack", [](const auto& xs) { return stack({xs[0], xs[1]}, 1); });
    check_case("split", [](const auto& xs) {
        const auto parts = split(xs[0], 2, 1);
        REQUIRE(parts.size() == 3);
        CHECK(parts[2].shape() == Shape{3, 1});
        return parts[1] * parts[0];
    });
    check_case("slice", [](const auto& xs) { return slice(xs[0], 1, 1, -1); });
    check_case("pad", [](const auto& xs) { return pad(xs[0], -1, 2, 1, 0.5); });
    const Tensor each = stored().at("gather.ids"), rows = stored().at("rows.ids");
    check_case("gather", [&](const auto& xs) { return gather(xs[0], 0, each); });
    check_case("index_select", [&](const auto& xs) { return index_select(xs[0], 0, rows); });
    check_case("embedding", [&](const auto& xs) { return embedding(xs[0], each); });
}

TEST_CASE("PyTorch: softmax along each axis, losses, layer_norm") {
    for (int axis = 0; axis < 3; ++axis) {
        const std::string label = "_" + std::to_string(axis);
        check_case("softmax" + label, [=](const auto& xs) { return softmax(xs[0], axis); });
        check_case("log_softmax" + label, [=](const auto& xs) { return log_softmax(xs[0], axis); });
        check_case("logsumexp" + label, [=](const auto& xs) { return logsumexp(xs[0], axis); });
    }
    const Tensor targets = stored().at("targets.ids"), q = stored().at("soft.q");
    Tensor zero_ignored = targets.clone();
    zero_ignored.set(2, 0);
    check_case("cross_entropy",
               [&](const auto& xs) { return softmax_cross_entropy(xs[0], targets); });
    check_case("cross_entropy_ignore", [&](const auto& xs) {
        return softmax_cross_entropy(xs[0], zero_ignored, {.ignore_index = 0});
    });
    check_case("cross_entropy_smooth", [&](const auto& xs) {
        return softmax_cross_entropy(xs[0], targets, {.label_smoothing = 0.2});
    });
    check_case("soft",
               [&](const auto& xs) { return soft_cross_entropy(xs[0], q.to(xs[0].dtype())); });
    check_case("mse", [](const auto& xs) { return mse(xs[0], xs[1]); });
    check_case("bce", [](const auto& xs) { return bce_with_logits(xs[0], xs[1]); });
    check_case("kl_div", [](const auto& xs) { return kl_div(xs[0], xs[1]); });
    check_case("layer_norm", [](const auto& xs) { return layer_norm(xs[0], xs[1], xs[2]); });
}
