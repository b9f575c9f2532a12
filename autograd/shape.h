// Shapes and NumPy's broadcasting rule: arithmetic on sizes alone, no data.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "autograd/error.h"

namespace gradus {

inline constexpr int kMaxRank = 6;

/// A short list of whole numbers: the sizes of a tensor, or some of its axes. Holds at most kMaxRank of them.
class Shape {
public:
    Shape() = default;
    Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
    explicit Shape(std::span<const int64_t> dims) {
        for (int64_t dim : dims) append(dim);
    }

    int rank() const { return rank_; }

    /// The size of an axis; a negative axis counts from the end, as in NumPy.
    int64_t operator[](int axis) const { return dims_[axis < 0 ? axis + rank_ : axis]; }
    int64_t& operator[](int axis) { return dims_[axis < 0 ? axis + rank_ : axis]; }

    /// The number of elements: the product of all sizes, 1 for a scalar.
    int64_t size() const {
        int64_t product = 1;
        for (int64_t dim : *this) product *= dim;
        return product;
    }

    /// The product of the sizes of axes first ... last - 1.
    int64_t size(int first, int last) const {
        int64_t product = 1;
        for (int axis = first; axis < last; ++axis) product *= dims_[axis];
        return product;
    }

    void append(int64_t dim) {
        check(rank_ < kMaxRank, "shape", "more than {} dimensions", kMaxRank);
        dims_[rank_++] = dim;
    }

    const int64_t* begin() const { return dims_.data(); }
    const int64_t* end() const { return dims_.data() + rank_; }
    bool operator==(const Shape& other) const {
        bool same = rank_ == other.rank_;
        for (size_t i = 0; i < kMaxRank; ++i) same &= dims_[i] == other.dims_[i];
        return same;
    }

private:
    std::array<int64_t, kMaxRank> dims_{};  // 0 behind the last axis
    int rank_ = 0;
};

/// Axes to reduce over, given as `1`, `-1` or `{0, 2}`.
struct Axes : Shape {
    using Shape::Shape;
    Axes(int axis)
        : Shape{axis} {}  // NOLINT(google-explicit-constructor): sum(x, -1) should read as it does
};

/// "[2, 3]"
std::string to_string(const Shape& shape);

/// The shape of an elementwise result by NumPy's rule: sizes are equal, or one of them is 1, or it is missing on the left.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

/// An axis as 0 ... rank - 1; throws where it is outside -rank ... rank - 1.
int normal_axis(const char* op, int64_t axis, const Shape& shape);

/// A shape seen as [outer, size, inner] around one axis: what an op along that axis loops over.
struct Around {
    int64_t outer, size, inner;
    Around(const Shape& shape, int axis)
        : outer(shape.size(0, axis)),
          size(shape[axis]),
          inner(shape.size(axis + 1, shape.rank())) {}
};

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Shape> : fmt::formatter<fmt::string_view> {
    template <class Context>
    auto format(const gradus::Shape& shape, Context& context) const {
        return fmt::formatter<fmt::string_view>::format(gradus::to_string(shape), context);
    }
};
template <>
struct fmt::formatter<gradus::Axes> : fmt::formatter<gradus::Shape> {};
