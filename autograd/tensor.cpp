#include "autograd/tensor.h"

#include <cstring>
#include <new>

#include "autograd/memory.h"
#include "autograd/parallel.h"

namespace gradus {
namespace {

constexpr size_t kHeader = 128;   // sizeof(Body) rounded up to the alignment of the numbers
constexpr size_t kInline = 4096;  // bytes up to which numbers lie behind their header

// Calls f(T{}) for all three dtypes.
template <class F>
decltype(auto) dispatch_any(Dtype dtype, F&& f) {
    switch (dtype) {
        case Dtype::f32:
            return f(float{});
        case Dtype::f64:
            return f(double{});
        default:
            return f(int32_t{});
    }
}

}  // namespace

Tensor Tensor::header(const Shape& shape, Dtype dtype, size_t inline_bytes) {
    static_assert(sizeof(Body) <= kHeader);
    void* block = memory::allocate(kHeader + inline_bytes);
    return Tensor(new (block) Body{.dtype = dtype,
                                   .data = static_cast<char*>(block) + kHeader,
                                   .inline_bytes = inline_bytes,
                                   .shape = shape,
                                   .owner = {},
                                   .grad = {}});
}

Tensor Tensor::empty(const Shape& shape, Dtype dtype) {
    for (int64_t dim : shape) check(dim >= 0, "tensor", "a negative size in shape {}", shape);
    const size_t bytes = static_cast<size_t>(shape.size()) * bytes_of(dtype);
    if (bytes <= kInline) return header(shape, dtype, bytes);
    Tensor result = header(shape, dtype, 0);
    result.body_->data = memory::allocate(bytes);
    result.body_->separate_bytes = bytes;
    return result;
}

void Tensor::destroy() {
    if (body_->separate_bytes) memory::release(body_->data, body_->separate_bytes);
    const size_t bytes = kHeader + body_->inline_bytes;
    body_->~Body();
    memory::release(body_, bytes);
}

Tensor Tensor::full(const Shape& shape, double value, Dtype dtype) {
    Tensor result = empty(shape, dtype);
    result.fill(value);
    return result;
}

template <class T>
Tensor Tensor::from(const std::vector<T>& values, const Shape& shape) {
    check(static_cast<int64_t>(values.size()) == shape.size(), "tensor",
          "{} values given for shape {} ({} expected)", values.size(), shape, shape.size());
    Tensor result = empty(shape, dtype_of<T>());
    std::copy(values.begin(), values.end(), result.data<T>());
    return result;
}
template Tensor Tensor::from(const std::vector<float>&, const Shape&);
template Tensor Tensor::from(const std::vector<double>&, const Shape&);
template Tensor Tensor::from(const std::vector<int32_t>&, const Shape&);

double Tensor::item() const {
    check(defined() && size() == 1, "item", "one element expected, the tensor has shape {}",
          defined() ? shape() : Shape{0});
    return at(0);
}

double Tensor::at(int64_t position) const {
    check(position >= 0 && position < size(), "at", "position {} in a tensor of {} elements",
          position, size());
    return dispatch_any(
        dtype(), [&](auto zero) { return static_cast<double>(data<decltype(zero)>()[position]); });
}

void Tensor::set(int64_t position, double value) {
    check(position >= 0 && position < size(), "set", "position {} in a tensor of {} elements",
          position, size());
    dispatch_any(dtype(), [&](auto zero) {
        data<decltype(zero)>()[position] = static_cast<decltype(zero)>(value);
    });
}

Tensor Tensor::clone() const {
    Tensor copy = empty(shape(), dtype());
    copy.copy_from(*this);
    return copy;
}

Tensor Tensor::to(Dtype wanted) const {
    if (wanted == dtype()) return clone();
    Tensor copy = empty(shape(), wanted);
    dispatch_any(dtype(), [&](auto from) {
        dispatch_any(wanted, [&](auto into) {
            const auto* source = data<decltype(from)>();
            std::transform(source, source + size(), copy.data<decltype(into)>(),
                           [](auto x) { return static_cast<decltype(into)>(x); });
        });
    });
    return copy;
}

Tensor Tensor::view(const Shape& shape, int64_t offset) const {
    check(offset >= 0 && offset + shape.size() <= size(), "view",
          "{} elements from {} on asked of a tensor of shape {}", shape.size(), offset,
          this->shape());
    Tensor result = header(shape, dtype(), 0);
    result.body_->data =
        static_cast<char*>(body_->data) + static_cast<size_t>(offset) * bytes_of(dtype());
    result.body_->owner = body_->owner.defined() ? body_->owner : *this;
    return result;
}

void Tensor::copy_from(const Tensor& source) {
    check(source.shape() == shape() && source.dtype() == dtype(), "copy",
          "source is {} {}, destination is {} {}", source.shape(), name(source.dtype()), shape(),
          name(dtype()));
    std::memcpy(body_->data, source.body_->data, static_cast<size_t>(size()) * bytes_of(dtype()));
}

void Tensor::fill(double value) {
    dispatch_any(dtype(), [&](auto zero) {
        using T = decltype(zero);
        T* numbers = data<T>();
        parallel_for(size(), kGrain, [=](int64_t begin, int64_t end) {
            std::fill(numbers + begin, numbers + end, static_cast<T>(value));
        });
    });
}

Tensor& Tensor::requires_grad(bool wanted) {
    check(dtype() != Dtype::i32, "requires_grad",
          "ids (i32) have no gradient; f32 or f64 expected");
    body_->requires_grad = wanted;
    return *this;
}

void Tensor::move_into(const Tensor& values, const Tensor& gradients, int64_t offset) {
    Tensor value = values.view(shape(), offset), gradient = gradients.view(shape(), offset);
    value.copy_from(*this);
    if (body_->has_grad) gradient.copy_from(body_->grad);
    if (body_->separate_bytes)
        memory::release(body_->data, std::exchange(body_->separate_bytes, 0));
    body_->data = value.body_->data;
    body_->owner = value.body_->owner;
    body_->grad = gradient;
}

void Tensor::undefined() { fail("tensor", "an undefined tensor was used; give it a value first"); }

void Tensor::wrong_type(Dtype asked) const {
    fail("tensor", fmt::format("its dtype is {}, {} was asked for (use .to(Dtype::{}))",
                               name(dtype()), name(asked), name(asked)));
}

void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
    check(a.dtype() == b.dtype(), op,
          "dtypes differ: a is {}, b is {} (there is no promotion: use .to(Dtype::{}))",
          name(a.dtype()), name(b.dtype()), name(a.dtype()));
}

}  // namespace gradus
