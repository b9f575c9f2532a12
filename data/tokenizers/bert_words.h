// How BERT cleans a text and cuts it into words before it looks for pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::data {

/// The words of a text as uncased BERT sees them (Devlin et al. 2018, by the "basic tokenizer" that
/// was published with it): small letters without accents. White space separates words. Each
/// punctuation mark is a word by itself (Unicode's categories P, and all of ASCII that is neither
/// letter nor digit), and so is each CJK ideograph. Accents are the nonspacing marks (Mn) of the
/// canonical decomposition. Control characters, those that format (Cf), private ones and U+FFFD are
/// left out; tab, carriage return and the end of a line are white space. Each letter is made small
/// by itself, so that a capital sigma is never a final one: there Hugging Face's fast tokenizer
/// agrees, the published one does not. Throws Error where the text is not UTF-8.
std::vector<std::string> bert_words(std::string_view text);

}  // namespace gradus::data
