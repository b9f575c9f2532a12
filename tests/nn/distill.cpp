#include "nn/distill.h"

#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "models/mlp.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;

namespace {

Tensor noise(const Shape& shape, uint64_t seed, double stddev = 3) {
    return Rng(seed).normal(shape, 0, stddev, Dtype::f64);
}

// The gradient of f at z.
template <class F>
Tensor gradient(const Tensor& z, F&& f) {
    Tensor leaf = z.clone();
    leaf.requires_grad();
    Tape tape;
    tape.backward(f(leaf));
    return leaf.grad();
}

// -T² mean Σ q ln p, from exp and log alone.
Tensor plain_soft_loss(const Tensor& z, const Tensor& q, double T) {
    const Tensor e = exp(z / T);
    const Tensor log_p = log(e / sum(e, {-1}, true));
    const double rows = static_cast<double>(z.size() / z.size(-1));
    return sum(q * log_p) * (-T * T / rows);
}

// The entropy of distributions q, the mean over rows.
double entropy(const Tensor& q) { return -mean(sum(q * log(q), {-1})).item(); }

// A small world: 40 pictures of 6 pixels, a teacher and a student with 3 classes.
struct World {
    Tensor x = Rng(1).normal({40, 6});
    models::MLP teacher, student;
    Tensor labels = Tensor::empty({40}, Dtype::i32);

    World()
        : teacher((nn::manual_seed(5), std::vector<int64_t>{6, 20, 3}), {.dropout = 0.5}),
          student({6, 8, 3}) {
        for (Tensor& p : teacher.parameters())
            for (int64_t i = 0; i < p.size(); ++i) p.set(i, 3 * p.at(i));
        for (int64_t i = 0; i < 40; ++i) labels.set(i, static_cast<double>(i % 3));
    }
};

double trained_loss(World& world, const nn::TransferSet& set, const nn::DistillerOptions& options,
                    int64_t steps) {
    nn::Adam optimizer(world.student.parameters(), {.lr = 1e-2});
    nn::Distiller distiller(world.student, set, options);
    double loss = 0;
    for (int64_t step = 0; step < steps; ++step) loss = distiller.train(optimizer, step);
    return loss;
}

}  // namespace

TEST_CASE("distill: losses and gradients are PyTorch's, with one teacher and three") {
    const nn::StateDict torch = test::fixture("distill", "distill");
    const Tensor z = torch.at("z"), labels = torch.at("labels");
    const std::vector<Tensor> three{torch.at("teacher0"), torch.at("teacher1"),
                                    torch.at("teacher2")};
    for (const std::string name : {"one", "ensemble"}) {
        const Tensor q = name == "one" ? nn::soft_targets(three[0], 4) : nn::soft_targets(three, 4);
        const auto soft = [&](const Tensor& x) { return nn::soft_target_loss(x, q, 4); };
        const auto mixed = [&](const Tensor& x) {
            return nn::distillation_loss(x, q, labels, 4, 0.7);
        };
        CHECK(std::abs(soft(z).item() - torch.at(name + "/soft").item()) < 1e-10);
        CHECK(std::abs(mixed(z).item() - torch.at(name + "/mixed").item()) < 1e-10);
        CHECK(test::distance(gradient(z, soft), torch.at(name + "/dsoft")) < 1e-12);
        CHECK(test::distance(gradient(z, mixed), torch.at(name + "/dmixed")) < 1e-12);
    }
    const auto matched = [&](const Tensor& x) { return nn::logit_matching(x, three[0]); };
    CHECK(std::abs(matched(z).item() - torch.at("matched").item()) < 1e-12);
    CHECK(test::distance(gradient(z, matched), torch.at("dmatched")) < 1e-12);
}

TEST_CASE("distill: gradients agree with differences and with plain ops, over odd shapes") {
    for (const Shape& shape : {Shape{1, 2}, Shape{5, 7}, Shape{2, 3, 4}}) {
        const Tensor z = noise(shape, 1), v = noise(shape, 2);
        for (const double T : {0.5, 1.0, 3.0, 20.0}) {
            const Tensor q = nn::soft_targets(v, T);
            const auto loss = [&](const std::vector<Tensor>& x) {
                return nn::soft_target_loss(x[0], q, T);
            };
            CHECK(gradcheck(loss, {z}).message == "");
            const auto ours = [&](const Tensor& x) { return nn::soft_target_loss(x, q, T); };
            const auto plain = [&](const Tensor& x) { return plain_soft_loss(x, q, T); };
            CHECK(ours(z).item() == doctest::Approx(plain(z).item()).epsilon(1e-12));
            CHECK(test::distance(gradient(z, ours), gradient(z, plain)) < 1e-12);
        }
        const auto match = [&](const std::vector<Tensor>& x) {
            return nn::logit_matching(x[0], v);
        };
        CHECK(gradcheck(match, {z}).message == "");
    }
}

TEST_CASE(
    "distill: a student that is its teacher pays T² times the teacher's entropy, gradient 0") {
    const Tensor v = noise({6, 10}, 1);
    for (const double T : {1.0, 2.5, 20.0}) {
        const Tensor q = nn::soft_targets(v, T);
        const auto loss = [&](const Tensor& z) { return nn::soft_target_loss(z, q, T); };
        CHECK(loss(v).item() == doctest::Approx(T * T * entropy(q)).epsilon(1e-12));
        CHECK(test::distance(gradient(v, loss), Tensor::zeros(v.shape(), Dtype::f64)) < 1e-12);
    }
}

TEST_CASE("distill: the gradient is T (p - q) / B, and logit matching's for a large T") {
    const int64_t B = 6;
    const Tensor z = noise({B, 10}, 1, 1), v = noise({B, 10}, 2, 1);
    const auto at = [&](double T) {
        return gradient(
            z, [&](const Tensor& x) { return nn::soft_target_loss(x, nn::soft_targets(v, T), T); });
    };
    for (const double T : {1.0, 20.0}) {
        const Tensor expected = (softmax(z / T) - softmax(v / T)) * (T / static_cast<double>(B));
        CHECK(test::distance(at(T), expected) < 1e-14);
    }
    const Tensor limit = gradient(z, [&](const Tensor& x) { return nn::logit_matching(x, v); });
    const double size = max(abs(limit)).item();
    CHECK(test::distance(at(1), limit) > 0.2 * size);
    CHECK(test::distance(at(1e4), limit) < 1e-3 * size);
}

TEST_CASE("distill: a weight of 1 is the teacher alone, of 0 the labels alone") {
    const Tensor z = noise({4, 3}, 1), q = nn::soft_targets(noise({4, 3}, 2), 2);
    const Tensor labels = Tensor::from<int32_t>({0, 2, 1, 1});
    CHECK(nn::distillation_loss(z, q, labels, 2, 1).item() == nn::soft_target_loss(z, q, 2).item());
    CHECK(nn::distillation_loss(z, q, labels, 2, 0).item() ==
          doctest::Approx(nn::cross_entropy(z, labels).item()));
    CHECK(nn::distillation_loss(z, q, {}, 2, 0.5).item() ==
          doctest::Approx(nn::soft_target_loss(z, q, 2).item() / 2));
}

TEST_CASE("distill: rows without labels leave the others' part as it is, and all may be without") {
    const Tensor z = noise({4, 3}, 1), q = nn::soft_targets(noise({4, 3}, 2), 2);
    const auto hard = [&](const std::vector<int32_t>& labels) {
        return nn::distillation_loss(z, q, Tensor::from<int32_t>(labels), 2, 0.5).item() -
               nn::soft_target_loss(z, q, 2).item() / 2;
    };
    CHECK(hard({0, -100, -100, -100}) + hard({-100, 2, 1, 0}) ==
          doctest::Approx(hard({0, 2, 1, 0})));
    CHECK(hard({-100, -100, -100, -100}) == 0);
}

TEST_CASE("distill: an ensemble is the mean of its members' probabilities") {
    const Tensor a = noise({4, 3}, 1), b = noise({4, 3}, 2);
    const Tensor q = nn::soft_targets({a, b}, 5);
    CHECK(test::distance(q, (softmax(a / 5) + softmax(b / 5)) / 2) < 1e-15);
    CHECK(test::distance(nn::soft_targets({a}, 5), nn::soft_targets(a, 5)) == 0);
}

TEST_CASE("distill: soft targets are not on the tape of whoever asks") {
    Tensor v = noise({2, 3}, 1);
    v.requires_grad();
    Tape tape;
    CHECK_FALSE(tape.recorded(nn::soft_targets(v, 3)));
    CHECK(tape.entries().empty());
}

TEST_CASE("distill: teacher annealing is a line, and stays at its end") {
    const nn::TeacherAnnealing weight{.total = 10};
    CHECK(weight(0) == 1);
    CHECK(weight(5) == 0.5);
    CHECK(weight(10) == 0);
    CHECK(weight(99) == 0);
    CHECK(nn::TeacherAnnealing{4, 0.8, 0.2}(1) == doctest::Approx(0.65));
    CHECK(test::contains(test::error_of([] { nn::TeacherAnnealing{0}(1); }), "at least 1"));
}

TEST_CASE("distill: a teacher speaks in evaluation mode, in any portions, and then trains on") {
    World world;
    const Tensor v = nn::teacher_logits(world.teacher, world.x);
    CHECK(v.shape() == Shape{40, 3});
    CHECK(world.teacher.training());
    CHECK(test::distance(v, nn::teacher_logits(world.teacher, world.x, 7)) < 1e-5);
    world.teacher.eval();
    CHECK(test::distance(v, world.teacher(world.x)) < 1e-5);
    Tape tape;
    CHECK(test::contains(test::error_of([&] { nn::teacher_logits(world.teacher, world.x); }),
                         "a tape is open"));
}

TEST_CASE("distill: kept logits are read back, not computed again") {
    World world;
    const test::TemporaryFolder folder;
    const auto file = folder / "teacher.safetensors";
    const Tensor v = nn::teacher_logits(world.teacher, world.x, file);
    CHECK(test::same_bits(v, nn::teacher_logits(world.teacher, world.x, file)));
    // A file of which only the numbers were changed is what comes back: nothing was computed.
    nn::TensorFile kept = nn::load_safetensors(file);
    kept.tensors.at("logits").set(0, 77);
    nn::save_safetensors(file, kept.tensors, kept.metadata);
    CHECK(nn::teacher_logits(world.teacher, world.x, file).at(0) == 77);
}

TEST_CASE("distill: kept logits of other data, order or teacher are refused, each by its name") {
    World world;
    const test::TemporaryFolder folder;
    const auto file = folder / "teacher.safetensors";
    nn::teacher_logits(world.teacher, world.x, file);
    const std::string bytes = test::file_bytes(file);
    const auto refusal = [&](const Tensor& x) {
        return test::error_of([&] { nn::teacher_logits(world.teacher, x, file); });
    };
    Tensor other = world.x.clone();
    other.set(17, other.at(17) + 1e-3);
    CHECK(test::contains(refusal(other), "another data set"));
    CHECK(test::contains(refusal(slice(world.x, 0, 0, 39)), "another data set"));
    const Tensor turned = concat({slice(world.x, 0, 20, 40), slice(world.x, 0, 0, 20)});
    CHECK(test::contains(refusal(turned), "the same rows in another order"));
    CHECK(test::contains(refusal(turned), "teacher.safetensors"));
    Tensor weight = world.teacher.parameters()[0];
    weight.set(3, weight.at(3) + 1e-3);
    CHECK(test::contains(refusal(world.x), "another teacher"));
    CHECK(test::file_bytes(file) == bytes);
    nn::save_safetensors(file, {{"logits", world.x}});
    CHECK(test::contains(refusal(world.x), "no file of a teacher's logits"));
}

TEST_CASE("distiller: the loss falls to the floor, the teacher's entropy") {
    World world;
    const Tensor v = nn::teacher_logits(world.teacher, world.x);
    const double floor = 16 * entropy(nn::soft_targets(v, 4));
    const double loss = trained_loss(
        world, {world.x, {v}}, {.temperature = 4, .weight = nn::Constant{1}, .batch = 40}, 600);
    CHECK(loss > floor - 1e-4);
    CHECK(loss < floor + 0.05);
}

TEST_CASE("distiller: labels of a part of the set are learned with it; an ensemble teaches, too") {
    World world;
    const Tensor v = nn::teacher_logits(world.teacher, world.x);
    Tensor some = world.labels.clone();
    for (int64_t i = 20; i < 40; ++i) some.set(i, -100);
    // Labels that contradict the teacher: with more weight on them, more of them are followed.
    const auto followed = [&](double teacher_weight) {
        World fresh;
        trained_loss(fresh, {fresh.x, {v, v}, some},
                     {.temperature = 2, .weight = nn::Constant{teacher_weight}, .batch = 20}, 400);
        fresh.student.eval();
        const Tensor guess = argmax(fresh.student(fresh.x));
        int right = 0;
        for (int64_t i = 0; i < 20; ++i) right += guess.at(i) == some.at(i);
        return right;
    };
    CHECK(followed(0.02) >= 17);
    CHECK(followed(0.98) <= 14);
}

TEST_CASE("distiller: a step's rows depend on seed and step alone, and a pass sees each once") {
    World world;
    struct Watch : nn::Layer {
        std::vector<double> seen;
        Tensor forward(const Tensor& x) override {
            for (int64_t i = 0; i < x.size(0); ++i) seen.push_back(x.at(i * x.size(1)));
            return slice(x, 1, 0, 3);
        }
    };
    const nn::TransferSet set{world.x, {Tensor::zeros({40, 3})}};
    Watch forwards, backwards;
    nn::Distiller first(forwards, set, {.batch = 10, .seed = 3}),
        second(backwards, set, {.batch = 10, .seed = 3});
    for (int64_t step = 0; step < 8; ++step) first.loss(step);
    for (int64_t step = 7; step >= 0; --step) second.loss(step);
    REQUIRE(forwards.seen.size() == 80);
    CHECK(std::equal(forwards.seen.begin(), forwards.seen.begin() + 10, backwards.seen.end() - 10));
    std::vector<double> one(forwards.seen.begin(), forwards.seen.begin() + 40),
        two(forwards.seen.begin() + 40, forwards.seen.end());
    CHECK(one != two);
    std::sort(one.begin(), one.end());
    std::sort(two.begin(), two.end());
    CHECK(one == two);
    CHECK(std::adjacent_find(one.begin(), one.end()) == one.end());
}

TEST_CASE("distill: temperatures, weights and class counts that make no sense are refused") {
    const Tensor z = noise({4, 3}, 1), q = nn::soft_targets(z, 1);
    const Tensor labels = Tensor::from<int32_t>({0, 2, 1, 1});
    for (const double T : {0.0, -1.0, double(NAN), double(INFINITY)}) {
        CHECK(test::contains(test::error_of([&] { nn::soft_targets(z, T); }), "more than 0"));
        CHECK(test::contains(test::error_of([&] { nn::soft_target_loss(z, q, T); }),
                             "the temperature is"));
    }
    for (const double weight : {-0.1, 1.1, double(NAN)})
        CHECK(
            test::contains(test::error_of([&] { nn::distillation_loss(z, q, labels, 1, weight); }),
                           "the teacher's weight is"));
    const Tensor four = noise({4, 4}, 1);
    CHECK(test::contains(test::error_of([&] { nn::soft_target_loss(z, four, 1); }),
                         "the student has 3 classes, the teacher 4"));
    CHECK(test::contains(test::error_of([&] { nn::logit_matching(four, z); }),
                         "the student has 4 classes, the teacher 3"));
    CHECK(test::contains(test::error_of([&] { nn::soft_targets({z, four}, 1); }), "teacher 2"));
    CHECK(test::contains(test::error_of([&] { nn::soft_targets(std::vector<Tensor>{}, 1); }),
                         "no teachers"));
}

TEST_CASE("distiller: a transfer set that does not fit together is refused") {
    World world;
    const Tensor v = Tensor::zeros({40, 3});
    const auto refusal = [&](const nn::TransferSet& set, int64_t batch = 10) {
        return test::error_of([&] { nn::Distiller(world.student, set, {.batch = batch}).loss(0); });
    };
    CHECK(refusal({world.x, {v}, world.labels}) == "");
    CHECK(test::contains(refusal({world.x, {v}}, 41), "batches of 41 from 40 rows"));
    CHECK(test::contains(refusal({world.x, {Tensor::zeros({39, 3})}}), "40 inputs"));
    CHECK(test::contains(refusal({world.x, {v}, Tensor::zeros({39}, Dtype::i32)}), "labels are"));
    CHECK(test::contains(refusal({world.x, {Tensor::zeros({40, 4})}}),
                         "the student has 3 classes, the teacher 4"));
}
