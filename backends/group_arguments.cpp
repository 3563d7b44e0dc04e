#include "backends/group_arguments.h"

namespace stair::backends {

GroupArguments::GroupArguments(const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  const ir::Uses uses(graph);
  std::size_t operand = 0;
  for (const ir::NodeId id : nodes) {
    const ir::Node& node = graph.node(id);
    operands_.emplace(id, operand);
    operand += node.operands.size();
    for (const ir::ValueId result : node.results) {
      if (!uses.within(result, nodes)) results_.emplace(result, results_.size());
    }
  }
}

std::optional<std::size_t> GroupArguments::result(ir::ValueId value) const {
  const auto it = results_.find(value);
  return it == results_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace stair::backends
