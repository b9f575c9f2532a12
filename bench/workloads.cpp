#include "bench/workloads.h"

#include "autograd/ops.h"
#include "models/mlp.h"
#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::bench {
namespace {

Workload mlp_mnist(const Sizes& size) {
    const int64_t batch = size.at("batch"), dim = size.at("dim");
    auto model = std::make_shared<models::MLP>(std::vector<int64_t>{784, dim, dim, 10});
    Rng rng(1);
    const Tensor x = rng.normal({batch, 784}), y = Tensor::empty({batch}, Dtype::i32);
    for (int64_t i = 0; i < batch; ++i) Tensor(y).set(i, static_cast<double>(rng.below(10)));
    return {.parameters = model->named_parameters(),
            .data = {{"x", x}, {"y", y}},
            .loss = [model = model.get(), x, y] { return nn::cross_entropy((*model)(x), y); },
            .tokens = batch,
            .model = model};
}

// `ops` tiny ops on a vector of `dim` elements: the cost of the tape itself.
Workload tiny_graph(const Sizes& size) {
    const int64_t ops = size.at("ops");
    const Tensor w = Rng(1).normal({size.at("dim")}).requires_grad();
    return {.parameters = {{"w", w}},
            .data = {},
            .loss =
                [w, ops] {
                    Tensor x = w;
                    for (int64_t i = 0; i < ops / 2; ++i) x = tanh(x * w);
                    return sum(x);
                },
            .tokens = ops,
            .clips = false};
}

}  // namespace

const std::map<std::string, Kind>& workloads() {
    static const std::map<std::string, Kind> all{
        {"mlp-mnist",
         {"784-dim-dim-10 with ReLU on random images", {{"batch", 128}, {"dim", 1200}}, mlp_mnist}},
        {"tiny-graph",
         {"a chain of tiny multiplications and tanh", {{"dim", 16}, {"ops", 500}}, tiny_graph}},
    };
    return all;
}

}  // namespace gradus::bench
