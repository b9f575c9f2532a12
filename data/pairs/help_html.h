// The pages of LibreOffice's help, as HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// A paragraph or heading as a reader sees it, white space collapsed; empty where it shows a picture.
struct HelpParagraph {
    std::string id;  // "par_id3147251": the same in the page of every language
    std::string text;
};

/// The elements whose id begins with "par_" or "hd_", in order. Of text that differs by system or
/// application, that of the others ("default") is taken: Ctrl, not Command.
///
/// It takes for granted what these pages, made by one program, keep to: attributes in double quotes,
/// no paragraph inside another, none of HTML's named characters but the five of XML and nbsp. Throws
/// Error, with the line, where a tag or paragraph does not end, a named character is another one, or
/// the page is not UTF-8. `source` names the page in errors.
std::vector<HelpParagraph> help_paragraphs(std::string_view source, std::string_view html);

}  // namespace gradus::data
