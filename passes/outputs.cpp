#include "passes/outputs.h"

#include <utility>

namespace stair::passes {

ir::Graph with_outputs(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
  std::vector<bool> needed(graph.values().size(), false);
  for (const ir::ValueId value : values) needed[static_cast<std::size_t>(value)] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    bool any = false;
    for (const ir::ValueId result : node->results) any = any || needed[static_cast<std::size_t>(result)];
    if (!any) continue;
    for (const ir::ValueId result : node->results) needed[static_cast<std::size_t>(result)] = true;
    for (const ir::ValueId operand : node->operands) {
      if (operand != ir::absent) needed[static_cast<std::size_t>(operand)] = true;
    }
  }
  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  rewriter.copy_inputs();
  for (const ir::State& state : graph.states()) {
    if (needed[static_cast<std::size_t>(state.value)]) rewriter.copy_state(state);
  }
  for (const ir::Node& node : graph.nodes()) {
    if (needed[static_cast<std::size_t>(node.results.front())]) rewriter.copy(node);
  }
  for (const ir::ValueId value : values) rewriter.graph().add_output(graph.value(value).name, rewriter(value));
  return std::move(rewriter.graph());
}

}  // namespace stair::passes
