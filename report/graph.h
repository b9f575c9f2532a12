// A recorded tape as a drawing: boxes in layers, arrows from inputs to outputs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::report {

enum class GraphKind { leaf, op, output };

// One box. `inputs` are positions of earlier nodes; one that occurs twice gets two arrows.
struct GraphNode {
    std::string label;   // matmul, or the name of a parameter
    std::string detail;  // its shape, value or gradient: a second, smaller line; may be empty
    std::vector<int> inputs;
    GraphKind kind = GraphKind::op;
};

// The nodes, in topological order, from top to bottom. Meant for up to about sixty of them.
// Errors: an input that is not the position of an earlier node.
std::string graph_svg(std::string_view title, std::span<const GraphNode> nodes);

}  // namespace gradus::report
