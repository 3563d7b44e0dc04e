#include "passes/outputs.h"

#include "ir/op.h"

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
  ir::Graph made = ir::Graph::like(graph);
  std::vector<ir::ValueId> map(graph.values().size(), ir::absent);
  for (const ir::ValueId input : graph.inputs()) {
    map[static_cast<std::size_t>(input)] = made.add_input(graph.value(input).name, graph.type(input));
  }
  for (const ir::State& state : graph.states()) {
    if (!needed[static_cast<std::size_t>(state.value)]) continue;
    map[static_cast<std::size_t>(state.value)] = made.add_state(graph.value(state.value).name, graph.type(state.value), state);
  }
  for (const ir::Node& node : graph.nodes()) {
    if (!needed[static_cast<std::size_t>(node.results.front())]) continue;
    std::vector<ir::ValueId> operands;
    for (const ir::ValueId operand : node.operands)
      operands.push_back(operand == ir::absent ? ir::absent : map[static_cast<std::size_t>(operand)]);
    const ir::Node& copy = made.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = copy.results[i];
  }
  for (const ir::ValueId value : values) made.add_output(graph.value(value).name, map[static_cast<std::size_t>(value)]);
  return made;
}

}  // namespace stair::passes
