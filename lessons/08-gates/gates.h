// What the two stages of lesson 08 share: where the gates begin, and the report.
#pragma once

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lessons/common.h"
#include "lessons/report.h"
#include "lessons/training.h"
#include "nn/module.h"
#include "report/coloured_text.h"

namespace gradus::lesson08 {

using lesson::at_least, lesson::at_most, lesson::within;
using lesson::counting, lesson::Report, lesson::smooth_line, lesson::Values;

// Calls f(biases, others) for the two biases [4 H] of each layer of an LSTM somewhere in a module:
// what one of them is given the other has to lack, for they are added.
template <class F>
void for_each_lstm_bias(const nn::Module& module, F f) {
    const nn::StateDict dict = module.state_dict();
    for (const auto& [name, bias] : dict) {
        const size_t at = name.find("bias_ih_l");
        if (at == name.npos) continue;
        std::string other = name;
        f(bias, dict.at(other.replace(at, 7, "bias_hh")));
    }
}

// Forget gates that begin by keeping σ(bias) of the cell at each step (Gers et al. 2000; Jozefowicz,
// Zaremba and Sutskever 2015 take 1).
inline void set_forget_bias(const nn::Module& lstm, double bias) {
    for_each_lstm_bias(lstm, [&](const Tensor& ih, const Tensor& hh) {
        const int64_t H = ih.size() / 4;
        ih.view({H}, H).fill(bias);
        hh.view({H}, H).fill(0);
    });
}

// Each unit with a memory of its own, of up to `longest` steps: b_f = ln u with u evenly from 1 to
// longest - 1, so that 1 / (1 - σ(b_f)) = 1 + u, and b_i = -b_f: what is kept for long is written
// seldom (Tallec and Ollivier 2018, "chrono initialisation").
inline void set_chrono_biases(const nn::Module& lstm, double longest, Rng& rng) {
    for_each_lstm_bias(lstm, [&](const Tensor& ih, const Tensor& hh) {
        const int64_t H = ih.size() / 4;
        const Tensor u = rng.uniform({H}, 1, longest - 1, ih.dtype());
        for (int64_t j = 0; j < H; ++j) {
            Tensor(ih).set(H + j, std::log(u.at(j)));
            Tensor(ih).set(j, -std::log(u.at(j)));
        }
        hh.view({2 * H}).fill(0);
    });
}

}  // namespace gradus::lesson08
