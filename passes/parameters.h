#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// Whether the pattern, with '*' and '?', means the parameter: by its name, or by that of the weights whose quantizer it is trained for
/// (State, `follows`).
bool means(const std::string& pattern, const ir::Graph& graph, const ir::State& parameter);
/// Whether any of them does.
bool mean(const std::vector<std::string>& patterns, const ir::Graph& graph, const ir::State& parameter);

}  // namespace stair::passes
