// Layered drawing after Sugiyama, Tagawa, Toda 1981: layers by longest path, order within a layer by
// barycentres, places by least squares under a least distance.
#include "report/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/error.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr double kGapX = 22, kGapY = 38, kMargin = 8;
constexpr double kLongestText = 190;

// A box, or a bend where an edge passes through a layer.
struct Place {
    int node = -1;  // −1: a bend
    int rank = 0;
    double width = 10;
    double x = 0;               // its middle
    std::vector<int> up, down;  // places in the layers beside
};

struct Layout {
    std::vector<Place> places;  // the nodes first, then the bends
    std::vector<std::vector<int>> layers;
    // For each edge the places that it passes, from input to consumer.
    std::vector<std::vector<int>> edges;
};

std::string shown_label(const GraphNode& node) { return fit_pixels(node.label, 13, kLongestText); }
std::string shown_detail(const GraphNode& node) {
    return fit_pixels(node.detail, 11, kLongestText);
}

std::vector<int> ranks(std::span<const GraphNode> nodes) {
    std::vector<int> rank(nodes.size(), 0);
    std::vector<int> first_use(nodes.size(), std::numeric_limits<int>::max());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const int input : nodes[i].inputs) {
            check(input >= 0 && static_cast<std::size_t>(input) < i, "graph_svg",
                  "node {} (\"{}\") has input {}; inputs are positions of earlier nodes", i,
                  nodes[i].label, input);
            rank[i] = std::max(rank[i], rank[static_cast<std::size_t>(input)] + 1);
        }
        for (const int input : nodes[i].inputs) {
            int& use = first_use[static_cast<std::size_t>(input)];
            use = std::min(use, rank[i]);
        }
    }
    // A parameter stands right above the op that uses it first.
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool used = first_use[i] != std::numeric_limits<int>::max();
        if (nodes[i].inputs.empty() && used) rank[i] = first_use[i] - 1;
    }
    return rank;
}

Layout make_layers(std::span<const GraphNode> nodes) {
    Layout layout;
    const std::vector<int> rank = ranks(nodes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const double text =
            std::max(text_width(shown_label(nodes[i]), 13), text_width(shown_detail(nodes[i]), 11));
        layout.places.push_back(
            {static_cast<int>(i), rank[i], std::max(48.0, text + 24), 0, {}, {}});
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        for (const int input : nodes[i].inputs) {
            std::vector<int> edge = {input};
            for (int r = rank[static_cast<std::size_t>(input)] + 1; r < rank[i]; ++r) {
                edge.push_back(static_cast<int>(layout.places.size()));
                layout.places.push_back({-1, r, 10, 0, {}, {}});
            }
            edge.push_back(static_cast<int>(i));
            for (std::size_t k = 0; k + 1 < edge.size(); ++k) {
                layout.places[static_cast<std::size_t>(edge[k])].down.push_back(edge[k + 1]);
                layout.places[static_cast<std::size_t>(edge[k + 1])].up.push_back(edge[k]);
            }
            layout.edges.push_back(std::move(edge));
        }
    }
    const int last = rank.empty() ? 0 : *std::max_element(rank.begin(), rank.end());
    layout.layers.resize(static_cast<std::size_t>(last) + 1);
    for (std::size_t i = 0; i < layout.places.size(); ++i) {
        layout.layers[static_cast<std::size_t>(layout.places[i].rank)].push_back(
            static_cast<int>(i));
    }
    return layout;
}

// Pairs of edges that cross between neighbouring layers.
long crossings(const Layout& layout, const std::vector<double>& order) {
    long count = 0;
    for (const auto& layer : layout.layers) {
        std::vector<std::pair<double, double>> edges;
        for (const int a : layer) {
            for (const int b : layout.places[static_cast<std::size_t>(a)].down) {
                edges.emplace_back(order[static_cast<std::size_t>(a)],
                                   order[static_cast<std::size_t>(b)]);
            }
        }
        for (std::size_t i = 0; i < edges.size(); ++i) {
            for (std::size_t j = i + 1; j < edges.size(); ++j) {
                count +=
                    (edges[i].first - edges[j].first) * (edges[i].second - edges[j].second) < 0;
            }
        }
    }
    return count;
}

void order_layers(Layout& layout) {
    std::vector<double> order(layout.places.size());
    const auto number_layers = [&] {
        for (const auto& layer : layout.layers) {
            for (std::size_t i = 0; i < layer.size(); ++i) {
                order[static_cast<std::size_t>(layer[i])] = static_cast<double>(i);
            }
        }
    };
    number_layers();
    auto best = layout.layers;
    long fewest = crossings(layout, order);
    for (int sweep = 0; sweep < 24 && fewest > 0; ++sweep) {
        const bool downwards = sweep % 2 == 0;
        for (std::size_t i = 0; i < layout.layers.size(); ++i) {
            auto& layer = layout.layers[downwards ? i : layout.layers.size() - 1 - i];
            std::vector<double> centre(layout.places.size());
            for (const int p : layer) {
                const auto at = static_cast<std::size_t>(p);
                const auto& beside = downwards ? layout.places[at].up : layout.places[at].down;
                double sum = 0;
                for (const int q : beside) sum += order[static_cast<std::size_t>(q)];
                centre[at] = beside.empty() ? order[at] : sum / static_cast<double>(beside.size());
            }
            std::stable_sort(layer.begin(), layer.end(), [&](int a, int b) {
                return centre[static_cast<std::size_t>(a)] < centre[static_cast<std::size_t>(b)];
            });
            number_layers();
        }
        const long now = crossings(layout, order);
        if (now < fewest) {
            fewest = now;
            best = layout.layers;
        }
    }
    layout.layers = best;
}

bool is_leaf(std::span<const GraphNode> nodes, const Place& place) {
    return place.node >= 0 && nodes[static_cast<std::size_t>(place.node)].inputs.empty();
}

// Moves a layer's places to where they are wanted, as near as the least distances allow: isotonic
// regression by pooling neighbours that would overlap.
void settle(Layout& layout, std::span<const GraphNode> nodes, const std::vector<int>& layer,
            const std::vector<double>& wanted) {
    struct Block {
        double sum, weight;
        std::size_t size;
    };
    std::vector<double> offset(layer.size(), 0);
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < layer.size(); ++i) {
        const Place& here = layout.places[static_cast<std::size_t>(layer[i])];
        if (i > 0) {
            const Place& left = layout.places[static_cast<std::size_t>(layer[i - 1])];
            offset[i] = offset[i - 1] + (left.width + here.width) / 2 + kGapX;
        }
        // Long edges are straight; a parameter makes way for an op.
        const double weight = here.node < 0 ? 6 : is_leaf(nodes, here) ? 0.5 : 3;
        blocks.push_back({weight * (wanted[i] - offset[i]), weight, 1});
        while (blocks.size() > 1) {
            Block& last = blocks.back();
            Block& before = blocks[blocks.size() - 2];
            if (before.sum / before.weight <= last.sum / last.weight) break;
            before = {before.sum + last.sum, before.weight + last.weight, before.size + last.size};
            blocks.pop_back();
        }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
        for (std::size_t k = 0; k < block.size; ++k, ++i) {
            layout.places[static_cast<std::size_t>(layer[i])].x =
                block.sum / block.weight + offset[i];
        }
    }
}

void place(Layout& layout, std::span<const GraphNode> nodes) {
    for (int sweep = 0; sweep < 40; ++sweep) {
        const std::size_t count = layout.layers.size();
        for (std::size_t k = 0; k < count; ++k) {
            const auto& layer = layout.layers[sweep % 2 == 0 ? k : count - 1 - k];
            std::vector<double> wanted;
            for (const int p : layer) {
                const Place& here = layout.places[static_cast<std::size_t>(p)];
                double sum = 0, weight = 0;
                for (const auto* beside : {&here.up, &here.down}) {
                    for (const int q : *beside) {
                        const Place& other = layout.places[static_cast<std::size_t>(q)];
                        // A chain of ops runs straight down, its parameters beside it.
                        const double pull = is_leaf(nodes, other) ? 0.1 : 1;
                        sum += pull * other.x;
                        weight += pull;
                    }
                }
                wanted.push_back(weight > 0 ? sum / weight : here.x);
            }
            settle(layout, nodes, layer, wanted);
        }
    }
    double left = std::numeric_limits<double>::infinity();
    for (const Place& p : layout.places) left = std::min(left, p.x - p.width / 2);
    for (Place& p : layout.places) p.x += kMargin - left;
}

struct Rows {
    std::vector<double> top, height;
};

Rows rows_of(const Layout& layout, std::span<const GraphNode> nodes, double top) {
    Rows rows;
    for (const auto& layer : layout.layers) {
        double height = 30;
        for (const int p : layer) {
            const int node = layout.places[static_cast<std::size_t>(p)].node;
            if (node >= 0 && !nodes[static_cast<std::size_t>(node)].detail.empty()) height = 44;
        }
        rows.top.push_back(top);
        rows.height.push_back(height);
        top += height + kGapY;
    }
    return rows;
}

std::string draw_box(const Place& p, const GraphNode& node, double top, double row_height) {
    const double height = node.detail.empty() ? 30 : 44;
    top += (row_height - height) / 2;
    const std::string_view kind = node.kind == GraphKind::leaf ? "leaf"
                                  : node.kind == GraphKind::op ? "op"
                                                               : "output";
    std::string box = fmt::format(
        "<g><title>{}{}{}</title><rect class=\"box {}\" x=\"{}\" y=\"{}\" width=\"{}\" "
        "height=\"{}\" rx=\"{}\"/>\n",
        escape(node.label), node.detail.empty() ? "" : "\n", escape(node.detail), kind,
        px(p.x - p.width / 2), px(top), px(p.width), px(height),
        node.kind == GraphKind::leaf ? 4 : height / 2);
    box += fmt::format(
        "<text style=\"font-size:13px\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}"
        "</text>\n",
        px(p.x), px(top + (node.detail.empty() ? 19.5 : 19)), escape(shown_label(node)));
    if (!node.detail.empty()) {
        box += svg_text(p.x, top + 35, "soft small", "middle", shown_detail(node));
    }
    return box + "</g>\n";
}

// One edge from the bottom of its input over its bends to the port at its consumer's top.
std::string draw_edge(const Layout& layout, const std::vector<int>& edge, const Rows& rows,
                      std::span<const GraphNode> nodes, double port) {
    const auto& places = layout.places;
    const Place& from = places[static_cast<std::size_t>(edge.front())];
    const Place& to = places[static_cast<std::size_t>(edge.back())];
    const auto edge_of = [&](const Place& p, bool top) {
        const auto rank = static_cast<std::size_t>(p.rank);
        const double height =
            p.node < 0 ? rows.height[rank]
                       : (nodes[static_cast<std::size_t>(p.node)].detail.empty() ? 30 : 44);
        const double slack = (rows.height[rank] - height) / 2;
        return rows.top[rank] + (top ? slack : slack + height);
    };
    double x = from.x, y = edge_of(from, false);
    std::string d = fmt::format("M{} {}", px(x), px(y));
    const double tip = edge_of(to, true) - 1;
    for (std::size_t k = 1; k < edge.size(); ++k) {
        const Place& p = places[static_cast<std::size_t>(edge[k])];
        const bool last = k + 1 == edge.size();
        const double end_x = last ? port : p.x, end_y = last ? tip - 6 : edge_of(p, true);
        const double middle = (y + end_y) / 2;
        d += fmt::format("C{} {} {} {} {} {}", px(x), px(middle), px(end_x), px(middle), px(end_x),
                         px(end_y));
        x = end_x;
        y = end_y;
        if (!last) {
            y = edge_of(p, false);
            d += fmt::format("V{}", px(y));
        }
    }
    return fmt::format(
        "<path class=\"edge\" d=\"{}\"/><path class=\"head\" d=\"M{} {}l-4 -8h8z\"/>\n", d,
        px(port), px(tip));
}

}  // namespace

std::string graph_svg(std::string_view title, std::span<const GraphNode> nodes) {
    Layout layout = make_layers(nodes);
    order_layers(layout);
    place(layout, nodes);
    const double top = title.empty() ? kMargin : 36;
    const Rows rows = rows_of(layout, nodes, top);
    std::string body = title.empty() ? "" : svg_text(0, 18, "title", "start", title);

    // The arrows into a box arrive side by side, in the order in which they come from the left.
    std::vector<std::size_t> by_origin(layout.edges.size());
    std::iota(by_origin.begin(), by_origin.end(), 0u);
    const auto origin = [&](std::size_t e) {
        const auto& edge = layout.edges[e];
        return layout.places[static_cast<std::size_t>(edge[edge.size() - 2])].x;
    };
    std::stable_sort(by_origin.begin(), by_origin.end(),
                     [&](std::size_t a, std::size_t b) { return origin(a) < origin(b); });
    std::vector<int> arrived(nodes.size(), 0);
    for (const std::size_t e : by_origin) {
        const auto target = static_cast<std::size_t>(layout.edges[e].back());
        const Place& box = layout.places[target];
        const auto ports = static_cast<double>(nodes[target].inputs.size());
        const double apart = std::min(16.0, (box.width - 16) / ports);
        const double port = box.x + (arrived[target]++ - (ports - 1) / 2) * apart;
        body += draw_edge(layout, layout.edges[e], rows, nodes, port);
    }
    double width = text_width(title, 15.5);
    for (const Place& p : layout.places) {
        width = std::max(width, p.x + p.width / 2 + kMargin);
        if (p.node < 0) continue;
        const auto rank = static_cast<std::size_t>(p.rank);
        body +=
            draw_box(p, nodes[static_cast<std::size_t>(p.node)], rows.top[rank], rows.height[rank]);
    }
    if (nodes.empty()) body += svg_text(0, top + 14, "soft", "start", "nothing recorded");
    const double height = nodes.empty() ? top + 30 : rows.top.back() + rows.height.back() + kMargin;
    return svg_frame(std::max(width, 120.0), height,
                     fmt::format("{}: {} nodes", title, nodes.size()), body);
}

}  // namespace gradus::report
