// How GPT-2 cuts a text before it merges bytes: no token reaches from one part into the next.
#pragma once

#include <string_view>
#include <vector>

namespace gradus::data {

/// The parts of a text, which joined give it back (Radford et al. 2019, section 2.2, and the
/// pattern published with GPT-2). Of these the first that fits:
///   the end of a contraction: 's 't 're 've 'm 'll 'd, in small letters;
///   letters, or digits, or what is neither and no white space, with a space before it, if any;
///   white space, of which the last character is left to what follows it.
/// Letters are Unicode's categories L, digits its N. Bytes that are no UTF-8 are neither.
std::vector<std::string_view> gpt2_words(std::string_view text);

}  // namespace gradus::data
