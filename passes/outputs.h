#pragma once

#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// The graph with these values as its outputs, each under its own name, and only the nodes that they need. No updates, no other outputs.
ir::Graph with_outputs(const ir::Graph& graph, const std::vector<ir::ValueId>& values);

}  // namespace stair::passes
