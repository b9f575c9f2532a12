#include "data/pairs/help_html.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "autograd/error.h"
#include "data/text/text.h"

namespace gradus::data {
namespace {

struct Tag {
    std::string_view name, attributes;
    bool closes = false;  // </name>
};

class Page {
public:
    Page(std::string_view source, std::string_view html) : source_(source), html_(html) {}

    bool done() const { return at_ == html_.size(); }
    bool at_tag() const { return html_[at_] == '<'; }

    std::string_view take_text() {
        const size_t begin = at_;
        at_ = std::min(html_.find('<', begin), html_.size());
        return html_.substr(begin, at_ - begin);
    }

    Tag take_tag() {
        const size_t begin = at_;
        bool quoted = false;
        while (++at_ < html_.size() && (quoted || html_[at_] != '>')) quoted ^= html_[at_] == '"';
        if (at_ == html_.size()) fail_at(begin, "a tag has no end");
        std::string_view inside = html_.substr(begin + 1, at_++ - begin - 1);
        const bool closes = inside.starts_with('/');
        if (closes) inside.remove_prefix(1);
        const size_t name = std::min(inside.find_first_of(" \t\n/"), inside.size());
        return {inside.substr(0, name), inside.substr(name), closes};
    }

    // Text as it reads: &lt; is <, &#233; is é.
    void append_decoded(std::string& text, std::string_view coded) const {
        for (size_t i = 0; i < coded.size();) {
            const size_t begin = std::min(coded.find('&', i), coded.size());
            text += coded.substr(i, begin - i);
            if (begin == coded.size()) return;
            const size_t end = coded.find(';', begin);
            const std::string_view name =
                coded.substr(begin + 1, end == coded.npos ? 0 : end - begin - 1);
            const std::string character = decoded(name);
            if (character.empty()) {
                const auto position = static_cast<size_t>(coded.data() - html_.data()) + begin;
                fail_at(position,
                        fmt::format("\"{}\" is no character known here", coded.substr(begin, 12)));
            }
            text += character;
            i = end + 1;
        }
    }

    size_t position() const { return at_; }

    [[noreturn]] void fail_at(size_t position, std::string_view text) const {
        const auto end = html_.begin() + static_cast<long>(position);
        fail(source_, fmt::format("line {}: {}; fetch it anew: ./run data en-fr",
                                  std::count(html_.begin(), end, '\n') + 1, text));
    }

private:
    static std::string decoded(std::string_view name) {
        constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kNames{
            {{"lt", "<"},
             {"gt", ">"},
             {"amp", "&"},
             {"quot", "\""},
             {"apos", "'"},
             {"nbsp", "\u00a0"}}};
        for (const auto& [known, character] : kNames)
            if (known == name) return std::string(character);
        if (!name.starts_with('#')) return "";
        name.remove_prefix(1);
        const bool hexadecimal = name.starts_with('x');
        if (hexadecimal) name.remove_prefix(1);
        int32_t code = 0;
        const char* end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(name.data(), end, code, hexadecimal ? 16 : 10);
        const bool surrogate = 0xd800 <= code && code < 0xe000;
        const bool valid = 0 <= code && code <= 0x10ffff && !surrogate;
        return error == std::errc() && rest == end && valid ? utf8(code) : "";
    }

    std::string_view source_, html_;
    size_t at_ = 0;
};

std::string_view attribute(const Tag& tag, std::string_view name) {
    const std::string before = fmt::format(" {}=\"", name);
    const size_t found = tag.attributes.find(before);
    if (found == tag.attributes.npos) return {};
    const std::string_view value = tag.attributes.substr(found + before.size());
    return value.substr(0, value.find('"'));
}

bool begins_paragraph(const Tag& tag) {
    const std::string_view id = attribute(tag, "id");
    return !tag.closes && (id.starts_with("par_") || id.starts_with("hd_"));
}

// <span hidden="true" class="MAC">Command</span><span hidden="true" id="default...">Ctrl</span>
bool hides(const Tag& tag) {
    return !attribute(tag, "hidden").empty() && !attribute(tag, "id").starts_with("default");
}

}  // namespace

std::vector<HelpParagraph> help_paragraphs(std::string_view source, std::string_view html) {
    check_utf8(source, html);
    std::vector<HelpParagraph> paragraphs;
    std::string_view open;  // the name of the paragraph's tag; empty outside
    size_t begin = 0;       // where it stands
    int hidden = 0;         // spans open in a hidden one, itself included
    for (Page page(source, html); !page.done() || !open.empty();) {
        if (page.done()) page.fail_at(begin, "a paragraph has no end");
        if (!page.at_tag()) {
            const std::string_view text = page.take_text();
            if (!open.empty() && !hidden) page.append_decoded(paragraphs.back().text, text);
            continue;
        }
        const Tag tag = page.take_tag();
        if (open.empty()) {
            if (!begins_paragraph(tag)) continue;
            open = tag.name;
            begin = page.position();
            paragraphs.push_back({std::string(attribute(tag, "id")), ""});
        } else if (tag.name == open) {
            if (!tag.closes) page.fail_at(page.position(), "a paragraph begins inside another");
            paragraphs.back().text = one_line(paragraphs.back().text);
            open = {};
            hidden = 0;
        } else if (tag.name == "span") {
            if (hidden || (!tag.closes && hides(tag))) hidden += tag.closes ? -1 : 1;
        } else if (tag.name == "br") {
            paragraphs.back().text += ' ';
        }
    }
    return paragraphs;
}

}  // namespace gradus::data
