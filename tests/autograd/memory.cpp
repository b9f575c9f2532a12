#include "autograd/memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <thread>

#include "autograd/ops.h"
#include "tests/autograd/helpers.h"

using namespace gradus;
using namespace gradus::test;

// Counts operator new in this thread while asked to.
namespace {
thread_local bool counting = false;
thread_local int64_t news = 0;
}  // namespace

void* operator new(size_t bytes) {
    if (counting) ++news;
    if (void* block = std::malloc(bytes ? bytes : 1)) return block;
    throw std::bad_alloc();
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {  // std::stable_sort's buffer
    if (counting) ++news;
    return std::malloc(bytes ? bytes : 1);
}
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, size_t) noexcept { std::free(block); }

namespace {

template <class F>
int64_t news_in(F f) {
    news = 0;
    counting = true;
    f();
    counting = false;
    return news;
}

struct Mlp {
    Tensor w1 = Rng(1).normal({64, 20}, 0, 0.2).requires_grad(),
           b1 = Tensor::zeros({64}).requires_grad();
    Tensor w2 = Rng(2).normal({10, 64}, 0, 0.2).requires_grad(),
           b2 = Tensor::zeros({10}).requires_grad();
    Tensor x = Rng(3).normal({300, 20}), targets = Tensor::zeros({300}, Dtype::i32);

    double step() {
        double value = 0;
        {
            Tape tape;
            const Tensor hidden = tanh(matmul(x, w1, Trans::b) + b1) * 0.5;
            const Tensor logits = linear(hidden, w2, b2);
            const Tensor loss = softmax_cross_entropy(logits, targets);
            tape.backward(loss);
            value = loss.item();
        }
        for (Tensor* p : {&w1, &b1, &w2, &b2}) {
            p->copy_from(*p - 0.5 * p->grad());
            p->zero_grad();
        }
        return value;
    }
};

}  // namespace

TEST_CASE("memory: after two steps training asks the system for nothing more") {
    Mlp mlp;
    const double first = mlp.step();
    mlp.step();
    const int64_t before = memory::stats().system_allocations, current = memory::stats().current;
    double last = 0;
    for (int i = 0; i < 5; ++i) last = mlp.step();
    CHECK(memory::stats().system_allocations == before);
    CHECK(memory::stats().current == current);
    CHECK(last < first / 2);
    CHECK(news_in([&] { mlp.step(); }) == 0);
}

TEST_CASE("memory: no common op takes from operator new in the steady state") {
    Tensor x = Rng(1).normal({37, 60}).requires_grad(), w = Rng(2).normal({60}).requires_grad();
    const Tensor targets = Tensor::zeros({37}, Dtype::i32), rows = Tensor::zeros({5}, Dtype::i32);
    Rng rng(1);
    auto steady = [&](const char* name, auto f) {
        auto step = [&] {
            Tape tape;
            const Tensor y = f();
            tape.backward(y, Tensor::ones(y.shape()));
            x.zero_grad();
            w.zero_grad();
        };
        step();
        step();
        INFO(std::string(name));
        CHECK(news_in(step) == 0);
    };
    steady("x * w", [&] { return x * w; });
    steady("gelu", [&] { return gelu(x); });
    steady("where", [&] { return where(x > w, x, w); });
    steady("sum", [&] { return sum(x); });
    steady("sum over 0", [&] { return sum(x, 0); });
    steady("mean", [&] { return mean(x, -1); });
    steady("max", [&] { return max(x, 0); });
    steady("matmul", [&] { return matmul(x, x, Trans::b); });
    steady("linear", [&] { return linear(x, x, {}, Activation::gelu); });
    steady("reshape, permute", [&] { return permute(reshape(x, {37, 6, 10}), {2, 0, 1}); });
    steady("slice", [&] { return slice(x, 1, 3, 20); });
    steady("pad", [&] { return pad(x, 1, 3, 20); });
    steady("embedding", [&] { return embedding(x, rows); });
    steady("softmax", [&] { return softmax(x); });
    steady("softmax 0", [&] { return log_softmax(x, 0); });
    steady("cross entropy", [&] { return softmax_cross_entropy(x, targets); });
    steady("layer_norm", [&] { return layer_norm(x, w, w); });
    steady("dropout", [&] { return dropout(x, 0.1, rng); });
    steady("mse", [&] { return mse(x, x * 2); });
}

TEST_CASE("memory: current and peak follow what tensors hold") {
    const int64_t before = memory::stats().current;
    memory::reset_peak();
    {
        const Tensor a = Tensor::zeros({1000, 1000});
        const int64_t held = memory::stats().current - before;
        CHECK(held >= 4000000);
        CHECK(held <= 4000000 * 9 / 8 + 4096);
        { const Tensor b = Tensor::zeros({1000, 1000}); }
        CHECK(memory::stats().current - before == held);
        CHECK(memory::stats().peak - before >= 8000000);
    }
    CHECK(memory::stats().current == before);
    CHECK(memory::stats().peak > before);
    memory::reset_peak();
    CHECK(memory::stats().peak == before);
}

TEST_CASE("memory: everything comes back when a tape, its tensors and an error are gone") {
    const int64_t before = memory::stats().current;
    {
        Tensor a = uniform({300, 300}).requires_grad();
        {
            Tape tape(Tape::Fused::composed);
            const Tensor y = sum(layer_norm(softmax(a), a.view({300}), a.view({300})));
            const auto g = tape.gradients(y, {a});
            tape.backward(sum(g[0]));
        }
        {
            Tape tape;  // never gone back
            const Tensor y = sum(tanh(a) * a);
        }
        Tape tape;
        CHECK_THROWS(matmul(a * 2, Tensor::ones({3, 3}, Dtype::f64)));
    }
    CHECK(memory::stats().current == before);
}

TEST_CASE(
    "memory: a released block of a size serves the next request, and the cache can be given back") {
    void* block = memory::allocate(100000);
    CHECK(reinterpret_cast<uintptr_t>(block) % 64 == 0);
    memory::release(block, 100000);
    void* again = memory::allocate(99000);
    CHECK(again == block);
    memory::release(again, 99000);
    memory::release_cache();
    const int64_t asked = memory::stats().system_allocations;
    memory::release(memory::allocate(100000), 100000);
    CHECK(memory::stats().system_allocations == asked + 1);
    void* huge = memory::allocate(size_t{5} << 20);
    CHECK(reinterpret_cast<uintptr_t>(huge) % (size_t{2} << 20) == 0);
    memory::release(huge, size_t{5} << 20);
    CHECK(fails([] { memory::allocate(~size_t{0}); }, {"memory", "bytes"}));
}

TEST_CASE("memory: blocks that share huge pages do not overlap, and go with the last of them") {
    const auto resident = [] {  // bytes that the system has given this process
        long pages = 0;
        std::ifstream("/proc/self/statm") >> pages >> pages;
        return pages * sysconf(_SC_PAGESIZE);
    };
    const size_t sizes[] = {size_t{128} << 10, 300'000, size_t{1} << 20};
    std::vector<std::pair<unsigned char*, size_t>> blocks;
    memory::release_cache();
    const long before = resident();
    std::thread([&] {  // and the thread that made them is gone
        for (int i = 0; i < 90; ++i) {
            const size_t bytes = sizes[i % 3];
            blocks.emplace_back(static_cast<unsigned char*>(memory::allocate(bytes)), bytes);
            std::fill_n(blocks.back().first, bytes, static_cast<unsigned char>(i));
        }
    })
        .join();
    CHECK(resident() - before > 40'000'000);
    for (size_t i = 0; i < blocks.size(); ++i) {
        const auto [block, bytes] = blocks[i];
        CHECK(reinterpret_cast<uintptr_t>(block) % 64 == 0);
        CHECK(std::count(block, block + bytes, static_cast<unsigned char>(i)) ==
              static_cast<long>(bytes));
        memory::release(block, bytes);
    }
    memory::release_cache();
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed for a while, but tells what never is
    CHECK(resident() - before < 10'000'000);
#endif
}

TEST_CASE("memory: a tensor may be made in one thread and die in another") {
    Tensor passed;
    std::thread([&] {
        passed = Tensor::ones({5000});
        const Tensor mine = passed * 2;
    }).join();
    CHECK(sum(passed).item() == 5000);
    std::thread([moved = std::move(passed)]() mutable { moved = Tensor(); }).join();
}
