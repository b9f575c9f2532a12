#include "lessons/projection.h"

#include <vector>

#include "autograd/ops.h"

namespace gradus::lesson {
namespace {

Tensor centred(const Tensor& x) {
    const Tensor rows = x.to(Dtype::f64);
    return rows - mean(rows, {0}, true);
}

Tensor unit(const Tensor& v) { return v / sqrt(sum(square(v))); }

}  // namespace

Tensor principal_axes(const Tensor& x, int64_t count) {
    check(x.rank() == 2 && x.size(0) >= 2, "principal axes",
          "x is {}; [N, D] with at least two rows expected", x.shape());
    const int64_t d = x.size(1);
    check(count >= 1 && count <= d, "principal axes", "{} axes in {} dimensions; 1 ... {} expected",
          count, d, d);
    const Tensor rows = centred(x), covariance = matmul(rows, rows, Trans::a);  // [D, D]
    const double total = sum(square(rows)).item();
    std::vector<Tensor> axes;  // [1, D] each
    // At right angles to the axes found, so that the strongest of what is left comes out.
    const auto rest = [&](Tensor v) {
        for (const Tensor& axis : axes) v = v - axis * sum(v * axis);
        return v;
    };
    Rng rng(1);
    for (int64_t k = 0; k < count; ++k) {
        Tensor v = unit(rest(rng.normal({1, d}, 0, 1, Dtype::f64)));
        for (int step = 0; step < 2000; ++step) {
            const Tensor longer = rest(matmul(v, covariance));
            if (sqrt(sum(square(longer))).item() <= 1e-12 * total) break;  // nothing is left
            const Tensor next = unit(rest(unit(longer)));
            const double moved = sum(square(next - v)).item();
            v = next;
            if (moved < 1e-24) break;
        }
        axes.push_back(max(v).item() < max(-v).item() ? -v : v);
    }
    return concat(axes);
}

Tensor project(const Tensor& x, const Tensor& axes) { return matmul(centred(x), axes, Trans::b); }

}  // namespace gradus::lesson
