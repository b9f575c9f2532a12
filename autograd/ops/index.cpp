// Picking elements by ids. The way back adds to what was picked: an element that was picked twice gets both gradients.
#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

void check_ids(const char* op, const Tensor& ids, int64_t size) {
    check(ids.dtype() == Dtype::i32, op, "ids have dtype {}, i32 expected", name(ids.dtype()));
    const auto values = ids.values<int32_t>();
    for (size_t i = 0; i < values.size(); ++i)
        check(values[i] >= 0 && values[i] < size, op,
              "id {} at position {} is out of range (0 ... {} expected)", values[i], i, size - 1);
}

// One gather or scatter: elements [o, k, i] of the picked tensor stand for [o, id(o, k, i), i] of the source. Whole slices
// share an id; single elements have one each.
struct Picking {
    Shape source, picked;
    int axis;
    Tensor ids;
    bool slices;
};

Tensor scatter(const Tensor& values, const Picking& pick);

// Calls row(position in picked, position in source, count) for runs of neighbours along `inner`.
template <class F>
void for_each_run(const Picking& pick, int64_t first, int64_t last, F row) {
    const Around at(pick.picked, pick.axis);
    const int32_t* ids = pick.ids.data<int32_t>();
    const int64_t size = pick.source[pick.axis];
    for (int64_t o = 0; o < at.outer; ++o)
        for (int64_t k = 0; k < at.size; ++k) {
            const int64_t to = (o * at.size + k) * at.inner, from = o * size * at.inner;
            if (pick.slices)
                row(to + first, from + ids[k] * at.inner + first, last - first);
            else
                for (int64_t i = first; i < last; ++i)
                    row(to + i, from + ids[to + i] * at.inner + i, int64_t{1});
        }
}

// Threads share out the inner axis, so that what meets in one element is added in order.
template <class F>
void in_columns(const Picking& pick, F f) {
    const int64_t inner = pick.picked.size(pick.axis + 1, pick.picked.rank());
    const int64_t rows = inner ? pick.picked.size() / inner : 0;
    parallel_for(inner, std::max<int64_t>(64, kGrain / std::max<int64_t>(1, rows)), f);
}

void add_scattered(const Tensor& values, const Picking& pick, Tensor& into) {
    dispatch("scatter", values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = values.data<T>();
        T* out = into.data<T>();
        in_columns(pick, [&](int64_t first, int64_t last) {
            for_each_run(pick, first, last, [&](int64_t from, int64_t to, int64_t count) {
                detail::map_serial(
                    count, out + to, true, [](auto x) { return x; }, in + from);
            });
        });
    });
}

Tensor picked(const char* op, const Tensor& x, const Picking& pick) {
    check_ids(op, pick.ids, pick.source[pick.axis]);
    Tensor y = Tensor::empty(pick.picked, x.dtype());
    dispatch(op, x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* in = x.data<T>();
        T* out = y.data<T>();
        in_columns(pick, [&](int64_t first, int64_t last) {
            for_each_run(pick, first, last, [&](int64_t to, int64_t from, int64_t count) {
                std::copy_n(in + from, count, out + to);
            });
        });
    });
    return record(op, {x}, y, [pick](const Tensor& dy, Gradient dx) {
        if (!dx) return;
        if (Tape::current())
            dx += scatter(dy, pick);
        else
            add_scattered(dy, pick, dx.zeroed());
    });
}

// The way back of `picked`, as an op of its own.
Tensor scatter(const Tensor& values, const Picking& pick) {
    Tensor y = Tensor::zeros(pick.source, values.dtype());
    add_scattered(values, pick, y);
    return record("scatter", {values}, y, [pick](const Tensor& dy, Gradient dvalues) {
        if (dvalues) dvalues += picked("gather", dy, pick);
    });
}

}  // namespace

Tensor gather(const Tensor& x, int axis, const Tensor& ids) {
    axis = normal_axis("gather", axis, x.shape());
    Shape expected = x.shape();
    if (ids.rank() == x.rank()) expected[axis] = ids.size(axis);
    check(ids.shape() == expected, "gather",
          "ids are {}, x is {}: the same sizes expected on all axes but axis {}", ids.shape(),
          x.shape(), axis);
    return picked("gather", x, {x.shape(), ids.shape(), axis, ids, false});
}

Tensor index_select(const Tensor& x, int axis, const Tensor& ids) {
    axis = normal_axis("index_select", axis, x.shape());
    check(ids.rank() == 1, "index_select", "ids are {}, one axis expected", ids.shape());
    Shape shape = x.shape();
    shape[axis] = ids.size();
    return picked("index_select", x, {x.shape(), shape, axis, ids, true});
}

Tensor embedding(const Tensor& weight, const Tensor& ids) {
    check(weight.rank() == 2, "embedding", "weight is {}, [V, D] expected", weight.shape());
    const Tensor flat = ids.view({ids.size()});
    Shape shape = ids.shape();
    shape.append(weight.size(1));
    return reshape(
        picked("embedding", weight, {weight.shape(), {ids.size(), weight.size(1)}, 0, flat, true}),
        shape);
}

}  // namespace gradus
