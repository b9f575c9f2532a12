// Matrix products. The gradient of a product is two products, which go straight into the memory of the gradients.
#include "autograd/blas.h"
#include "autograd/ops/elementwise.h"

namespace gradus {
namespace {

bool reads_a(Trans trans) { return trans == Trans::a || trans == Trans::both; }
bool reads_b(Trans trans) { return trans == Trans::b || trans == Trans::both; }
Trans transposed(bool a, bool b) {
    return a ? b ? Trans::both : Trans::a : b ? Trans::b : Trans::none;
}

// The sizes of a batch of products: leading axes broadcast, the last two are the matrices.
struct Product {
    bool ta, tb;
    int64_t m, n, k;
    Shape batch_a, batch_b, shape;  // the leading axes of both, the result's shape
    int64_t count = 1;              // of products

    Product(const Tensor& a, const Tensor& b, Trans trans)
        : ta(reads_a(trans)), tb(reads_b(trans)) {
        check_same_dtype("matmul", a, b);
        check(a.rank() >= 2 && b.rank() >= 2, "matmul",
              "a is {}, b is {}: at least two axes expected (use reshape)", a.shape(), b.shape());
        m = a.size(ta ? -1 : -2);
        k = a.size(ta ? -2 : -1);
        n = b.size(tb ? -2 : -1);
        const int64_t other = b.size(tb ? -1 : -2);
        check(k == other, "matmul", "inner sizes differ: a is {}{}, b is {}{} ({} and {})",
              a.shape(), ta ? " transposed" : "", b.shape(), tb ? " transposed" : "", k, other);
        batch_a = Shape(std::span(a.shape().begin(), static_cast<size_t>(a.rank() - 2)));
        batch_b = Shape(std::span(b.shape().begin(), static_cast<size_t>(b.rank() - 2)));
        shape = broadcast("matmul", batch_a, batch_b);
        count = shape.size();
        shape.append(m);
        shape.append(n);
    }
};

// c (+)= a b for every product of the batch.
template <class T>
void multiply(const Product& p, const T* a, const T* b, T* c, bool add) {
    if (p.count == 1) return gemm(p.ta, p.tb, p.m, p.n, p.k, a, b, c, add);
    Shape batch = p.shape;
    const detail::Broadcast plan(
        p.batch_a, p.batch_b,
        Shape(std::span(batch.begin(), static_cast<size_t>(batch.rank() - 2))));
    if (plan.rows == 1 && !plan.b_moves &&
        !p.ta)  // one b for all: the rows of all a's are one tall matrix
        return gemm(false, p.tb, p.count * p.m, p.n, p.k, a, b, c, add);
    parallel_rows(p.count, p.m * p.n * p.k / 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            auto [ia, ib] = plan.offsets(i / plan.inner);
            ia += plan.a_moves ? i % plan.inner : 0;
            ib += plan.b_moves ? i % plan.inner : 0;
            gemm_serial(p.ta, p.tb, p.m, p.n, p.k, a + ia * p.m * p.k, b + ib * p.k * p.n,
                        c + i * p.m * p.n, add, p.ta ? p.m : p.k, p.tb ? p.k : p.n, p.n);
        }
    });
}

// gradient += a b, straight into its memory unless b or a was broadcast or the way back is itself recorded.
void add_product(Gradient gradient, const Tensor& a, const Tensor& b, Trans trans) {
    if (!gradient) return;
    const Product p(a, b, trans);
    if (p.shape.size() != gradient.shape().size())
        gradient += sum_to(matmul(a, b, trans), gradient.shape());
    else if (Tape::current())
        gradient += reshape(matmul(a, b, trans), gradient.shape());
    else
        dispatch("matmul", a.dtype(), [&](auto zero) {
            using T = decltype(zero);
            const auto [out, add] = gradient.sink<T>();
            multiply(p, a.data<T>(), b.data<T>(), out, add);
        });
}

Tensor activate(const Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::relu:
            return relu(x);
        case Activation::tanh:
            return tanh(x);
        case Activation::sigmoid:
            return sigmoid(x);
        case Activation::gelu:
            return gelu(x);
        case Activation::gelu_tanh:
            return gelu(x, Gelu::tanh);
        case Activation::silu:
            return silu(x);
        default:
            return x;
    }
}

}  // namespace

// C = A B;  dA = dC Bᵀ,  dB = Aᵀ dC;  with Aᵀ in A's place dA = B dCᵀ, and likewise
Tensor matmul(const Tensor& a, const Tensor& b, Trans trans) {
    const Product p(a, b, trans);
    Tensor c = Tensor::empty(p.shape, a.dtype());
    dispatch("matmul", a.dtype(), [&](auto zero) {
        using T = decltype(zero);
        multiply(p, a.data<T>(), b.data<T>(), c.data<T>(), false);
    });
    return record("matmul", {a, b}, c,
                  [a, b, ta = p.ta, tb = p.tb](const Tensor& dc, Gradient da, Gradient db) {
                      if (ta)
                          add_product(da, b, dc, transposed(tb, true));
                      else
                          add_product(da, dc, b, transposed(false, !tb));
                      if (tb)
                          add_product(db, dc, a, transposed(true, ta));
                      else
                          add_product(db, a, dc, transposed(!ta, false));
                  });
}

Tensor composed::linear(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        Activation activation) {
    const Tensor product = x.rank() == 1
                               ? reshape(matmul(reshape(x, {1, -1}), weight, Trans::b), {-1})
                               : matmul(x, weight, Trans::b);
    return activate(bias.defined() ? product + bias : product, activation);
}

// y = f(z), z = x Wᵀ + b;  dz = dy f'(z),  dx = dz W,  dW = dzᵀ x,  db = Σ dz
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
    check(weight.rank() == 2 && x.rank() >= 1 && x.size(-1) == weight.size(1), "linear",
          "x is {}, weight is {}: [..., in] and [out, in] expected", x.shape(), weight.shape());
    check(!bias.defined() || bias.shape() == Shape{weight.size(0)}, "linear",
          "bias is {}, weight is {}: bias [{}] expected", bias.defined() ? bias.shape() : Shape{},
          weight.shape(), weight.size(0));
    check_same_dtype("linear", x, weight);
    if (bias.defined()) check_same_dtype("linear", weight, bias);
    if (Tape::wants_composed()) return composed::linear(x, weight, bias, activation);
    Shape shape = x.shape();
    shape[-1] = weight.size(0);
    const int64_t rows = x.shape().size(0, x.rank() - 1), in = weight.size(1), out = weight.size(0);
    Tensor z = Tensor::empty(shape, x.dtype());
    dispatch("linear", x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        gemm(false, true, rows, out, in, x.data<T>(), weight.data<T>(), z.data<T>(), false,
             bias.defined() ? bias.data<T>() : nullptr);
    });
    z = record("linear", {x, weight, bias.defined() ? bias : Tensor::zeros({}, x.dtype())}, z,
               [x, weight, rows](const Tensor& dz, Gradient dx, Gradient dweight, Gradient dbias) {
                   const Tensor flat_dz = reshape(dz, {rows, weight.size(0)}),
                                flat_x = reshape(x, {rows, weight.size(1)});
                   if (dbias) dbias += sum(flat_dz, 0);
                   add_product(dweight, flat_dz, flat_x, Trans::a);
                   add_product(dx, flat_dz, weight, Trans::none);
               });
    return activate(z, activation);
}

}  // namespace gradus
