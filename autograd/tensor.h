// Tensor: a value-semantic handle to a contiguous row-major buffer with a shape and a dtype.
#pragma once

#include <atomic>
#include <span>
#include <utility>
#include <vector>

#include "autograd/shape.h"

namespace gradus {

class Tape;

enum class Dtype : uint8_t { f32, f64, i32 };

inline const char* name(Dtype dtype) {
    return dtype == Dtype::f32 ? "f32" : dtype == Dtype::f64 ? "f64" : "i32";
}
inline size_t bytes_of(Dtype dtype) { return dtype == Dtype::f64 ? 8 : 4; }

template <class T>
constexpr Dtype dtype_of() {
    if constexpr (std::is_same_v<T, float>) return Dtype::f32;
    if constexpr (std::is_same_v<T, double>) return Dtype::f64;
    if constexpr (std::is_same_v<T, int32_t>) return Dtype::i32;
}

/// Copying a Tensor shares its buffer, as a shared_ptr would; clone() copies the numbers. A default Tensor is undefined:
/// it has no buffer, and only `defined()` and assignment make sense. A tensor belongs to one thread at a time for writing.
class Tensor {
public:
    Tensor() = default;

    // Creation. Elements of `empty` are not initialised.
    static Tensor empty(const Shape& shape, Dtype dtype = Dtype::f32);
    static Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::f32);
    static Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32) {
        return full(shape, 0, dtype);
    }
    static Tensor ones(const Shape& shape, Dtype dtype = Dtype::f32) {
        return full(shape, 1, dtype);
    }
    /// Takes its numbers in row-major order; their count must be the shape's.
    template <class T>
    static Tensor from(const std::vector<T>& values, const Shape& shape);
    template <class T>
    static Tensor from(const std::vector<T>& values) {
        return from(values, {static_cast<int64_t>(values.size())});
    }

    // What it is.
    bool defined() const;
    const Shape& shape() const;
    int64_t size(int axis) const { return shape()[axis]; }
    int64_t size() const { return shape().size(); }
    int rank() const { return shape().rank(); }
    Dtype dtype() const;
    bool same_as(const Tensor& other) const { return body_ == other.body_; }

    // Its numbers. T must be the type of its dtype: float, double or int32_t.
    template <class T>
    const T* data() const {
        return static_cast<const T*>(raw(dtype_of<T>()));
    }
    template <class T>
    T* data() {
        return static_cast<T*>(raw(dtype_of<T>()));
    }
    template <class T>
    std::span<const T> values() const {
        return {data<T>(), static_cast<size_t>(size())};
    }
    /// The one number of a tensor of one element.
    double item() const;
    /// The number at a row-major position, whatever the dtype.
    double at(int64_t position) const;
    void set(int64_t position, double value);

    // Copies, never recorded.
    Tensor clone() const;
    Tensor to(Dtype dtype) const;
    /// The same buffer under another shape, or part of a block of the same dtype from element `offset` on.
    Tensor view(const Shape& shape, int64_t offset = 0) const;
    /// Overwrites this tensor's numbers, in place, with those of `source`: same shape and dtype.
    void copy_from(const Tensor& source);
    void fill(double value);

    // Differentiation. A tensor that requires a gradient is a leaf: backward() leaves its gradient here.
    Tensor& requires_grad(bool wanted = true);
    bool wants_grad() const;
    /// The gradient that arrived since the last zero_grad(), or an undefined tensor.
    Tensor grad() const;
    void zero_grad();

    /// Moves this leaf's numbers and its gradient into parts of larger blocks that start at element `offset`, so that many
    /// leaves lie in one run of memory. The handle, and every copy of it, stays the same tensor.
    void move_into(const Tensor& values, const Tensor& gradients, int64_t offset);

    Tensor(const Tensor& other);
    Tensor(Tensor&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
    Tensor& operator=(Tensor other) noexcept {
        std::swap(body_, other.body_);
        return *this;
    }
    ~Tensor() {
        if (body_) release();
    }

private:
    friend class Tape;
    friend class Gradient;
    struct Body;

    explicit Tensor(Body* body) : body_(body) {}
    static Tensor header(const Shape& shape, Dtype dtype, size_t inline_bytes);

    Body& body() const;
    void release();
    void destroy();
    bool unique() const;     // no other handle
    bool exclusive() const;  // and no other tensor's numbers
    void* raw(Dtype asked) const;
    [[noreturn]] static void undefined();
    [[noreturn]] void wrong_type(Dtype asked) const;

    Body* body_ = nullptr;
};

// What all handles to one tensor share. The numbers of a small tensor lie behind this header in the same block, those of
// a large one in a block of their own, those of a view in its owner's.
struct Tensor::Body {
    std::atomic<int32_t> references{1};
    Dtype dtype;
    bool requires_grad = false;
    bool has_grad =
        false;  // grad holds a gradient; where it does not, grad is memory kept for the next one
    uint32_t tape = 0;  // the tape that this value was recorded on last, and its node there
    int32_t node = -1;
    void* data;
    size_t inline_bytes;        // behind this header
    size_t separate_bytes = 0;  // in a block of their own
    Shape shape;
    Tensor owner;
    Tensor grad;
};

inline bool Tensor::defined() const { return body_ != nullptr; }
inline Tensor::Body& Tensor::body() const {
    if (!body_) [[unlikely]]
        undefined();
    return *body_;
}
inline const Shape& Tensor::shape() const { return body().shape; }
inline Dtype Tensor::dtype() const { return body().dtype; }
inline bool Tensor::wants_grad() const { return body().requires_grad; }
inline Tensor Tensor::grad() const { return body().has_grad ? body_->grad : Tensor(); }
inline void Tensor::zero_grad() { body().has_grad = false; }
inline bool Tensor::unique() const {
    return body_->references.load(std::memory_order_acquire) == 1;
}

inline bool Tensor::exclusive() const {
    return unique() && (!body_->owner.defined() || body_->owner.unique());
}

inline Tensor::Tensor(const Tensor& other) : body_(other.body_) {
    if (body_) body_->references.fetch_add(1, std::memory_order_relaxed);
}

inline void Tensor::release() {
    if (unique() || body_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
}

inline void* Tensor::raw(Dtype asked) const {
    if (body().dtype != asked) [[unlikely]]
        wrong_type(asked);
    return body_->data;
}

/// Calls f(T{}) with the C++ type of a floating dtype; an error that names the op for ids.
template <class F>
decltype(auto) dispatch(const char* op, Dtype dtype, F&& f) {
    if (dtype == Dtype::f32) return f(float{});
    check(dtype == Dtype::f64, op,
          "an input has dtype i32; f32 or f64 expected (use .to(Dtype::f32))");
    return f(double{});
}

/// Throws unless all are defined and share one dtype.
void check_same_dtype(const char* op, const Tensor& a, const Tensor& b);

}  // namespace gradus
