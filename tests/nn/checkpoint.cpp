#include "nn/checkpoint.h"

#include <doctest/doctest.h>

#include "autograd/memory.h"
#include "data/batches.h"
#include "models/mlp.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/schedule.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of, test::TemporaryFolder;

namespace {

// A training with everything that has a state: dropout, moments, schedule, shuffling, noise.
struct Run {
    models::MLP model{{6, 16, 3}, {.dropout = 0.3}};
    nn::AdamW optimizer{model.parameters()};
    data::Batches batches{Rng(1).normal({50, 6}), labels(), 8, {.seed = 2}};
    nn::WarmupCosine schedule{.peak = 0.01, .warmup = 3, .total = 30};
    Rng noise{7};
    nn::Training training{model, optimizer, 0, {{"noise", &noise}}, {{"lesson", "03"}}};

    static Tensor labels() {
        Tensor y = Tensor::empty({50}, Dtype::i32);
        for (int32_t i = 0; i < 50; ++i) y.data<int32_t>()[i] = i % 3;
        return y;
    }
    double train(int64_t until) {
        double loss_of_last = 0;
        for (; training.step < until; ++training.step) {
            const auto [x, y] = batches.at(training.step);
            optimizer.zero_grad();
            Tape tape;
            const Tensor noisy = x + noise.normal(x.shape(), 0, nn::generator().uniform());
            const Tensor loss = nn::cross_entropy(model(noisy), y);
            loss_of_last = loss.item();
            tape.backward(loss);
            optimizer.clip_grad_norm(1);
            optimizer.set_lr(schedule(training.step));
            optimizer.step();
        }
        return loss_of_last;
    }
};

}  // namespace

TEST_CASE("checkpoint: a training resumed is one that never stopped, bit by bit") {
    const TemporaryFolder folder;
    const auto path = folder / "run.safetensors";
    nn::manual_seed(1);
    Run whole;
    whole.train(11);
    nn::save_checkpoint(path, whole.training);
    const double loss = whole.train(23);

    nn::manual_seed(99);  // another start in every respect
    Run resumed;
    resumed.noise = Rng(3);
    resumed.train(2);
    resumed.training.notes = {{"other", "note"}};
    nn::load_checkpoint(path, resumed.training);
    CHECK(resumed.training.step == 11);
    CHECK(resumed.training.notes == nn::Metadata{{"lesson", "03"}});
    CHECK(resumed.train(23) == loss);
    CHECK(test::same_bits(resumed.model.state_dict(), whole.model.state_dict()));
    CHECK(test::same_bits(resumed.optimizer.state_dict(), whole.optimizer.state_dict()));
}

TEST_CASE("checkpoint: same bits with one thread and two") {
    nn::StateDict states[2];
    for (int threads : {1, 2}) {
        test::Threads count(threads);
        nn::manual_seed(1);
        Run run;
        run.train(10);
        states[threads - 1] = run.model.state_dict();
    }
    CHECK(test::same_bits(states[0], states[1]));
}

TEST_CASE("checkpoint: training asks the system for no memory after the second step") {
    Run run;
    run.train(2);
    const int64_t before = memory::stats().system_allocations;
    run.train(12);
    CHECK(memory::stats().system_allocations == before);
}

TEST_CASE("checkpoint: that of another training is refused with all differences") {
    const TemporaryFolder folder;
    const auto path = folder / "run.safetensors";
    Run run;
    run.train(3);
    nn::save_checkpoint(path, run.training);

    models::MLP model({6, 16, 4});
    nn::SGD optimizer(model.parameters());
    Rng rng(4);
    nn::Training other{model, optimizer, 5, {{"other", &rng}}, {{"note", "mine"}}};
    const nn::StateDict before = test::copy(model.state_dict());
    const uint64_t state = nn::generator().state();

    const std::string error = error_of([&] { nn::load_checkpoint(path, other); });
    CHECK(contains(error, "run.safetensors: is a checkpoint of another training"));
    CHECK(contains(error, "missing:    2.weight [4, 16] f32"));
    CHECK(contains(error, "unexpected: 3.weight [3, 16] f32"));
    CHECK(contains(error, "unexpected: optimizer/exp_avg.0 [16, 6] f32"));
    CHECK(contains(error, "missing:    generator given/other"));
    CHECK(contains(error, "unexpected: generator model/2.rng"));
    CHECK(test::same_bits(model.state_dict(), before));
    CHECK(other.step == 5);
    CHECK(nn::generator().state() == state);

    nn::save_safetensors(path, model.state_dict());
    CHECK(contains(error_of([&] { nn::load_checkpoint(path, other); }), "is no checkpoint"));
    nn::save_safetensors(path, model.state_dict(), {{"step", "three"}});
    CHECK(contains(error_of([&] { nn::load_checkpoint(path, other); }), "step is \"three\""));
}

TEST_CASE("checkpoint: its weights load by themselves") {
    const TemporaryFolder folder;
    Run run, other;
    run.train(2);
    nn::save_checkpoint(folder / "x", run.training);
    other.model.load_state_dict(nn::load_safetensors(folder / "x").tensors, nn::Strict::shapes);
    CHECK(test::same_bits(other.model.state_dict(), run.model.state_dict()));
}

TEST_CASE("checkpoint: tensors that one step hands to the next come back, bit by bit") {
    const TemporaryFolder folder;
    const auto path = folder / "run.safetensors";
    Run run, other;
    Tensor state = Rng(1).normal({2, 3}), its_state = Tensor::zeros({2, 3});
    run.training.tensors = {{"h", &state}};
    other.training.tensors = {{"h", &its_state}};
    nn::save_checkpoint(path, run.training);
    const Tensor held = its_state;  // what somebody else looks at stays as it is
    nn::load_checkpoint(path, other.training);
    CHECK(test::same_bits(its_state, state));
    CHECK(max(abs(held)).item() == 0);

    SUBCASE("of another shape, or another set of them, they are refused") {
        Tensor narrow = Tensor::zeros({2, 2}), more = Tensor::ones({1});
        other.training.tensors = {{"c", &more}, {"h", &narrow}};
        const std::string error = error_of([&] { nn::load_checkpoint(path, other.training); });
        CHECK(contains(error, "differs:    carried/h is [2, 3] f32, expected [2, 2] f32"));
        CHECK(contains(error, "missing:    carried/c [1] f32"));
        CHECK(more.item() == 1);
        other.training.tensors = {};
        CHECK(contains(error_of([&] { nn::load_checkpoint(path, other.training); }),
                       "unexpected: carried/h [2, 3] f32"));
    }
    SUBCASE("an undefined one is an error") {
        state = {};
        CHECK(contains(error_of([&] { nn::save_checkpoint(path, run.training); }),
                       "checkpoint: the tensor \"h\" is undefined; zeros expected"));
    }
}
