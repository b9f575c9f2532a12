#include "nn/recurrent.h"

#include <cmath>

#include "nn/init.h"

namespace gradus::nn {
namespace {

int64_t gates(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

const char* layer_name(Cell cell) {
    return cell == Cell::lstm ? "lstm" : cell == Cell::gru ? "gru" : "rnn";
}

}  // namespace

RecurrentState RecurrentState::detach() const {
    // A view has the numbers and no past.
    const auto view = [](const Tensor& x) { return x.defined() ? x.view(x.shape()) : x; };
    return {view(h), view(c)};
}

Recurrent::Recurrent(Cell cell, int64_t input, int64_t hidden, const RecurrentOptions& options)
    : Module(layer_name(cell)),
      cell_(cell),
      input_(input),
      hidden_(hidden),
      options_(options),
      dropout_(options.dropout) {
    check(input > 0 && hidden > 0 && options.layers > 0, name(),
          "input {}, hidden {}, layers {}: at least 1 of each expected", input, hidden,
          options.layers);
    const double bound = 1 / std::sqrt(static_cast<double>(hidden));
    const auto make = [&](const char* what, int64_t layer, bool reverse, Tensor& tensor,
                          const Shape& shape) {
        tensor = init::uniform(Tensor::empty(shape), -bound, bound);
        parameter(fmt::format("{}_l{}{}", what, layer, reverse ? "_reverse" : ""), tensor);
    };
    const int64_t rows = gates(cell) * hidden;
    for (int64_t layer = 0; layer < options.layers; ++layer)
        for (const bool reverse : {false, true}) {
            if (reverse && !options.bidirectional) continue;
            RecurrentWeights& w = weights_.emplace_back();
            make("weight_ih", layer, reverse, w.ih,
                 {rows, layer == 0 ? input : hidden * directions()});
            make("weight_hh", layer, reverse, w.hh, {rows, hidden});
            if (!options.bias) continue;
            make("bias_ih", layer, reverse, w.bias_ih, {rows});
            make("bias_hh", layer, reverse, w.bias_hh, {rows});
        }
    if (options.dropout > 0) child("dropout", dropout_);
}

RecurrentWeights& Recurrent::weights(int64_t layer, bool reverse) {
    check(layer >= 0 && layer < options_.layers && (!reverse || options_.bidirectional), name(),
          "layer {}{} of {}", layer, reverse ? " reverse" : "", options_.layers);
    return weights_[static_cast<size_t>(layer * directions() + reverse)];
}

RecurrentOutput Recurrent::operator()(const Tensor& x, const RecurrentState& state,
                                      const Tensor& lengths) {
    const Scope in(name());
    const int64_t D = directions();
    const auto part = [&](const Tensor& states, int64_t i) {  // [L D, B, H] -> [B, H]
        if (!states.defined()) return Tensor();
        check(states.shape() == Shape{options_.layers * D, x.size(0), hidden_}, name(),
              "x is {}, an initial state is {}: [{}, {}, {}] expected", x.shape(), states.shape(),
              options_.layers * D, x.size(0), hidden_);
        return reshape(slice(states, 0, i, i + 1), {x.size(0), hidden_});
    };
    Tensor y = x;
    std::vector<Tensor> h, c;
    for (int64_t layer = 0; layer < options_.layers; ++layer) {
        if (layer > 0) y = dropout_(y);
        std::vector<Tensor> ys;
        for (int64_t d = 0; d < D; ++d) {
            const int64_t i = layer * D + d;
            const Recurrence run = recurrent(cell_, y, weights_[static_cast<size_t>(i)],
                                             part(state.h, i), part(state.c, i), lengths, d == 1);
            ys.push_back(run.y);
            h.push_back(run.h);
            if (run.c.defined()) c.push_back(run.c);
        }
        y = D == 1 ? ys[0] : concat(ys, -1);  // [B, T, D H]
    }
    return {y, {stack(h), c.empty() ? Tensor() : stack(c)}};
}

RecurrentCell::RecurrentCell(Cell cell, int64_t input, int64_t hidden)
    : Module(layer_name(cell)), cell_(cell) {
    check(input > 0 && hidden > 0, name(), "input {}, hidden {}: at least 1 of each expected",
          input, hidden);
    const double bound = 1 / std::sqrt(static_cast<double>(hidden));
    const int64_t rows = gates(cell) * hidden;
    const auto make = [&](const char* what, Tensor& tensor, const Shape& shape) {
        tensor = init::uniform(Tensor::empty(shape), -bound, bound);
        parameter(what, tensor);
    };
    make("weight_ih", weights_.ih, {rows, input});
    make("weight_hh", weights_.hh, {rows, hidden});
    make("bias_ih", weights_.bias_ih, {rows});
    make("bias_hh", weights_.bias_hh, {rows});
}

RecurrentState RecurrentCell::operator()(const Tensor& x, const RecurrentState& before) {
    const Scope in(name());
    check(x.rank() == 2, name(), "x is {}: [B, I] expected", x.shape());
    const auto run =
        recurrent(cell_, reshape(x, {x.size(0), 1, x.size(1)}), weights_, before.h, before.c);
    return {run.h, run.c};
}

RNN::RNN(int64_t input, int64_t hidden, const RecurrentOptions& options, Nonlinearity nonlinearity)
    : Recurrent(nonlinearity == Nonlinearity::relu ? Cell::rnn_relu : Cell::rnn_tanh, input, hidden,
                options) {}

LSTM::LSTM(int64_t input, int64_t hidden, const RecurrentOptions& options)
    : Recurrent(Cell::lstm, input, hidden, options) {}

GRU::GRU(int64_t input, int64_t hidden, const RecurrentOptions& options)
    : Recurrent(Cell::gru, input, hidden, options) {}

}  // namespace gradus::nn
