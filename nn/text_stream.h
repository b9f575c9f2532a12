// Text on its way to a reader while it is still being written.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::nn {

/// Hands on text that comes in pieces, up to the first of some stop strings. What may yet turn out
/// to be the beginning of one, or is but a part of a UTF-8 character, is held back until it is
/// known.
///
///     nn::TextStream out({"\n\n"}, [](std::string_view text) { std::cout << text; });
///     models::generate(model, prompt, 200, {.temperature = 0.8}, rng,
///                      [&](const Tensor& ids) { return out.add(tokenizer.decode(ids)); });
///     out.finish();
class TextStream {
public:
    using Sink = std::function<void(std::string_view)>;

    /// Throws Error for a stop string that is empty.
    TextStream(std::vector<std::string> stops, Sink sink);

    /// More text. False where that completed a stop string: all before it has been handed on, and
    /// nothing after it ever is.
    bool add(std::string_view piece);
    /// Hands on what is held back, once no more text comes.
    void finish();
    bool stopped() const { return stopped_; }

private:
    size_t safe() const;
    void hand_on(size_t count);

    std::vector<std::string> stops_;
    Sink sink_;
    std::string held_;
    bool stopped_ = false;
};

}  // namespace gradus::nn
