#include "data/jitter.h"

#include <algorithm>

#include "autograd/parallel.h"

namespace gradus::data {

Tensor jittered(const Tensor& pixels, int height, int width, int most, Rng& rng) {
    check(pixels.rank() == 2 && pixels.size(1) == int64_t{height} * width, "jitter",
          "pictures are {}; [N, {}] expected for {} x {}", pixels.shape(), int64_t{height} * width,
          height, width);
    check(most >= 0 && most < std::min(height, width), "jitter",
          "by up to {} pixels; 0 ... {} expected", most, std::min(height, width) - 1);
    const int64_t count = pixels.size(0), area = pixels.size(1);
    Tensor moved = Tensor::zeros(pixels.shape());
    const uint64_t start = rng.state();
    rng.skip(static_cast<uint64_t>(2 * count));
    const float* from = pixels.data<float>();
    float* to = moved.data<float>();
    parallel_rows(count, area, [=](int64_t begin, int64_t end) {
        Rng own;  // at this part's place in the sequence
        own.set_state(start);
        own.skip(static_cast<uint64_t>(2 * begin));
        for (int64_t i = begin; i < end; ++i) {
            const int64_t down = own.below(2 * most + 1) - most,
                          right = own.below(2 * most + 1) - most;
            const int64_t first = std::max<int64_t>(0, right),
                          last = std::min<int64_t>(width, width + right);
            for (int64_t y = std::max<int64_t>(0, down);
                 y < std::min<int64_t>(height, height + down); ++y) {
                const float* row = from + i * area + (y - down) * width - right;
                std::copy(row + first, row + last, to + i * area + y * width + first);
            }
        }
    });
    return moved;
}

}  // namespace gradus::data
