#include "nn/text_stream.h"

#include <algorithm>
#include <utility>

#include "autograd/error.h"

namespace gradus::nn {
namespace {

// Where an incomplete UTF-8 character at the end of a text begins; its size where there is none.
size_t whole_characters(std::string_view text) {
    for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte < 0x80) break;
        if (byte < 0xC0) continue;  // not the first byte of its character
        const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        return length > back ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops, Sink sink)
    : stops_(std::move(stops)), sink_(std::move(sink)) {
    for (const std::string& stop : stops_)
        check(!stop.empty(), "text_stream", "a stop string is empty; leave it out");
}

bool TextStream::add(std::string_view piece) {
    if (stopped_) return false;
    held_ += piece;
    size_t first = std::string::npos;
    for (const std::string& stop : stops_) first = std::min(first, held_.find(stop));
    stopped_ = first != std::string::npos;
    hand_on(stopped_ ? first : safe());
    return !stopped_;
}

void TextStream::finish() {
    if (!stopped_) hand_on(held_.size());
}

// How much of what is held can be neither a part of a stop string nor of a character.
size_t TextStream::safe() const {
    size_t end = whole_characters(held_);
    for (const std::string& stop : stops_)
        for (size_t length = std::min(stop.size() - 1, held_.size()); length > 0; --length)
            if (held_.ends_with(std::string_view(stop).substr(0, length))) {
                end = std::min(end, held_.size() - length);
                break;
            }
    return end;
}

void TextStream::hand_on(size_t count) {
    if (count > 0) sink_(std::string_view(held_).substr(0, count));
    held_.erase(0, count);
}

}  // namespace gradus::nn
