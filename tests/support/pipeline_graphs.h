#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ir/graph.h"

namespace stair::tests {

/// Called with a graph and what it is ("random_net(3), quantized_training of 'int8'").
using GraphVisitor = std::function<void(const ir::Graph& graph, const std::string& what)>;

/// Visits small_lenet, small_mixed_net and random_net(0) to random_net(nets - 1): the models, and what every pipeline makes of them under
/// every built-in recipe (the random ones: under one of them in turn).
void for_each_pipeline_graph(std::uint64_t nets, const GraphVisitor& visit);

}  // namespace stair::tests
