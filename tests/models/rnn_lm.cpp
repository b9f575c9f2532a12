#include "models/rnn_lm.h"

#include <doctest/doctest.h>

#include "autograd/memory.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/models/ids.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using models::RnnLM, models::RnnLmOptions;
using test::columns, test::contains, test::distance, test::error_of, test::random_ids;

namespace {

constexpr RnnLmOptions kSmall{.cell = Cell::lstm, .vocab = 7, .dim = 5, .hidden = 6, .layers = 2};

}  // namespace

TEST_CASE("rnn_lm: logits, loss and every gradient are PyTorch's, with a state carried on") {
    const nn::TensorFile file = nn::load_safetensors(GRADUS_FIXTURES "/rnn_lm.safetensors");
    const struct {
        std::string name;
        RnnLmOptions options;
    } cases[] = {
        {"rnn", {.cell = Cell::rnn_tanh, .vocab = 7, .dim = 5, .hidden = 6}},
        {"gru", {.cell = Cell::gru, .vocab = 7, .dim = 5, .hidden = 6, .layers = 2}},
        {"lstm", kSmall},
        {"tied", {.cell = Cell::lstm, .vocab = 7, .dim = 6, .hidden = 6, .tied = true}},
    };
    for (const auto& [case_name, case_options] : cases)
        for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
            const std::string name = case_name;
            const RnnLmOptions options = case_options;
            CAPTURE(name);
            const std::string kind = gradus::name(dtype);
            CAPTURE(kind);
            const double tolerance = dtype == Dtype::f32 ? 1e-5 : 1e-10;
            const auto torch =
                nn::with_prefix_removed(file.tensors, fmt::format("{}/{}/", name, kind));
            RnnLM model(options);
            model.to(dtype);
            auto weights = nn::with_prefix_removed(torch, "weights/");
            if (options.tied) weights["head.weight"] = weights.at("emb.weight");
            model.load_state_dict(weights);
            const Tensor& ids = torch.at("ids");  // [3, 9]
            const auto before = model(columns(ids, 0, 4));
            Tape tape;
            const auto output = model(columns(ids, 4, 8), before.state.detach());
            const Tensor loss = nn::cross_entropy(output.logits, columns(ids, 5, 9));
            tape.backward(loss);
            CHECK(distance(output.logits, torch.at("logits")) < tolerance);
            CHECK(std::abs(loss.item() - torch.at("loss").item()) < tolerance);
            CHECK(test::wrong_gradients(model, torch, tolerance) == "");
        }
}

TEST_CASE("rnn_lm: begins with a loss near ln V, tied or not") {
    for (const bool tied : {false, true})
        for (const Cell cell : {Cell::rnn_tanh, Cell::rnn_relu, Cell::lstm, Cell::gru}) {
            nn::manual_seed(1);
            RnnLM model({.cell = cell, .vocab = 60, .dim = 64, .hidden = 64, .tied = tied});
            const Tensor ids = random_ids({500}, 60);
            CHECK(models::nats_per_token(model, ids) ==
                  doctest::Approx(std::log(60)).epsilon(0.05));
        }
}

TEST_CASE("rnn_lm: learns one batch by heart") {
    for (const bool tied : {false, true}) {
        nn::manual_seed(1);
        RnnLM model({.cell = Cell::lstm, .vocab = 10, .dim = 32, .hidden = 32, .tied = tied});
        nn::AdamW optimizer(model.parameters(), {.lr = 1e-2});
        Tensor ids = random_ids({4, 13}, 10);
        for (int64_t b = 0; b < 4; ++b)
            ids.set(b * 13, static_cast<double>(b));  // to tell rows apart
        const Tensor x = columns(ids, 0, 12), y = columns(ids, 1, 13);
        double loss = 0;
        for (int step = 0; step < 250; ++step) {
            optimizer.zero_grad();
            Tape tape;
            const Tensor now = nn::cross_entropy(model(x).logits, y);
            loss = now.item();
            tape.backward(now);
            optimizer.step();
        }
        CAPTURE(tied);
        CHECK(loss < 0.02);
    }
}

TEST_CASE("rnn_lm: two windows with the state carried on are one long window") {
    for (const Cell cell : {Cell::rnn_tanh, Cell::lstm, Cell::gru}) {
        RnnLM model({.cell = cell, .vocab = 7, .dim = 5, .hidden = 6, .layers = 2});
        model.to(Dtype::f64);
        const Tensor ids = random_ids({3, 20}, 7);
        const auto whole = model(ids);
        const auto first = model(columns(ids, 0, 9));
        const auto second = model(columns(ids, 9, 20), first.state.detach());
        CHECK(distance(concat({first.logits, second.logits}, 1), whole.logits) < 1e-12);
        CHECK(distance(second.state.h, whole.state.h) < 1e-12);
    }
}

TEST_CASE("rnn_lm: the loss of a whole text is the mean of one long pass, dropout or not") {
    RnnLmOptions options = kSmall;
    options.dropout = 0.5;
    RnnLM model(options);
    model.to(Dtype::f64);
    const Tensor ids = random_ids({700}, 7);
    model.eval();
    const Tensor logits = model(columns(ids.view({1, 700}), 0, 699)).logits;
    const double mean = nn::cross_entropy(logits, columns(ids.view({1, 700}), 1, 700)).item();
    model.train();
    CHECK(models::nats_per_token(model, ids) == doctest::Approx(mean).epsilon(1e-12));
    CHECK(model.training());
}

TEST_CASE("rnn_lm: read in rows, every token counts once, each row after the ids before it") {
    RnnLM model(kSmall);
    model.to(Dtype::f64);
    for (const int64_t n : {2, 3, 10, 64, 65, 200, 701}) {
        const Tensor ids = random_ids({n}, 7);
        const double stream = models::nats_per_token(model, ids);
        for (const int64_t rows : {2, 3, 8, 31, 800}) {
            CAPTURE(n);
            CAPTURE(rows);
            // An untrained LSTM forgets fast; rows shorter than the warm-up know little.
            const double tolerance = n / rows > 20 ? 1e-6 : 0.2;
            CHECK(std::abs(models::nats_per_token(model, ids, rows) - stream) < tolerance);
        }
    }
    // Without context the rows' losses are exact: a model whose head sees only its bias.
    model.state_dict().at("head.weight").fill(0);
    const Tensor ids = random_ids({701}, 7);
    CHECK(models::nats_per_token(model, ids, 9) ==
          doctest::Approx(models::nats_per_token(model, ids)).epsilon(1e-12));
}

TEST_CASE("rnn_lm: same bits for one thread and two: gradients, losses and texts") {
    nn::StateDict gradients[2];
    double losses[2];
    Tensor texts[2];
    for (int threads : {1, 2}) {
        test::Threads count(threads);
        nn::manual_seed(1);
        RnnLM model({.vocab = 40, .dim = 32, .hidden = 48, .layers = 2, .dropout = 0.2});
        const Tensor ids = random_ids({10, 33}, 40);
        Tape tape;
        const Tensor loss =
            nn::cross_entropy(model(columns(ids, 0, 32)).logits, columns(ids, 1, 33));
        tape.backward(loss);
        for (const auto& [name, p] : model.named_parameters())
            gradients[threads - 1].emplace(name, p.grad().clone());
        losses[threads - 1] = models::nats_per_token(model, ids.view({330}), 4);
        Rng rng(3);
        texts[threads - 1] = models::generate(model, columns(ids, 0, 5), 20, {}, rng);
    }
    CHECK(test::same_bits(gradients[0], gradients[1]));
    CHECK(losses[0] == losses[1]);
    CHECK(test::same_bits(texts[0], texts[1]));
}

TEST_CASE("rnn_lm: greedy text is, token by token, the most probable one after all before it") {
    nn::manual_seed(4);
    RnnLM model(kSmall);
    model.load_state_dict(test::copy(model.state_dict()));
    for (const auto& [name, p] : model.named_parameters()) Tensor(p).copy_from(p * 4);
    const Tensor prompts = random_ids({3, 4}, 7);
    Rng rng(1);
    const Tensor text = models::generate(model, prompts, 12, {.temperature = 0}, rng);
    REQUIRE(text.shape() == Shape{3, 12});
    model.eval();
    const Tensor whole = concat({prompts.to(Dtype::f32), text.to(Dtype::f32)}, 1).to(Dtype::i32);
    const Tensor best = argmax(model(whole).logits);  // [3, 16]
    for (int64_t b = 0; b < 3; ++b)
        for (int64_t t = 0; t < 12; ++t) CHECK(text.at(b * 12 + t) == best.at(b * 16 + 3 + t));
}

TEST_CASE("rnn_lm: text is drawn as the options say, and reproducibly") {
    RnnLM model(kSmall);
    const Tensor prompts = random_ids({50, 1}, 7);
    Rng one(1), same(1), other(2);
    const Tensor a = models::generate(model, prompts, 30, {}, one);
    CHECK(test::same_bits(a, models::generate(model, prompts, 30, {}, same)));
    CHECK_FALSE(test::same_bits(a, models::generate(model, prompts, 30, {}, other)));
    CHECK(models::generate(model, prompts, 0, {}, one).shape() == Shape{50, 0});
    Rng top(1), greedy(1);
    CHECK(test::same_bits(models::generate(model, prompts, 30, {.top_k = 1}, top),
                          models::generate(model, prompts, 30, {.temperature = 0}, greedy)));
}

TEST_CASE("rnn_lm: generating asks the system for no memory once it has begun") {
    RnnLM model(kSmall);
    Rng rng(1);
    const Tensor prompts = random_ids({8, 1}, 7);
    models::generate(model, prompts, 5, {}, rng);
    const int64_t before = memory::stats().system_allocations;
    models::generate(model, prompts, 100, {}, rng);
    CHECK(memory::stats().system_allocations <= before + 1);  // the text itself
}

TEST_CASE("rnn_lm: errors name what was found and what is expected") {
    RnnLM model(kSmall);
    Rng rng(1);
    const Tensor outside = Tensor::from<int32_t>({1, 7, 2}, {1, 3});
    CHECK(
        contains(error_of([&] { model(outside); }), "id 7 at position 1 is out of range (0 ... 6"));
    CHECK(contains(error_of([&] { model(outside); }), "... in rnn_lm.emb"));
    CHECK(contains(error_of([&] { models::generate(model, outside, 3, {}, rng); }), "id 7"));
    CHECK(contains(error_of([&] { models::nats_per_token(model, outside.view({3})); }), "id 7"));
    CHECK(contains(error_of([&] { model(random_ids({2, 0}, 7)); }), "ids: have shape [2, 0]"));
    CHECK(contains(error_of([&] { model(random_ids({4}, 7)); }), "[B, T] with at least one step"));
    CHECK(contains(error_of([&] {
                       models::generate(model, random_ids({2, 0}, 7), 3, {}, rng);
                   }),
                   "prompts have shape [2, 0]; [B, P] with at least one token"));
    CHECK(contains(error_of([&] {
                       models::generate(model, random_ids({2, 1}, 7), -1, {}, rng);
                   }),
                   "-1 tokens"));
    CHECK(contains(error_of([&] { models::nats_per_token(model, random_ids({1}, 7)); }),
                   "at least two"));
    CHECK(contains(error_of([&] { models::nats_per_token(model, random_ids({9}, 7), 0); }),
                   "0 rows"));
    CHECK(contains(error_of([] { RnnLM({.vocab = 0}); }), "a vocabulary of 0 tokens"));
    CHECK(contains(error_of([] { RnnLM({.vocab = 5, .dim = 4, .hidden = 8, .tied = true}); }),
                   "dim is 4, hidden is 8"));
}

TEST_CASE("rnn_lm: weights of another vocabulary are refused") {
    RnnLM model(kSmall);
    RnnLmOptions more = kSmall;
    more.vocab = 8;
    RnnLM other(more);
    const nn::StateDict before = test::copy(model.state_dict());
    const std::string error = error_of([&] { model.load_state_dict(other.state_dict()); });
    CHECK(contains(error, "emb.weight is [8, 5] f32, expected [7, 5] f32"));
    CHECK(contains(error, "head.bias is [8] f32, expected [7] f32"));
    CHECK(test::same_bits(model.state_dict(), before));
}
