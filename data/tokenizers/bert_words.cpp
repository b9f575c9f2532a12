#include "data/tokenizers/bert_words.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "data/text/text.h"
#include "data/text/unicode.h"

namespace gradus::data {
namespace {

bool is_left_out(int32_t code) {
    if (code == '\t' || code == '\n' || code == '\r') return false;
    const utf8proc_category_t category = utf8proc_category(code);
    constexpr int32_t kReplacement = 0xfffd;
    return code == kReplacement || category == UTF8PROC_CATEGORY_CC ||
           category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CO;
}

// The blocks of ideographs; kana and Hangul, which are written in words, are not among them.
bool is_ideograph(int32_t code) {
    struct Block {
        int32_t first, last;
    };
    constexpr std::array<Block, 8> kBlocks{{{0x4e00, 0x9fff},
                                            {0x3400, 0x4dbf},
                                            {0x20000, 0x2a6df},
                                            {0x2a700, 0x2b73f},
                                            {0x2b740, 0x2b81f},
                                            {0x2b820, 0x2ceaf},
                                            {0xf900, 0xfaff},
                                            {0x2f800, 0x2fa1f}}};
    return std::any_of(kBlocks.begin(), kBlocks.end(), [=](const Block& block) {
        return block.first <= code && code <= block.last;
    });
}

bool is_punctuation(int32_t code) {
    if (code < 0x80) return '!' <= code && code <= '~' && !std::isalnum(code);
    const utf8proc_category_t category = utf8proc_category(code);
    return UTF8PROC_CATEGORY_PC <= category && category <= UTF8PROC_CATEGORY_PO;
}

// Calls f(code) for each of the characters that a character is composed of.
template <class F>
void for_each_component(int32_t code, F&& f) {
    constexpr size_t kMost = 8;  // canonical decompositions have at most 4
    std::array<utf8proc_int32_t, kMost> parts;
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(code, parts.data(), kMost, UTF8PROC_DECOMPOSE, &boundary);
    std::for_each_n(parts.begin(), count, f);
}

}  // namespace

std::vector<std::string> bert_words(std::string_view text) {
    check_utf8("bert words", text);
    std::vector<std::string> words;
    bool in_word = false;  // goes the next letter to the last word?
    const auto add = [&](int32_t code, bool alone) {
        if (!in_word || alone) words.emplace_back();
        words.back() += utf8(code);
        in_word = !alone;
    };
    while (!text.empty()) {
        const Character character = first_character(text);
        text.remove_prefix(character.bytes);
        if (is_left_out(character.code)) continue;
        if (is_white_space(character.code)) {
            in_word = false;
            continue;
        }
        const bool ideograph = is_ideograph(character.code);
        for_each_component(character.code, [&](int32_t code) {
            if (utf8proc_category(code) == UTF8PROC_CATEGORY_MN) return;
            code = utf8proc_tolower(code);
            add(code, ideograph || is_punctuation(code));
        });
    }
    return words;
}

}  // namespace gradus::data
