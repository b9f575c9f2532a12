#include "models/window_lm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "data/batches.h"
#include "nn/checkpoint.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using models::WindowLM, models::WindowLmOptions;

namespace {

const WindowLmOptions kSmall{.vocab = 7, .window = 3, .dim = 4, .hidden = 5, .direct = true};

// Random windows and targets over `vocab` tokens.
data::Batch noise(int64_t rows, int64_t window, int64_t vocab) {
    Rng rng(3);
    data::Batch batch{Tensor::empty({rows, window}, Dtype::i32), Tensor::empty({rows}, Dtype::i32)};
    for (Tensor* ids : {&batch.x, &batch.y})
        for (int64_t i = 0; i < ids->size(); ++i)
            ids->data<int32_t>()[i] = static_cast<int32_t>(rng.below(vocab));
    return batch;
}

struct Run {
    WindowLM model{{.vocab = 20, .window = 3, .dim = 6, .hidden = 32}};
    nn::AdamW optimizer{model.parameters(), {.lr = 1e-2}};
    data::Batch all = noise(300, 3, 20);
    data::Batches batches{all.x, all.y, 32, {.seed = 2}};
    nn::Training training{model, optimizer};

    double train(int64_t until) {
        double last = 0;
        for (; training.step < until; ++training.step) {
            const auto [x, y] = batches.at(training.step);
            optimizer.zero_grad();
            Tape tape;
            const Tensor loss = nn::cross_entropy(model(x), y);
            last = loss.item();
            tape.backward(loss);
            optimizer.step();
        }
        return last;
    }
};

}  // namespace

TEST_CASE("window_lm: is equation (1), number by number") {
    for (const bool direct : {false, true}) {
        WindowLmOptions options = kSmall;
        options.direct = direct;
        nn::manual_seed(1);
        WindowLM model(options);
        model.to(Dtype::f64);
        const nn::StateDict p = model.state_dict();
        CHECK(p.contains("direct.weight") == direct);
        const Tensor ids = Tensor::from<int32_t>({0, 6, 2, 5, 5, 1}, {2, 3}), y = model(ids);
        CHECK(y.shape() == Shape{2, 7});
        for (int64_t b = 0; b < 2; ++b) {
            double x[12], h[5];  // the oldest token's embedding first
            for (int64_t i = 0; i < 12; ++i) {
                const auto id = static_cast<int64_t>(ids.at(b * 3 + i / 4));
                x[i] = p.at("table.weight").at(id * 4 + i % 4);
            }
            for (int64_t k = 0; k < 5; ++k) {
                h[k] = p.at("hidden.bias").at(k);
                for (int64_t i = 0; i < 12; ++i)
                    h[k] += p.at("hidden.weight").at(k * 12 + i) * x[i];
            }
            for (int64_t v = 0; v < 7; ++v) {
                double expected = p.at("head.bias").at(v);
                for (int64_t k = 0; k < 5; ++k)
                    expected += p.at("head.weight").at(v * 5 + k) * std::tanh(h[k]);
                for (int64_t i = 0; direct && i < 12; ++i)
                    expected += p.at("direct.weight").at(v * 12 + i) * x[i];
                CHECK(std::abs(y.at(b * 7 + v) - expected) < 1e-12);
            }
        }
    }
}

TEST_CASE("window_lm: gradients agree with differences, of a token that occurs twice too") {
    nn::manual_seed(2);
    WindowLM model(kSmall);
    model.to(Dtype::f64);
    const Tensor ids = Tensor::from<int32_t>({1, 1, 1, 4, 1, 0, 6, 6, 4, 2, 3, 5}, {4, 3});
    const Tensor targets = Tensor::from<int32_t>({1, 0, 6, 6});
    const auto loss = [&] { return nn::cross_entropy(model(ids), targets); };
    {
        Tape tape;
        tape.backward(loss());
    }
    for (const auto& parameter : model.named_parameters()) {
        CAPTURE(parameter.first);
        Tensor p = parameter.second;
        for (int64_t i = 0; i < p.size(); ++i) {
            const double at = p.at(i), step = 1e-5;
            p.set(i, at + step);
            const double above = loss().item();
            p.set(i, at - step);
            const double below = loss().item();
            p.set(i, at);
            CHECK(std::abs(p.grad().at(i) - (above - below) / (2 * step)) < 1e-9);
        }
    }
}

TEST_CASE("window_lm: learns one batch by heart") {
    nn::manual_seed(3);
    WindowLM model({.vocab = 20, .window = 3, .dim = 8, .hidden = 64});
    nn::AdamW optimizer(model.parameters(), {.lr = 1e-2});
    const auto [x, y] = noise(32, 3, 20);
    double loss = 0;
    for (int step = 0; step < 200; ++step) {
        optimizer.zero_grad();
        Tape tape;
        const Tensor now = nn::cross_entropy(model(x), y);
        loss = now.item();
        tape.backward(now);
        optimizer.step();
    }
    CHECK(loss < 0.01);
}

TEST_CASE("window_lm: the same bits for one thread and two") {
    const auto trained = [](int threads) {
        test::Threads some(threads);
        nn::manual_seed(4);
        Run run;
        run.train(20);
        return test::copy(run.model.state_dict());
    };
    CHECK(test::same_bits(trained(1), trained(2)));
}

TEST_CASE("window_lm: a training resumed is one that never stopped") {
    const test::TemporaryFolder folder;
    const auto path = folder / "window.safetensors";
    nn::manual_seed(5);
    Run whole;
    whole.train(7);
    nn::save_checkpoint(path, whole.training);
    const double loss = whole.train(15);

    nn::manual_seed(99);
    Run resumed;
    nn::load_checkpoint(path, resumed.training);
    CHECK(resumed.training.step == 7);
    CHECK(resumed.train(15) == loss);
    CHECK(test::same_bits(resumed.model.state_dict(), whole.model.state_dict()));
}

TEST_CASE("window_lm: errors name the layer") {
    WindowLM model(kSmall);
    const auto of = [&](const Tensor& ids) { return test::error_of([&] { model(ids); }); };
    const std::string wide = of(Tensor::zeros({2, 4}, Dtype::i32));
    CHECK(test::contains(wide, "ids are [2, 4]; [B, 3] expected"));
    CHECK(test::contains(wide, "in window_lm"));
    CHECK(test::contains(of(Tensor::from<int32_t>({1, 2, 7}, {1, 3})), "... in window_lm.table"));
    CHECK(test::contains(test::error_of([] { WindowLM({.vocab = 5, .window = 0}); }), "window 0"));
    CHECK(test::contains(test::error_of([] { WindowLM({}); }), "vocab 0"));
}
