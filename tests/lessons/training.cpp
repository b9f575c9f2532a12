#include "lessons/training.h"

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "tests/autograd/helpers.h"

using namespace gradus;

TEST_CASE("training: its steps are AdamW's with the options that it was given") {
    const Tensor x = Rng(1).normal({8, 3}), y = Rng(2).normal({8, 1});
    const auto begin = [] {
        nn::manual_seed(3);
        return nn::Linear(3, 1);
    };
    const auto loss_of = [&](nn::Linear& model) {
        const Tensor error = model(x) - y;
        return mean(error * error);
    };
    const lesson::TrainingOptions options{.steps = 6,
                                          .rate = [](int64_t step) { return 0.1 / (1.0 + step); },
                                          .weight_decay = 0.3,
                                          .clip = 0.5,
                                          .beta2 = 0.7,
                                          .course = "a test"};
    nn::Linear trained = begin();
    lesson::History history;
    REQUIRE(lesson::train("test",
                          {.model = trained,
                           .loss = [&](int64_t) { return loss_of(trained); },
                           .test = [&] { return loss_of(trained).item(); }},
                          options, {}, history));

    const auto by_hand = [&](double beta2, double weight_decay, double clip) {
        nn::Linear model = begin();
        nn::AdamW optimizer(model.parameters(), {.beta2 = beta2, .weight_decay = weight_decay});
        for (int64_t step = 0; step < options.steps; ++step) {
            optimizer.zero_grad();
            Tape tape;
            tape.backward(loss_of(model));
            optimizer.clip_grad_norm(clip);
            optimizer.set_lr(options.rate(step));
            optimizer.step();
        }
        const auto values = model.weight.values<float>();
        return std::vector<float>(values.begin(), values.end());
    };
    const auto values = trained.weight.values<float>();
    const std::vector<float> weight(values.begin(), values.end());
    CHECK(weight == by_hand(0.7, 0.3, 0.5));
    CHECK(weight != by_hand(0.999, 0.3, 0.5));
    CHECK(weight != by_hand(0.7, 0.01, 0.5));
    CHECK(weight != by_hand(0.7, 0.3, 1));
}
