// Recurrent layers over whole sequences: the input products of all steps are one product, the weights' gradients of all steps
// are one product, and between them each thread takes its own rows of the batch through all steps without waiting for others.
// B batch · T time · I input width · H hidden width · G gates
#include "autograd/ops/recurrent.h"

#include "autograd/blas.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/lengths.h"
#include "autograd/packed.h"

namespace gradus {
namespace {

const char* op_name(Cell cell) {
    return cell == Cell::lstm ? "lstm" : cell == Cell::gru ? "gru" : "rnn";
}

// The sizes of one call, after everything was checked.
struct Sequence {
    const char* op;
    int64_t B, T, I, H, G;
    std::vector<int32_t> lengths;  // one for each row
    bool reverse;

    Sequence(Cell cell, const Tensor& x, const RecurrentWeights& w, const Tensor& h0,
             const Tensor& c0, const Tensor& given, bool backwards)
        : op(op_name(cell)), reverse(backwards) {
        G = detail::with_cell(cell, [](auto c) { return decltype(c)::gates; });
        check(x.rank() == 3 && x.size(0) > 0 && x.size(1) > 0, op,
              "x is {}: [B, T, I] with a row and a step at least expected", x.shape());
        B = x.size(0), T = x.size(1), I = x.size(2);
        check(w.hh.rank() == 2 && w.hh.size(0) == G * w.hh.size(1), op,
              "weight_hh is {}: [{} H, H] expected", w.hh.shape(), G);
        H = w.hh.size(1);
        check(w.ih.shape() == Shape{G * H, I}, op, "x is {}, weight_ih is {}: [{}, {}] expected",
              x.shape(), w.ih.shape(), G * H, I);
        check_same_dtype(op, x, w.ih);
        check_same_dtype(op, x, w.hh);
        check(w.bias_ih.defined() == w.bias_hh.defined(), op, "one bias is missing: both or none");
        for (const Tensor& bias : {w.bias_ih, w.bias_hh}) {
            if (!bias.defined()) continue;
            check(bias.shape() == Shape{G * H}, op, "a bias is {}: [{}] expected", bias.shape(),
                  G * H);
            check_same_dtype(op, x, bias);
        }
        check(!c0.defined() || cell == Cell::lstm, op, "has no state c, and one was given");
        for (const Tensor& state : {h0, c0}) {
            if (!state.defined()) continue;
            check(state.shape() == Shape{B, H}, op,
                  "x is {}, an initial state is {}: [{}, {}] expected", x.shape(), state.shape(), B,
                  H);
            check_same_dtype(op, x, state);
        }
        lengths = detail::row_lengths(op, given, B, 1, T);
    }

    int32_t length(int64_t b) const { return lengths[static_cast<size_t>(b)]; }
    int64_t step(int64_t s) const { return reverse ? T - 1 - s : s; }  // the s-th to be taken
    int64_t before(int64_t t) const { return reverse ? t + 1 : t - 1; }
    int64_t first(int64_t b) const { return reverse ? length(b) - 1 : 0; }
    int64_t last(int64_t b) const { return reverse ? 0 : length(b) - 1; }

    // Ids of each row's step f(b) among the B T steps of the batch.
    Tensor steps(int64_t (Sequence::*f)(int64_t) const) const {
        Tensor ids = Tensor::empty({B}, Dtype::i32);
        for (int64_t b = 0; b < B; ++b)
            ids.data<int32_t>()[b] = static_cast<int32_t>(b * T + (this->*f)(b));
        return ids;
    }
    // Each row's own last step of y [B, T, H] -> [B, H].
    Tensor at_end(const Tensor& y) const {
        return index_select(reshape(y, {B * T, H}), 0, steps(&Sequence::last));
    }
};

// a + b, not recorded; undefined where they are.
Tensor sum_of(const Tensor& a, const Tensor& b) {
    if (!a.defined()) return a;
    Tensor sum = a.clone();
    detail::accumulate(sum, b, true);
    return sum;
}

// The fused kernels of one cell. u, v, y and c are [B, T, ...]; what they hold changes on the way (CellRow).
template <class C, class T>
struct Kernel {
    Sequence n;
    Tensor u, v, y, c;  // v only of a cell without `sums`, c only of an LSTM
    Tensor h0, c0;      // [B, H], or undefined
    Tensor zeros = Tensor::zeros({n.H}, dtype_of<T>());

    static T* row_of(Tensor& x, int64_t row) { return x.data<T>() + row * x.size(-1); }
    static const T* row_of(const Tensor& x, int64_t row) { return x.data<T>() + row * x.size(-1); }

    // The state before step t of row b, among all states or the initial ones.
    const T* before(const Tensor& all, const Tensor& initial, int64_t b, int64_t t) const {
        if (t != n.first(b)) return row_of(all, b * n.T + n.before(t));
        return initial.defined() ? row_of(initial, b) : zeros.data<T>();
    }

    detail::CellRow<T> at(int64_t b, int64_t t) {
        const int64_t i = b * n.T + t;
        detail::CellRow<T> at{};
        at.u = row_of(u, i);
        at.v = C::sums ? at.u : row_of(v, i);
        at.h = row_of(y, i);
        at.h0 = before(y, h0, b, t);
        if constexpr (C::has_c) {
            at.c = row_of(c, i);
            at.c0 = before(c, c0, b, t);
        }
        return at;
    }

    // Calls f(begin, end) for a share of the batch on each thread. Rows know nothing of each other, so where the batch is
    // cut changes no bit.
    template <class F>
    void share_out(F f) const {
        parallel_for(n.B, (n.B + thread_count() - 1) / thread_count(), f);
    }

    // Rows begin ... end - 1 of x [B, T, width] become the bias, or zeros.
    void begin_with(const Tensor& bias, Tensor& x, int64_t begin, int64_t end) const {
        const int64_t width = x.size(-1);
        for (int64_t i = begin * n.T; i < end * n.T; ++i)
            if (bias.defined())
                std::copy_n(bias.data<T>(), width, row_of(x, i));
            else
                std::fill_n(row_of(x, i), width, T(0));
    }

    // One step: nothing is worth laying out for steps to come.
    void forward_once(const Tensor& x, const RecurrentWeights& w) {
        Tensor& sums = C::sums ? u : v;
        begin_with(C::sums ? sum_of(w.bias_ih, w.bias_hh) : w.bias_ih, u, 0, n.B);
        if (!C::sums) begin_with(w.bias_hh, v, 0, n.B);
        gemm(false, true, n.B, n.G * n.H, n.I, x.data<T>(), w.ih.data<T>(), u.data<T>(), true);
        if (h0.defined())
            gemm(false, true, n.B, n.G * n.H, n.H, h0.data<T>(), w.hh.data<T>(), sums.data<T>(),
                 true);
        share_out([&](int64_t begin, int64_t end) {
            for (int64_t b = begin; b < end; ++b) C::forward(n.H, at(b, 0));
        });
    }

    void forward(const Tensor& x, const RecurrentWeights& w) {
        if (n.T == 1) return forward_once(x, w);
        const Packed<T> input(true, n.I, n.G * n.H, w.ih.data<T>()),
            product(true, n.H, n.G * n.H, w.hh.data<T>());
        const Tensor bias = C::sums ? sum_of(w.bias_ih, w.bias_hh) : w.bias_ih;
        share_out([&](int64_t begin, int64_t end) {
            begin_with(bias, u, begin, end);
            if (!C::sums) begin_with(w.bias_hh, v, begin, end);
            input.multiply_add((end - begin) * n.T, Rows<const T>(row_of(x, begin * n.T), n.I),
                               Rows<T>(row_of(u, begin * n.T), n.G * n.H));

            std::vector<detail::CellRow<T>> rows;
            std::vector<const T*> h;
            std::vector<T*> sums;
            for (int64_t s = 0; s < n.T; ++s) {
                rows.clear(), h.clear(), sums.clear();
                for (int64_t b = begin; b < end; ++b) {
                    const int64_t t = n.step(s);
                    if (t >= n.length(b)) {
                        std::fill_n(row_of(y, b * n.T + t), n.H, T(0));
                        continue;
                    }
                    rows.push_back(at(b, t));
                    h.push_back(rows.back().h0), sums.push_back(rows.back().v);
                }
                product.multiply_add(static_cast<int64_t>(rows.size()), Rows<const T>(h),
                                     Rows<T>(sums));
                for (const auto& row : rows) C::forward(n.H, row);
            }
        });
    }

    // From dy, and from the gradients dh, dc [B, H] of the final state besides, to those of the gates, in u and v, to that of
    // x, and to those of the initial state, in dh and dc.
    void backward(const RecurrentWeights& w, const Tensor& dy, Gradient dx, Tensor& dh,
                  Tensor& dc) {
        const int64_t GH = n.G * n.H;
        const Packed<T> product(false, GH, n.H, w.hh.data<T>());
        share_out([&](int64_t begin, int64_t end) {
            std::vector<const T*> dsums;
            std::vector<T*> dhs;
            for (int64_t s = n.T - 1; s >= 0; --s) {
                dsums.clear(), dhs.clear();
                for (int64_t b = begin; b < end; ++b) {
                    const int64_t t = n.step(s);
                    auto row = at(b, t);
                    if (t >= n.length(b)) {
                        std::fill_n(row.u, GH, T(0));
                        std::fill_n(row.v, GH, T(0));
                        continue;
                    }
                    row.dh = row_of(dh, b);
                    if constexpr (C::has_c) row.dc = row_of(dc, b);
                    detail::map_serial(
                        n.H, row.dh, true, [](T d) { return d; }, row_of(dy, b * n.T + t));
                    C::backward(n.H, row);
                    dsums.push_back(row.v), dhs.push_back(row.dh);
                }
                product.multiply_add(static_cast<int64_t>(dsums.size()), Rows<const T>(dsums),
                                     Rows<T>(dhs));
            }
        });
        if (!dx) return;
        const Packed<T> input(false, GH, n.I, w.ih.data<T>());
        const auto [out, add] = dx.sink<T>();
        share_out([&, out = out, add = add](int64_t begin, int64_t end) {
            T* rows = out + begin * n.T * n.I;
            if (!add) std::fill_n(rows, (end - begin) * n.T * n.I, T(0));
            input.multiply_add((end - begin) * n.T, Rows<const T>(row_of(u, begin * n.T), GH),
                               Rows<T>(rows, n.I));
        });
    }

    // The gradients of weights [G H, I], [G H, H] and biases [G H], from those of the gates.
    void weights(const Tensor& x, std::span<const Gradient> d) {
        const int64_t BT = n.B * n.T, GH = n.G * n.H;
        Gradient dw_ih = d[0], dw_hh = d[1], db_ih = d[2], db_hh = d[3];
        Tensor& dv = C::sums ? u : v;
        // to += aᵀ b over the leading axis
        const auto add = [&](Gradient to, int64_t columns, int64_t rows, const T* a, const T* b) {
            if (!to) return;
            const auto [out, adds] = to.sink<T>();
            gemm(true, false, GH, columns, rows, a, b, out, adds);
        };
        add(dw_ih, n.I, BT, u.data<T>(), x.data<T>());
        if (db_ih) db_ih += sum(u.view({BT, GH}), 0);
        if (db_hh) db_hh += sum(dv.view({BT, GH}), 0);
        if (!dw_hh) return;

        // Every step but a row's first has its state before in the neighbouring row of y, so that one product of two
        // shifted matrices serves them all. The first ones meet the initial state, then leave the matrix.
        const Tensor first = n.steps(&Sequence::first);
        if (h0.defined()) {
            const Tensor dv_first = index_select(dv.view({BT, GH}), 0, first);
            add(dw_hh, n.H, n.B, dv_first.data<T>(), h0.data<T>());
        }
        for (const int32_t i : first.values<int32_t>()) std::fill_n(row_of(dv, i), GH, T(0));
        add(dw_hh, n.H, BT - 1, row_of(dv, n.reverse ? 0 : 1), row_of(y, n.reverse ? 1 : 0));
    }
};

}  // namespace

// For all steps u = W_ih x + b_ih, then step by step v = W_hh h + b_hh and the cell of u and v. On the way back each step's
// du and dv take the place of u and v, and dh' = W_hhᵀ dv (+ what the cell hands on);  dx = du W_ih,  dW_ih = Σ duᵀ x,
// dW_hh = Σ dvᵀ h,  db = Σ du, Σ dv.
Recurrence recurrent(Cell cell, const Tensor& x, const RecurrentWeights& w, const Tensor& h0,
                     const Tensor& c0, const Tensor& lengths, bool reverse) {
    if (Tape::wants_composed()) return composed::recurrent(cell, x, w, h0, c0, lengths, reverse);
    const Sequence n(cell, x, w, h0, c0, lengths, reverse);
    return dispatch(n.op, x.dtype(), [&](auto zero) {
        return detail::with_cell(cell, [&](auto which) {
            using T = decltype(zero);
            using C = decltype(which);
            const auto states = [&](int64_t width) {
                return Tensor::empty({n.B, n.T, width}, x.dtype());
            };
            Kernel<C, T> kernel{.n = n,
                                .u = states(n.G * n.H),
                                .v = C::sums ? Tensor() : states(n.G * n.H),
                                .y = states(n.H),
                                .c = C::has_c ? states(n.H) : Tensor(),
                                .h0 = h0,
                                .c0 = c0};
            kernel.forward(x, w);

            const Tensor none = Tensor::zeros({}, x.dtype());
            const auto or_none = [&](const Tensor& t) { return t.defined() ? t : none; };
            Tensor dc_end =
                C::has_c && Tape::current() ? Tensor::zeros({n.B, n.H}, x.dtype()) : Tensor();
            Recurrence result;
            result.y = record(
                n.op,
                {x, w.ih, w.hh, or_none(w.bias_ih), or_none(w.bias_hh), or_none(h0), or_none(c0)},
                kernel.y, [=](const Tensor& dy, std::span<const Gradient> d) mutable {
                    check(!Tape::current(), n.op,
                          "its fused kernel has no second derivative; open the tape as Tape "
                          "tape(Tape::Fused::composed)");
                    Gradient dh0 = d[5], dc0 = d[6];
                    Tensor dh = Tensor::zeros({n.B, n.H}, x.dtype());
                    kernel.backward(w, dy, d[0], dh, dc_end);
                    kernel.weights(x, d.subspan(1, 4));
                    if (dh0) dh0 += dh;
                    if (dc0) dc0 += dc_end;
                });
            result.h = n.at_end(result.y);
            if constexpr (C::has_c) {
                // Its gradient waits in dc_end until the way back arrives at the op itself.
                const Tensor c =
                    index_select(kernel.c.view({n.B * n.T, n.H}), 0, n.steps(&Sequence::last));
                result.c = record("lstm_state", {result.y}, c,
                                  [dc_end](const Tensor& dc, Gradient dy) mutable {
                                      dc_end.copy_from(dc);
                                      if (dy) dy.zeroed();
                                  });
            }
            return result;
        });
    });
}

// The twin: the same equations, a step at a time.
namespace {

struct State {
    Tensor h, c;  // [B, H]
};

// One step of a cell: u = W_ih x + b_ih and v = W_hh h + b_hh, both [B, G H].
State step(Cell cell, const Tensor& u, const Tensor& v, const State& before, int64_t H) {
    if (cell == Cell::rnn_tanh) return {tanh(u + v), {}};
    if (cell == Cell::rnn_relu) return {relu(u + v), {}};
    if (cell == Cell::lstm) {
        const auto gates = split(u + v, H, -1);
        const Tensor i = sigmoid(gates[0]), f = sigmoid(gates[1]), g = tanh(gates[2]),
                     o = sigmoid(gates[3]);
        const Tensor c = f * before.c + i * g;
        return {o * tanh(c), c};
    }
    const auto us = split(u, H, -1), vs = split(v, H, -1);
    const Tensor r = sigmoid(us[0] + vs[0]), z = sigmoid(us[1] + vs[1]),
                 n = tanh(us[2] + r * vs[2]);
    return {(1 - z) * n + z * before.h, {}};
}

}  // namespace

Recurrence composed::recurrent(Cell cell, const Tensor& x, const RecurrentWeights& w,
                               const Tensor& h0, const Tensor& c0, const Tensor& lengths,
                               bool reverse) {
    const Sequence n(cell, x, w, h0, c0, lengths, reverse);
    const Tensor zeros = Tensor::zeros({n.B, n.H}, x.dtype());
    State state{h0.defined() ? h0 : zeros, c0.defined() ? c0 : zeros};
    std::vector<Tensor> ys(static_cast<size_t>(n.T));
    for (int64_t s = 0; s < n.T; ++s) {
        const int64_t t = n.step(s);
        const Tensor x_t = reshape(slice(x, 1, t, t + 1), {n.B, n.I});
        const Tensor u = composed::linear(x_t, w.ih, w.bias_ih),
                     v = composed::linear(state.h, w.hh, w.bias_hh);
        const State next = step(cell, u, v, state, n.H);
        Tensor runs = Tensor::empty({n.B, 1}, x.dtype());  // 1 where the row has this step, else 0
        for (int64_t b = 0; b < n.B; ++b) runs.set(b, t < n.length(b));
        state.h = where(runs, next.h, state.h);
        if (next.c.defined()) state.c = where(runs, next.c, state.c);
        ys[static_cast<size_t>(t)] = runs * state.h;
    }
    return {stack(ys, 1), state.h, cell == Cell::lstm ? state.c : Tensor()};
}

}  // namespace gradus
