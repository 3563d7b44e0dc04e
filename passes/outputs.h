#pragma once

#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// The graph with these values as its outputs, each once under its own name, and only the nodes that they need. No updates, no other
/// outputs.
ir::Graph with_outputs(const ir::Graph& graph, const std::vector<ir::ValueId>& values);

/// Whether passes give such a name to outputs of a training step: "loss", "grad:conv.weight". Models have none of that name.
bool is_output_of_training(std::string_view output);

}  // namespace stair::passes
