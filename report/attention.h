// Where a model looks: attention weights of every sentence, layer and head, to choose from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradus::report {

// The heads of one kind for one sentence: those of an encoder, of a decoder, or those across from
// decoder to encoder. A model with one alignment has one group of one layer and one head.
struct AttentionGroup {
    std::string name;                        // "encoder"; shown above its heads
    std::vector<std::string> rows, columns;  // tokens: those that look, those looked at
    std::size_t layers = 1, heads = 1;
    std::vector<double> weights;                          // [layers, heads, rows, columns], 0 to 1
    std::string row_axis = "query", column_axis = "key";  // what rows and columns are
};

// A block for a Page: small pictures of all heads, and the chosen one as a map with tokens at both
// sides. Pointing at a cell, or moving there with the arrow keys, shows its weight. On paper stand
// the chosen head and the pictures of all.
//
//     AttentionView view("Where the transformer looks");
//     view.add({encoder, decoder, cross});
//     page.figure(view.html(), "Six layers of eight heads.");
//
// Weights keep four decimals and take 2.7 bytes each in the file. Colours go by the square root of
// the weight, so that a head that looks everywhere is not blank.
class AttentionView {
public:
    explicit AttentionView(std::string title);

    // A sentence, or a pair of them, by the name it is chosen by; without one, by its tokens.
    // Errors: no group, no token, weights that do not fill the maps or lie outside of 0 to 1, and
    // groups that differ from the first sentence's in number, name, layers or heads. Weights that
    // are not finite are crossed out.
    AttentionView& add(const std::vector<AttentionGroup>& groups, std::string name = "");

    // <div class="attention" ...>; the Page that it stands in brings style and script.
    // Errors: no sentence.
    std::string html() const;

private:
    struct Kind {
        std::string name;
        std::size_t layers, heads;
        bool operator==(const Kind&) const = default;
    };
    std::string title_, sentences_;  // JSON, comma-separated
    std::vector<Kind> kinds_;
};

// What a page with views needs: CSS, a script that draws, and the script's hash for the content
// policy, so that this script runs and no other.
std::string_view attention_style();
std::string_view attention_script();
std::string_view attention_script_hash();

}  // namespace gradus::report
