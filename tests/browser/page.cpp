// Writes the page that test.sh looks at in a browser: attention-page FILE.
#include <cmath>
#include <string>
#include <vector>

#include "autograd/random.h"
#include "report/attention.h"
#include "report/html.h"

using namespace gradus;
using report::AttentionGroup;
using Tokens = std::vector<std::string>;

namespace {

const std::vector<Tokens> kSources = {
    {"the",    "young", "painter", "sold", "her",    "two", "largest", "pictures", "to", "a",
     "museum", "by",    "the",     "sea",  "before", "the", "winter",  "began",    ".",  "<eos>"},
    // A corpus may hold anything.
    {"<b>bold</b>", "</script>", "<script>document.title='broken'</script>", "\"'&amp;", " ", "",
     "\n", "<img src=x onerror=\"document.title='broken'\">", "Ünïcödé", "日本語", "\xff"},
};
const std::vector<Tokens> kTargets = {
    {"la", "jeune", "peintre", "a",  "vendu", "ses", "deux", "plus", "grands", "tableaux",
     "à",  "un",    "musée",   "au", "bord",  "de",  "la",   "mer",  "avant",  "<eos>"},
    {"un", "deux", "trois", "anticonstitutionnellement", "cinq", "<!--", "]]>", "<eos>"},
};

// A softmax for each row around a place that depends on the head, the sharper the deeper; `causal`
// looks at nothing that comes later.
AttentionGroup group(const std::string& name, const Tokens& rows, const Tokens& columns,
                     std::size_t layers, std::size_t heads, bool causal, Rng& rng) {
    AttentionGroup g{name, rows, columns, layers, heads, {}};
    for (std::size_t map = 0; map < layers * heads; ++map) {
        const double sharp = 0.3 + 1.2 * rng.uniform() + 0.3 * static_cast<double>(map / heads);
        const double shift = std::floor(rng.uniform() * 5) - 2;
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const double ratio =
                static_cast<double>(columns.size()) / static_cast<double>(rows.size());
            const double centre = static_cast<double>(r) * ratio + shift;
            std::vector<double> e(columns.size(), 0);
            double sum = 0;
            for (std::size_t c = 0; c < columns.size(); ++c) {
                if (causal && c > r) continue;
                const double far = std::abs(static_cast<double>(c) - centre);
                sum += e[c] = std::exp(-sharp * far + 0.8 * rng.normal());
            }
            for (const double x : e) g.weights.push_back(x / sum);
        }
    }
    return g;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Rng rng(7);
    report::AttentionView transformer("Transformer, 6 layers of 8 heads");
    for (std::size_t s = 0; s < 10; ++s) {
        const Tokens& x = kSources[s % 2];
        const Tokens& y = kTargets[s % 2];
        transformer.add(
            {group("Encoder", x, x, 6, 8, false, rng), group("Decoder", y, y, 6, 8, true, rng),
             group("Cross", y, x, 6, 8, false, rng)},
            s < 2 ? "" : "sentence " + std::to_string(s + 1));
    }
    report::AttentionView aligned("Alignment of a recurrent model");
    const Tokens x = {"the", "cat", "sat", "down", "<eos>"}, y = {"le", "chat", "s'assit", "<eos>"};
    AttentionGroup one = group("Alignment", y, x, 1, 1, false, rng);
    one.row_axis = "target";
    one.column_axis = "source";
    one.weights[7] = NAN;
    aligned.add({one});

    report::Page page("Attention", "What the browser test looks at");
    page.heading("All heads").figure(transformer.html(), "Made-up weights.");
    page.heading("One map").figure(aligned.html(), "Made-up weights; one is not finite.");
    page.save(argv[1]);
}
