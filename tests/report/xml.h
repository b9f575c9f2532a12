// Is this well-formed XML? Enough of a parser for what report/ writes.
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::report::test {

// Empty if the text is one element with everything in it closed and quoted, else what is wrong.
inline std::string xml_fault(std::string_view text) {
    std::vector<std::string> open;
    std::size_t roots = 0, i = 0;
    const auto context = [&](std::string_view what) {
        return std::string(what) + ": " + std::string(text.substr(i, 60));
    };
    const auto good_entity = [&](std::size_t at) {
        for (const std::string_view e : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
            if (text.substr(at).starts_with(e)) return true;
        }
        return false;
    };
    while (i < text.size()) {
        if (text[i] == '&' && !good_entity(i)) return context("bare &");
        if (text[i] != '<') {
            if (open.empty() && !std::isspace(static_cast<unsigned char>(text[i]))) {
                return context("text outside of the root");
            }
            ++i;
            continue;
        }
        const bool closing = text.substr(i).starts_with("</");
        std::size_t at = i + (closing ? 2 : 1);
        std::string name;
        while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at]))) {
            name += text[at++];
        }
        if (name.empty()) return context("no name of an element");
        if (closing) {
            if (open.empty() || open.back() != name) return context("closes what is not open");
            open.pop_back();
        } else {
            roots += open.empty();
            open.push_back(name);
        }
        while (at < text.size() && text[at] != '>') {
            if (text[at] == '<') return context("< inside of a tag");
            if (text[at] == '"') {
                const std::size_t end = text.find('"', at + 1);
                if (end == text.npos) return context("open quote");
                for (std::size_t k = at + 1; k < end; ++k) {
                    if (text[k] == '<' || (text[k] == '&' && !good_entity(k))) {
                        return context("bare character in an attribute");
                    }
                }
                at = end;
            }
            ++at;
        }
        if (at >= text.size()) return context("open tag");
        if (!closing && text[at - 1] == '/') open.pop_back();
        i = at + 1;
    }
    if (!open.empty()) return "not closed: " + open.back();
    return roots == 1 ? "" : "not one root";
}

inline std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace gradus::report::test
