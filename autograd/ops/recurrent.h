// The cells of recurrent(), one row of one step at a time. Forward turns gate inputs into gate values, backward gate values
// into gradients of the gate inputs, both in place: between the two nothing else has to be kept.
// G gates · H hidden width
#pragma once

#include "autograd/ops.h"
#include "autograd/vec.h"

namespace gradus::detail {

/// What one row of the batch has at one step.
template <class T>
struct CellRow {
    T* u;         // [G, H]: W_ih x + b_ih, to which a cell with `sums` has W_hh h + b_hh added
    T* v;         // [G, H]: W_hh h + b_hh of a cell without `sums`
    const T* h0;  // [H]: the state before
    const T* c0;
    T* h;  // [H]: the state after
    T* c;
    T* dh;  // [H]: gradient of the state after, replaced by that of the state before, less what comes through W_hh
    T* dc;
};

// h = φ(u);  du = dh φ'(u)
struct ReluCell {
    static constexpr int gates = 1;
    static constexpr bool sums = true, has_c = false;

    template <class T>
    static void forward(int64_t H, const CellRow<T>& at) {
        T *u = at.u, *h = at.h;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) h[j] = u[j] = u[j] > 0 ? u[j] : 0;
    }
    template <class T>
    static void backward(int64_t H, const CellRow<T>& at) {
        T *u = at.u, *dh = at.dh;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            u[j] = u[j] > 0 ? dh[j] : 0;
            dh[j] = 0;
        }
    }
};

struct TanhCell {
    static constexpr int gates = 1;
    static constexpr bool sums = true, has_c = false;

    template <class T>
    static void forward(int64_t H, const CellRow<T>& at) {
        T *u = at.u, *h = at.h;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) h[j] = u[j] = vec::tanh(u[j]);
    }
    template <class T>
    static void backward(int64_t H, const CellRow<T>& at) {
        T *u = at.u, *dh = at.dh;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            u[j] = dh[j] * (1 - u[j] * u[j]);
            dh[j] = 0;
        }
    }
};

// i, f, o = σ(u_i), σ(u_f), σ(u_o),  g = tanh(u_g);  c = f c0 + i g,  h = o tanh(c)
struct LstmCell {
    static constexpr int gates = 4;
    static constexpr bool sums = true, has_c = true;

    template <class T>
    static void forward(int64_t H, const CellRow<T>& at) {
        T *i = at.u, *f = i + H, *g = f + H, *o = g + H, *h = at.h, *c = at.c;
        const T* c0 = at.c0;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            i[j] = vec::sigmoid(i[j]);
            f[j] = vec::sigmoid(f[j]);
            g[j] = vec::tanh(g[j]);
            o[j] = vec::sigmoid(o[j]);
            c[j] = f[j] * c0[j] + i[j] * g[j];
            h[j] = o[j] * vec::tanh(c[j]);
        }
    }
    template <class T>
    static void backward(int64_t H, const CellRow<T>& at) {
        T *i = at.u, *f = i + H, *g = f + H, *o = g + H, *dh = at.dh, *dc = at.dc;
        const T *c0 = at.c0, *c = at.c;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            const T tanh_c = vec::tanh(c[j]), d = dc[j] + dh[j] * o[j] * (1 - tanh_c * tanh_c);
            dc[j] = d * f[j];
            o[j] = dh[j] * tanh_c * o[j] * (1 - o[j]);
            f[j] = d * c0[j] * f[j] * (1 - f[j]);
            const T di = d * g[j] * i[j] * (1 - i[j]);
            g[j] = d * i[j] * (1 - g[j] * g[j]);
            i[j] = di;
            dh[j] = 0;
        }
    }
};

// r, z = σ(u_r + v_r), σ(u_z + v_z),  n = tanh(u_n + r v_n);  h = (1 - z) n + z h0
struct GruCell {
    static constexpr int gates = 3;
    static constexpr bool sums = false, has_c = false;

    template <class T>
    static void forward(int64_t H, const CellRow<T>& at) {
        T *r = at.u, *z = r + H, *n = z + H, *h = at.h;
        const T *v_r = at.v, *v_z = v_r + H, *v_n = v_z + H, *h0 = at.h0;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            r[j] = vec::sigmoid(r[j] + v_r[j]);
            z[j] = vec::sigmoid(z[j] + v_z[j]);
            n[j] = vec::tanh(n[j] + r[j] * v_n[j]);
            h[j] = n[j] + z[j] * (h0[j] - n[j]);
        }
    }
    template <class T>
    static void backward(int64_t H, const CellRow<T>& at) {
        T *r = at.u, *z = r + H, *n = z + H, *v_r = at.v, *v_z = v_r + H, *v_n = v_z + H,
          *dh = at.dh;
        const T* h0 = at.h0;
#pragma omp simd
        for (int64_t j = 0; j < H; ++j) {
            const T dn = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
            const T dz = dh[j] * (h0[j] - n[j]) * z[j] * (1 - z[j]);
            const T dr = dn * v_n[j] * r[j] * (1 - r[j]);
            dh[j] *= z[j];
            v_n[j] = dn * r[j];
            r[j] = v_r[j] = dr;
            z[j] = v_z[j] = dz;
            n[j] = dn;
        }
    }
};

/// Calls f with the cell's type.
template <class F>
decltype(auto) with_cell(Cell cell, F&& f) {
    switch (cell) {
        case Cell::rnn_relu:
            return f(ReluCell());
        case Cell::lstm:
            return f(LstmCell());
        case Cell::gru:
            return f(GruCell());
        default:
            return f(TanhCell());
    }
}

}  // namespace gradus::detail
