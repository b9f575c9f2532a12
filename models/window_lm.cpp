// B batch · n window · m embedding width · H hidden width · V vocabulary
#include "models/window_lm.h"

namespace gradus::models {
namespace {

// Before any layer is made of them.
const WindowLmOptions& checked(const WindowLmOptions& o) {
    check(o.vocab >= 1 && o.window >= 1 && o.dim >= 1 && o.hidden >= 1, "window_lm",
          "vocab {}, window {}, dim {}, hidden {}; at least 1 each expected", o.vocab, o.window,
          o.dim, o.hidden);
    return o;
}

}  // namespace

WindowLM::WindowLM(const WindowLmOptions& options)
    : Layer("window_lm"),
      options_(checked(options)),
      table_(options.vocab, options.dim),
      hidden_(options.window * options.dim, options.hidden, true, Activation::tanh),
      head_(options.hidden, options.vocab) {
    children({{"table", table_}, {"hidden", hidden_}, {"head", head_}});
    if (options.direct) {
        direct_ = std::make_unique<nn::Linear>(options.window * options.dim, options.vocab, false);
        child("direct", *direct_);
    }
}

Tensor WindowLM::forward(const Tensor& ids) {
    const int64_t n = options_.window;
    check(ids.rank() == 2 && ids.size(1) == n, "window_lm",
          "ids are {}; [B, {}] expected: {} tokens before each one that is predicted", ids.shape(),
          n, n);
    const Tensor x = reshape(table_(ids), {ids.size(0), n * options_.dim});  // [B, n m]
    const Tensor y = head_(hidden_(x));                                      // [B, V]
    return direct_ ? y + (*direct_)(x) : y;
}

}  // namespace gradus::models
