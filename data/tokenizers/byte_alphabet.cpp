#include "data/tokenizers/byte_alphabet.h"

#include <array>
#include <unordered_map>

#include "data/text/text.h"
#include "data/text/unicode.h"

namespace gradus::data {
namespace {

bool prints(int byte) {
    constexpr int kSoftHyphen = 0xad;
    return ('!' <= byte && byte <= '~') || (0xa1 <= byte && byte != kSoftHyphen);
}

struct Alphabet {
    std::vector<unsigned char> order;
    std::array<std::string, 256> characters;
    std::unordered_map<int32_t, char> bytes;  // by code point

    Alphabet() {
        int32_t next = 0x100;
        for (const bool printing : {true, false}) {
            for (int byte = 0; byte < 256; ++byte) {
                if (prints(byte) != printing) continue;
                const int32_t code = printing ? byte : next++;
                order.push_back(static_cast<unsigned char>(byte));
                characters[static_cast<size_t>(byte)] = utf8(code);
                bytes[code] = static_cast<char>(byte);
            }
        }
    }
};

const Alphabet& alphabet() {
    static const Alphabet only;
    return only;
}

}  // namespace

const std::vector<unsigned char>& byte_alphabet() { return alphabet().order; }

std::string spelled(std::string_view bytes) {
    std::string characters;
    for (const char byte : bytes) characters += alphabet().characters[static_cast<uint8_t>(byte)];
    return characters;
}

std::optional<std::string> unspelled(std::string_view characters) {
    std::string bytes;
    while (!characters.empty()) {
        const Character first = first_character(characters);
        const auto byte = alphabet().bytes.find(first.code);
        if (first.bytes == 0 || byte == alphabet().bytes.end()) return std::nullopt;
        bytes += byte->second;
        characters.remove_prefix(first.bytes);
    }
    return bytes;
}

}  // namespace gradus::data
