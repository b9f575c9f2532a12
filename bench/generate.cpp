#include "bench/generate.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>

#include "autograd/parallel.h"

namespace gradus::bench {
namespace {

template <class F>
double milliseconds(F&& f) {
    const auto begin = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

// Reads all numbers of a tensor once, on all threads, as whole vectors.
void read(const Tensor& x) {
    constexpr int64_t kPiece = 1 << 18;
    parallel_for(x.size(), kPiece, [numbers = x.data<float>()](int64_t begin, int64_t end) {
        int32_t bits = 0;
        for (int64_t i = begin; i < end; ++i) bits |= std::bit_cast<int32_t>(numbers[i]);
        static std::atomic<int32_t> sink;  // or the compiler would leave the loop out
        sink.store(bits, std::memory_order_relaxed);
    });
}

double median(std::vector<double> times) {
    std::nth_element(times.begin(), times.begin() + static_cast<int64_t>(times.size() / 2),
                     times.end());
    return times[times.size() / 2];
}

}  // namespace

GenerationTimes time_generation(const Workload& work, int tokens) {
    check(work.writer != nullptr, "--generate",
          "this workload writes no text; a language model expected");
    double bytes = 0;
    for (const auto& [name, x] : work.parameters) bytes += static_cast<double>(x.size()) * 4;
    const Tensor block = Tensor::ones({64 << 20});  // more than caches hold

    const auto writer = work.writer();
    Rng rng(1);
    Tensor token = Tensor::full({1}, 0, Dtype::i32);
    std::vector<double> writing, reading;
    constexpr int kWarmUp = 3;
    for (int i = 0; i < kWarmUp + tokens; ++i) {
        const double time =
            milliseconds([&] { token = nn::sample(writer->step(token), {.top_k = 40}, rng); });
        if (i >= kWarmUp) writing.push_back(time);
        if (i % 8 == 0) reading.push_back(milliseconds([&] { read(block); }));
    }
    const double speed = static_cast<double>(block.size()) * 4 / median(reading);  // bytes a ms
    return {median(writing), bytes / speed, speed / 1e6};
}

}  // namespace gradus::bench
