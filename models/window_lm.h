// The neural probabilistic language model (Bengio, Ducharme, Vincent, Jauvin 2003).
#pragma once

#include <memory>

#include "nn/layers.h"

namespace gradus::models {

struct WindowLmOptions {
    int64_t vocab = 0;
    int64_t window = 4;  // how many tokens before are seen
    int64_t dim = 16;    // of an embedding
    int64_t hidden = 128;
    bool direct =
        false;  // also straight connections from the embeddings to the logits (W in the paper)
};

/// x = (C[w_{t-1}], ..., C[w_{t-n+1}]),  y = b + W x + U tanh(d + H x)  (equation 1).
/// ids [B, window], oldest first -> logits [B, vocab].
///
/// Parameters: "table.weight" (C), "hidden.weight" and "hidden.bias" (H, d), "head.weight" and
/// "head.bias" (U, b), "direct.weight" (W). Throws Error where ids have another width.
class WindowLM : public nn::Layer {
public:
    explicit WindowLM(const WindowLmOptions& options);
    Tensor forward(const Tensor& ids) override;

    const WindowLmOptions& options() const { return options_; }

private:
    WindowLmOptions options_;
    nn::Embedding table_;
    nn::Linear hidden_, head_;
    std::unique_ptr<nn::Linear> direct_;
};

}  // namespace gradus::models
