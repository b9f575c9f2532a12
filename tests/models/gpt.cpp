#include "models/gpt.h"

#include <doctest/doctest.h>

#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"
#include "tests/data/temporary.h"
#include "tests/models/ids.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using models::GPT, models::GPTOptions, models::GPTSteps;
using test::columns, test::contains, test::distance, test::error_of, test::random_ids;

namespace {

constexpr GPTOptions kSmall{.vocab = 11, .context = 7, .dim = 8, .heads = 2, .layers = 2};

// The logits after the last of ids [B, T], read at once: [B, V].
Tensor last_logits(GPT& model, const Tensor& ids) {
    const Tensor logits = model(ids);
    return reshape(slice(logits, 1, -1, ids.size(1)), {ids.size(0), logits.size(2)});
}

// Weights far enough from 0 that positions and tokens matter.
void shake(nn::Module& model) {
    Rng rng(5);
    for (auto& [name, x] : model.named_parameters())
        Tensor(x).copy_from(x + rng.normal(x.shape(), 0, 0.3, x.dtype()));
}

nn::StateDict torch_file() {
    return nn::load_safetensors(GRADUS_FIXTURES "/gpt.safetensors").tensors;
}

// Those of PyTorch's gradients, which lie as GPT-2's weights do, by our names.
nn::StateDict gradients(const nn::StateDict& file, const std::string& loss) {
    return nn::with_prefix_added(
        models::gpt2_weights(nn::with_prefix_removed(file, loss + "/gradients/")), "gradients/");
}

}  // namespace

TEST_CASE("gpt: GPT-2's own files load; loss and every gradient are PyTorch's") {
    const auto torch = torch_file();
    auto weights = models::gpt2_weights(nn::with_prefix_removed(torch, "weights/"));
    weights.erase("score.weight");
    GPT model(kSmall);
    model.to(Dtype::f64);
    model.load_state_dict(weights);
    for (const auto fused : {Tape::Fused::kernels, Tape::Fused::composed}) {
        model.zero_grad();
        Tape tape(fused);
        const Tensor loss = nn::cross_entropy(model(torch.at("ids")), torch.at("targets"));
        tape.backward(loss);
        CHECK(std::abs(loss.item() - torch.at("lm/loss").item()) < 1e-10);
        CHECK(test::wrong_gradients(model, gradients(torch, "lm"), 1e-10) == "");
    }
}

TEST_CASE("gpt: what goes out as GPT-2's file comes back the same") {
    GPT model(kSmall);
    const auto file = models::gpt2_weights(model.state_dict());
    CHECK(file.at("h.1.mlp.c_fc.weight").shape() == Shape{8, 32});
    CHECK(test::same_bits(models::gpt2_weights(file), model.state_dict()));
    CHECK(contains(error_of([&] { model.load_state_dict(file); }),
                   "h.0.attn.c_attn.weight is [8, 24] f32, expected [24, 8] f32"));
}

TEST_CASE("gpt: a classifier reads the last token of each row, as PyTorch's does") {
    const auto torch = torch_file();
    models::GPTClassifier model(kSmall, 3);
    model.to(Dtype::f64);
    auto weights = models::gpt2_weights(nn::with_prefix_removed(torch, "weights/"));
    const Tensor score = weights.extract("score.weight").mapped();
    model.transformer.load_state_dict(weights);
    model.score.load_state_dict({{"weight", score}});
    Tape tape;
    const Tensor loss =
        nn::cross_entropy(model(torch.at("ids"), torch.at("lengths")), torch.at("labels"));
    tape.backward(loss);
    CHECK(std::abs(loss.item() - torch.at("classifier/loss").item()) < 1e-10);
    CHECK(test::wrong_gradients(model.transformer, gradients(torch, "classifier"), 1e-10) == "");
    CHECK(distance(model.score.weight.grad(), torch.at("classifier/gradients/score.weight")) <
          1e-10);
    // Without lengths all of each row is text.
    CHECK(test::same_bits(model(torch.at("ids")),
                          model(torch.at("ids"), Tensor::full({3}, 5, Dtype::i32))));
}

TEST_CASE("gpt: begins with a loss near ln V") {
    nn::manual_seed(1);
    GPT model({.vocab = 500, .context = 32, .dim = 96, .heads = 3, .layers = 6});
    const Tensor loss =
        nn::cross_entropy(model(random_ids({8, 32}, 500)), random_ids({8, 32}, 500, 2));
    CHECK(loss.item() == doctest::Approx(std::log(500)).epsilon(0.02));
}

TEST_CASE("gpt: weights that add to the states begin smaller, the more layers the smaller") {
    nn::manual_seed(1);
    GPT model({.vocab = 50, .context = 8, .dim = 128, .heads = 2, .layers = 8});
    const auto deviation = [&](const char* name) {
        return std::sqrt(mean(square(model.state_dict().at(name))).item());
    };
    CHECK(deviation("h.7.mlp.c_fc.weight") == doctest::Approx(0.02).epsilon(0.02));
    CHECK(deviation("wte.weight") == doctest::Approx(0.02).epsilon(0.03));
    CHECK(deviation("h.0.attn.c_proj.weight") == doctest::Approx(0.005).epsilon(0.02));
    CHECK(deviation("h.7.mlp.c_proj.weight") == doctest::Approx(0.005).epsilon(0.02));
    CHECK(deviation("h.3.attn.c_attn.bias") == 0);
}

TEST_CASE("gpt: no state knows what comes after it") {
    GPT model(kSmall);
    shake(model);
    const Tensor ids = random_ids({2, 7});
    Tensor other = ids.clone();
    other.set(4, (ids.at(4) == 0));
    std::vector<Tensor> maps;
    const Tensor a = model.hidden(ids, &maps), b = model.hidden(other);
    CHECK(test::same_bits(slice(a, 1, 0, 4), slice(b, 1, 0, 4)));
    CHECK_FALSE(test::same_bits(slice(a, 1, 4, 7), slice(b, 1, 4, 7)));
    REQUIRE(maps.size() == 2);
    CHECK(maps[1].shape() == Shape{2, 2, 7, 7});
}

TEST_CASE("gpt: learns one batch by heart, with the same bits on 1 and 2 threads") {
    double losses[2];
    for (const int threads : {1, 2}) {
        const test::Threads scope(threads);
        nn::manual_seed(1);
        GPT model(
            {.vocab = 11, .context = 12, .dim = 32, .heads = 2, .layers = 2, .dropout = 0.02});
        nn::AdamW optimizer(model.parameters(), {.lr = 3e-3});
        Tensor ids = random_ids({8, 13});
        for (int64_t b = 0; b < 8; ++b)
            ids.set(b * 13, static_cast<double>(b));  // to tell rows apart
        const Tensor x = columns(ids, 0, 12), y = columns(ids, 1, 13);
        for (int step = 0; step < 200; ++step) {
            optimizer.zero_grad();
            Tape tape;
            const Tensor loss = nn::cross_entropy(model(x), y);
            tape.backward(loss);
            optimizer.step();
        }
        model.eval();
        losses[threads - 1] = nn::cross_entropy(model(x), y).item();
    }
    CHECK(losses[0] < 0.02);
    CHECK(losses[0] == losses[1]);
}

TEST_CASE("gpt: a token at a time, and a prompt and then tokens, is the same as all at once") {
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
        GPT model(kSmall);
        shake(model);
        model.to(dtype);
        const double tolerance = dtype == Dtype::f32 ? 1e-5 : 1e-12;
        const Tensor ids = random_ids({3, 7});
        for (const int64_t prompt : {1, 4, 7}) {
            GPTSteps steps(model);
            Tensor logits = steps.read(columns(ids, 0, prompt));
            for (int64_t t = prompt;; ++t) {
                CHECK(distance(logits, last_logits(model, columns(ids, 0, t))) < tolerance);
                if (t == 7) break;
                logits = steps.step(columns(ids, t, t + 1).view({3}));
            }
        }
        GPTSteps steps(model);
        steps.read(columns(ids, 0, 2));
        CHECK(distance(steps.read(columns(ids, 2, 6)), last_logits(model, columns(ids, 0, 6))) <
              tolerance);
    }
}

TEST_CASE("gpt: rows follow where reorder() sends them") {
    GPT model(kSmall);
    shake(model);
    const Tensor ids = random_ids({3, 6});
    GPTSteps steps(model);
    steps.read(columns(ids, 0, 4));
    const std::vector<int32_t> from{2, 0, 2, 1};
    steps.reorder(Tensor::from<int32_t>(from));
    Tensor turned = Tensor::empty({4, 6}, Dtype::i32);
    for (int64_t r = 0; r < 4; ++r)
        for (int64_t t = 0; t < 6; ++t) turned.set(r * 6 + t, ids.at(from[size_t(r)] * 6 + t));
    turned.set(5, (turned.at(5) == 0));  // row 0 goes on differently from row 2
    steps.step(columns(turned, 4, 5).view({4}));
    CHECK(distance(steps.step(columns(turned, 5, 6).view({4})), last_logits(model, turned)) < 1e-5);
    CHECK(contains(error_of([&] { steps.step(Tensor::full({2}, 0, Dtype::i32)); }),
                   "have 2 rows, and 4 rows are being written"));
}

TEST_CASE("gpt: of a prompt longer than the context the end counts") {
    GPT model(kSmall);
    shake(model);
    const Tensor ids = random_ids({2, 20});
    GPTSteps steps(model);
    CHECK(distance(steps.read(ids), last_logits(model, columns(ids, 13, 20))) < 1e-5);
}

TEST_CASE("gpt: where the positions end, half of them are read again") {
    GPT model(kSmall);
    shake(model);
    const Tensor ids = random_ids({2, 30});
    GPTSteps steps(model);
    steps.read(columns(ids, 0, 5));
    // Ids at positions 0 ... 6; then the last 3 and a new one are at 0 ... 3, and so on.
    int64_t begin = 0;
    for (int64_t t = 5; t < 30; ++t) {
        if (t - begin == 7) begin = t - 3;
        const Tensor logits = steps.step(columns(ids, t, t + 1).view({2}));
        CHECK(distance(logits, last_logits(model, columns(ids, begin, t + 1))) < 1e-5);
    }
    // The same for several ids at once, of which there are more than half of the positions.
    GPTSteps more(model);
    more.read(columns(ids, 0, 5));
    CHECK(distance(more.read(columns(ids, 5, 10)), last_logits(model, columns(ids, 5, 10))) < 1e-5);
    GPTSteps one(model);
    one.read(columns(ids, 0, 6));
    CHECK(distance(one.read(columns(ids, 6, 8)), last_logits(model, columns(ids, 4, 8))) < 1e-5);

    GPT single({.vocab = 11, .context = 1, .dim = 8, .heads = 2, .layers = 1});
    GPTSteps blind(single);
    blind.read(columns(ids, 0, 1));
    CHECK(distance(blind.step(columns(ids, 1, 2).view({2})),
                   last_logits(single, columns(ids, 1, 2))) < 1e-5);
}

TEST_CASE("gpt: greedy text is, token by token, the most probable one after all before it") {
    GPT model({.vocab = 11, .context = 20, .dim = 8, .heads = 2, .layers = 2, .dropout = 0.5});
    shake(model);
    const Tensor prompts = random_ids({3, 4});
    Rng rng(1);
    const Tensor text = models::generate(model, prompts, 12, {.temperature = 0}, rng);
    CHECK(model.training());
    REQUIRE(text.shape() == Shape{3, 12});
    model.eval();
    Tensor whole = Tensor::empty({3, 16}, Dtype::i32);
    for (int64_t b = 0; b < 3; ++b)
        for (int64_t t = 0; t < 16; ++t)
            whole.set(b * 16 + t, t < 4 ? prompts.at(b * 4 + t) : text.at(b * 12 + t - 4));
    const Tensor best = argmax(model(whole));  // [3, 16]
    for (int64_t b = 0; b < 3; ++b)
        for (int64_t t = 0; t < 12; ++t) CHECK(text.at(b * 12 + t) == best.at(b * 16 + 3 + t));
}

TEST_CASE("gpt: writes more than it has positions, with the same bits on 1 and 2 threads") {
    Tensor texts[2];
    for (const int threads : {1, 2}) {
        const test::Threads scope(threads);
        nn::manual_seed(1);
        GPT model({.vocab = 60, .context = 16, .dim = 64, .heads = 4, .layers = 2});
        Rng rng(3);
        texts[threads - 1] = models::generate(model, random_ids({5, 40}, 60), 50, {}, rng);
    }
    CHECK(texts[0].shape() == Shape{5, 50});
    CHECK(test::same_bits(texts[0], texts[1]));
}

TEST_CASE("gpt: a text's loss is that of each id after the window that it ends in") {
    GPT model(kSmall);  // 7 positions: windows are 3 apart
    model.to(Dtype::f64);
    shake(model);
    for (const int64_t n : {2, 5, 8, 9, 30, 400}) {
        CAPTURE(n);
        const Tensor ids = random_ids({1, n});
        double nats = 0;
        int64_t begin = 0;
        for (int64_t next = 1; next < n; ++next) {
            if (next - begin > 7) begin = std::min(begin + 3, n - 1 - 7);
            const Tensor log_p = log_softmax(last_logits(model, columns(ids, begin, next)));
            nats -= log_p.at(static_cast<int64_t>(ids.at(next)));
        }
        CHECK(models::nats_per_token(model, ids.view({n})) ==
              doctest::Approx(nats / static_cast<double>(n - 1)).epsilon(1e-12));
    }
    CHECK(contains(error_of([&] { models::nats_per_token(model, random_ids({1})); }),
                   "a text of at least two"));
    CHECK(model.training());
}

TEST_CASE("gpt: errors name what was found and what is expected") {
    GPT model(kSmall);
    CHECK(contains(error_of([&] {
                       model(random_ids({2, 8}));
                   }),
                   "reach position 8, and the model has 7; cut the text"));
    const Tensor outside = Tensor::from<int32_t>({1, 11}, {1, 2});
    CHECK(contains(error_of([&] { model(outside); }),
                   "id 11 at position 1 is out of range (0 ... 10"));
    CHECK(contains(error_of([&] { model(outside); }), "... in gpt.wte"));
    Rng rng(1);
    CHECK(contains(error_of([&] { models::generate(model, outside, 3, {}, rng); }), "id 11"));
    CHECK(contains(error_of([&] {
                       models::generate(model, random_ids({2, 0}), 3, {}, rng);
                   }),
                   "prompts have shape [2, 0]"));
    CHECK(contains(error_of([&] {
                       models::generate(model, random_ids({2, 3}), 3, {.temperature = -1}, rng);
                   }),
                   "temperature is -1"));
    CHECK(contains(error_of([&] { model(random_ids({2})); }), "[B, T] with at least one step"));
    CHECK(contains(error_of([&] { GPTSteps(model).read(random_ids({2, 0})); }), "[R, T]"));
    CHECK(contains(error_of([&] { GPTSteps(model).step(random_ids({2, 1})); }), "[R] expected"));
    CHECK(contains(error_of([] { GPT({.vocab = 5, .dim = 8, .heads = 3}); }),
                   "a width of 8 does not divide into 3 heads"));
    CHECK(contains(error_of([] { GPT({.vocab = 0}); }), "a vocabulary of 0 tokens"));
    models::GPTClassifier classifier(kSmall, 2);
    CHECK(contains(error_of([&] {
                       classifier(random_ids({2, 3}), Tensor::from<int32_t>({1, 4}));
                   }),
                   "row 1 has length 4; 1 ... 3 expected"));
    CHECK(contains(error_of([&] {
                       classifier(random_ids({2, 3}), Tensor::from<int32_t>({1}));
                   }),
                   "lengths: have shape [1]; [2] expected"));
}
