// A matrix laid out for multiplication: the kernel that products here are made of.
//
// B, the right factor, is cut into panels two vectors wide, each stored from top to bottom. A few rows of A, the left factor,
// times a panel stay in registers while both are read once. So each element of the product is one sum in the order of k, put
// down after every kDepth terms: the same bits wherever rows and columns are cut for threads. After Goto and van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication" (2008); but A is copied only where reading it as it lies is slow.
#pragma once

#include "autograd/tensor.h"

namespace gradus {

#if defined(__AVX512F__)  // 32 registers: 28 sums, two vectors of B, an element of A
inline constexpr int kVectorBytes = 64, kTileRows = 14;
#elif defined(__AVX__)  // 16 registers
inline constexpr int kVectorBytes = 32, kTileRows = 6;
#else
inline constexpr int kVectorBytes = 16, kTileRows = 6;
#endif

/// Terms that are summed in registers before C is visited.
inline constexpr int64_t kDepth = 512;

/// Where the rows of a matrix begin: equally far apart, or wherever a list says. By default there are none.
template <class T>
class Rows {
public:
    Rows() = default;
    Rows(T* first, int64_t stride) : first_(first), stride_(stride) {}
    explicit Rows(const std::vector<T*>& list) : list_(list.data()) {}
    template <class U>
    requires std::is_same_v<const U, T> Rows(const Rows<U>& other)
        : first_(other.first_), stride_(other.stride_), list_(other.list_) {}

    explicit operator bool() const { return list_ || first_; }
    T* operator[](int64_t r) const { return list_ ? list_[r] : first_ + r * stride_; }
    bool is_list() const { return list_; }
    int64_t stride() const { return stride_; }  // of a list: 0
    /// Each from this column on; not for a list.
    Rows from(int64_t column) const { return first_ ? Rows(first_ + column, stride_) : Rows(); }

private:
    friend class Rows<const T>;
    T* first_ = nullptr;
    int64_t stride_ = 0;
    T* const* list_ = nullptr;
};

/// Which part of a product is wanted: terms first_k ... last_k - 1 of each sum, columns 0 ... columns - 1. Where A is read
/// transposed, its rows are neighbours in memory and the elements of each lie `step` apart.
struct PackedRange {
    int64_t first_k, last_k, columns, step = 1;
};

template <class T>
class Packed {
public:
    /// B [k, n], row-major; stored as [n, k] where `transposed`. Rows as stored are `stride` apart; 0: no gap.
    Packed(bool transposed, int64_t k, int64_t n, const T* b, int64_t stride = 0);

    /// C = C0 + A B for so many rows, or the part of it that is asked for, on the calling thread. Without C0: C = A B.
    void multiply(int64_t rows, Rows<const T> a, Rows<const T> c0, Rows<T> c,
                  const PackedRange& part) const;
    void multiply(int64_t rows, Rows<const T> a, Rows<T> c, const PackedRange& part) const {
        multiply(rows, a, {}, c, part);
    }
    /// C += A B.
    void multiply_add(int64_t rows, Rows<const T> a, Rows<T> c) const {
        multiply(rows, a, c, c, {0, k_, n_});
    }

private:
    template <int R, bool transposed>
    void multiply_tile(int64_t first, Rows<const T> a, Rows<const T> c0, Rows<T> c,
                       const PackedRange& part) const;

    int64_t k_, n_;
    Tensor panels_;
};

}  // namespace gradus
