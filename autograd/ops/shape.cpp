// Ops that move numbers and compute none. Each is the way back of another: slice of pad, broadcast_to of sum_to.
#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

Shape with(const Shape& shape, int axis, int64_t size) {
    Shape result = shape;
    result[axis] = size;
    return result;
}

// Copies whole rows between tensors seen as [outer, size * inner]: `count` elements from `source_begin` on in each row of
// the source to `target_begin` in the target's. Adds where `add`.
void copy_rows(const Tensor& source, int64_t source_row, int64_t source_begin, Tensor& target,
               int64_t target_row, int64_t target_begin, int64_t outer, int64_t count,
               bool add = false) {
    dispatch("copy", source.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* from = source.data<T>() + source_begin;
        T* to = target.data<T>() + target_begin;
        parallel_rows(outer, count, [&](int64_t begin, int64_t end) {
            for (int64_t o = begin; o < end; ++o)
                detail::map_serial(
                    count, to + o * target_row, add, [](auto x) { return x; },
                    from + o * source_row);
        });
    });
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
    Shape wanted = shape;
    int64_t known = 1;
    int open = -1;
    for (int i = 0; i < shape.rank(); ++i) {
        check(shape[i] >= 0 || (shape[i] == -1 && open < 0), "reshape",
              "shape {} has a negative size (one -1 is allowed)", shape);
        if (shape[i] == -1)
            open = i;
        else
            known *= shape[i];
    }
    if (open >= 0 && known > 0) wanted[open] = x.size() / known;
    check(wanted.size() == x.size() && (open < 0 || known > 0), "reshape",
          "x is {} ({} elements), which does not fill {}", x.shape(), x.size(), shape);
    return record("reshape", {x}, x.view(wanted), [](const Tensor& dy, Gradient dx) {
        if (dx) dx += reshape(dy, dx.shape());
    });
}

Tensor permute(const Tensor& x, const Axes& order) {
    check(order.rank() == x.rank(), "permute", "{} axes given for a tensor of shape {}",
          order.rank(), x.shape());
    Shape shape, strides;  // of the result, and of the input along the result's axes
    Axes inverse = order;
    std::array<bool, kMaxRank> seen{};
    for (int i = 0; i < x.rank(); ++i) {
        const int axis = normal_axis("permute", order[i], x.shape());
        check(!std::exchange(seen[static_cast<size_t>(axis)], true), "permute",
              "axis {} is named twice in {}", axis, order);
        shape.append(x.size(axis));
        strides.append(x.shape().size(axis + 1, x.rank()));
        inverse[axis] = i;
    }
    Tensor y = Tensor::empty(shape, x.dtype());
    const int64_t inner = x.rank() ? shape[-1] : 1, step = x.rank() ? strides[-1] : 1,
                  rows = inner ? shape.size() / inner : 0;
    dispatch("permute", x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = x.data<T>();
        T* out = y.data<T>();
        parallel_rows(rows, inner, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                int64_t offset = 0;
                for (int64_t axis = shape.rank() - 2, rest = row; axis >= 0;
                     rest /= shape[static_cast<int>(axis)], --axis)
                    offset +=
                        rest % shape[static_cast<int>(axis)] * strides[static_cast<int>(axis)];
                if (step == 1)
                    std::copy_n(in + offset, inner, out + row * inner);
                else
                    for (int64_t i = 0; i < inner; ++i)
                        out[row * inner + i] = in[offset + i * step];
            }
        });
    });
    return record("permute", {x}, y, [inverse](const Tensor& dy, Gradient dx) {
        if (dx) dx += permute(dy, inverse);
    });
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
    Axes order;
    for (int i = 0; i < x.rank(); ++i) order.append(i);
    std::swap(order[normal_axis("transpose", axis_a, x.shape())],
              order[normal_axis("transpose", axis_b, x.shape())]);
    return permute(x, order);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    check(broadcast("broadcast_to", x.shape(), shape) == shape, "broadcast_to",
          "x is {}, which does not broadcast to {}", x.shape(), shape);
    Tensor y = Tensor::empty(shape, x.dtype());
    dispatch("broadcast_to", x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const detail::Broadcast plan(x.shape(), shape, shape);
        const T* in = x.data<T>();
        T* out = y.data<T>();
        parallel_rows(plan.rows, plan.inner, [&](int64_t begin, int64_t end) {
            for (int64_t row = begin; row < end; ++row) {
                const T* from = in + plan.offsets(row).first;
                if (plan.a_moves)
                    std::copy_n(from, plan.inner, out + row * plan.inner);
                else
                    std::fill_n(out + row * plan.inner, plan.inner, *from);
            }
        });
    });
    return record("broadcast_to", {x}, y, [](const Tensor& dy, Gradient dx) {
        if (dx) dx += sum_to(dy, dx.shape());
    });
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    check(broadcast("sum_to", x.shape(), shape) == x.shape(), "sum_to",
          "x is {}, no broadcast of {}", x.shape(), shape);
    Axes axes;
    const int missing = x.rank() - shape.rank();
    for (int i = 0; i < x.rank(); ++i)
        if (i < missing || (shape[i - missing] == 1 && x.size(i) != 1)) axes.append(i);
    return reshape(sum(x, axes, true), shape);
}

Tensor concat(const std::vector<Tensor>& parts, int axis) {
    check(!parts.empty(), "concat", "no tensors given");
    axis = normal_axis("concat", axis, parts[0].shape());
    int64_t total = 0;
    for (const Tensor& part : parts) {
        check_same_dtype("concat", parts[0], part);
        check(part.rank() == parts[0].rank() &&
                  with(part.shape(), axis, 0) == with(parts[0].shape(), axis, 0),
              "concat", "shapes differ off axis {}: {} and {}", axis, parts[0].shape(),
              part.shape());
        total += part.size(axis);
    }
    Tensor y = Tensor::empty(with(parts[0].shape(), axis, total), parts[0].dtype());
    const Around at(y.shape(), axis);
    std::vector<int64_t> begins;
    int64_t begin = 0;
    for (const Tensor& part : parts) {
        const int64_t count = part.size(axis) * at.inner;
        copy_rows(part, count, 0, y, total * at.inner, begin * at.inner, at.outer, count);
        begins.push_back(begin);
        begin += part.size(axis);
    }
    return record("concat", std::vector<Input>(parts.begin(), parts.end()), y,
                  [axis, begins](const Tensor& dy, std::span<const Gradient> dparts) {
                      for (size_t i = 0; i < dparts.size(); ++i)
                          if (Gradient d = dparts[i])
                              d += slice(dy, axis, begins[i], begins[i] + d.shape()[axis]);
                  });
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
    check(!parts.empty(), "stack", "no tensors given");
    Shape shape;  // one axis more, of size 1
    const int rank = parts[0].rank() + 1;
    check(axis >= -rank && axis < rank, "stack", "axis {} does not exist in a result of {} axes",
          axis, rank);
    axis = axis < 0 ? axis + rank : axis;
    for (int i = 0, from = 0; i < rank; ++i) shape.append(i == axis ? 1 : parts[0].size(from++));
    std::vector<Tensor> rows;
    for (const Tensor& part : parts) {
        check(part.shape() == parts[0].shape(), "stack", "shapes differ: {} and {}",
              parts[0].shape(), part.shape());
        rows.push_back(reshape(part, shape));
    }
    return concat(rows, axis);
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
    axis = normal_axis("slice", axis, x.shape());
    const int64_t size = x.size(axis);
    const int64_t first = begin < 0 ? begin + size : begin, last = end < 0 ? end + size : end;
    check(first >= 0 && first <= last && last <= size, "slice",
          "elements {} to {} asked for along axis {} of {}", begin, end, axis, x.shape());
    Tensor y = Tensor::empty(with(x.shape(), axis, last - first), x.dtype());
    const Around at(x.shape(), axis);
    const int64_t count = (last - first) * at.inner, whole = size * at.inner;
    copy_rows(x, whole, first * at.inner, y, count, 0, at.outer, count);
    return record("slice", {x}, y, [=](const Tensor& dy, Gradient dx) {
        if (!dx) return;
        if (Tape::current())
            dx += pad(dy, axis, first, size - last);
        else
            copy_rows(dy, count, 0, dx.zeroed(), whole, first * at.inner, at.outer, count, true);
    });
}

std::vector<Tensor> split(const Tensor& x, int64_t size, int axis) {
    check(size > 0, "split", "parts of size {} asked for", size);
    axis = normal_axis("split", axis, x.shape());
    std::vector<Tensor> parts;
    for (int64_t begin = 0; begin < x.size(axis); begin += size)
        parts.push_back(slice(x, axis, begin, std::min(begin + size, x.size(axis))));
    return parts;
}

Tensor pad(const Tensor& x, int axis, int64_t before, int64_t after, double value) {
    axis = normal_axis("pad", axis, x.shape());
    check(before >= 0 && after >= 0, "pad", "negative widths: {} before, {} after", before, after);
    const int64_t size = before + x.size(axis) + after;
    Tensor y = Tensor::full(with(x.shape(), axis, size), value, x.dtype());
    const Around at(x.shape(), axis);
    const int64_t count = at.size * at.inner;
    copy_rows(x, count, 0, y, size * at.inner, before * at.inner, at.outer, count);
    return record("pad", {x}, y, [=](const Tensor& dy, Gradient dx) {
        if (dx) dx += slice(dy, axis, before, size - after);
    });
}

}  // namespace gradus
