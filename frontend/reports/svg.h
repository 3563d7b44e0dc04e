#pragma once

#include <string>

#include "ir/graph.h"

namespace stair::reports {

/// A picture of the graph, from top to bottom, as an SVG document: a box for each input and node with its op, its name and the type of its
/// first result (blue: integers; a thick frame: an output of the graph), a line for each operand. States (weights, statistics) are left
/// out. The same graph gives the same text.
std::string to_svg(const ir::Graph& graph);

}  // namespace stair::reports
