#include "ir/check_data.h"

#include <algorithm>

#include "ir/op.h"

namespace stair::ir {
void check_data(const Graph& graph, const std::function<TensorView(const State&)>& constant) {
  for (const Node& node : graph.nodes()) {
    if (!node.op->check_data) continue;
    DataContext context{{*node.op, node.name, node.attributes, {}}, {}, {}};
    for (std::size_t i = 0; i < std::max(node.operands.size(), node.op->operands.size()); ++i) {
      const ValueId operand = i < node.operands.size() ? node.operands[i] : absent;
      const State* state = operand == absent ? nullptr : graph.state(operand);
      context.operands.push_back(operand == absent ? nullptr : &graph.type(operand));
      context.constants.push_back(state == nullptr ? TensorView{} : constant(*state));
      context.computed.push_back(operand == absent ? Limits{} : limits_of(graph, operand));
    }
    node.op->check_data(context);
  }
}

}  // namespace stair::ir
