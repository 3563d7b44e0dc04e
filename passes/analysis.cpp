#include "passes/analysis.h"

#include <algorithm>

#include "ir/op.h"

namespace stair::passes {

std::vector<bool> depends_on_inputs(const ir::Graph& graph) {
  std::vector<bool> depends(graph.values().size(), false);
  for (const ir::ValueId input : graph.inputs()) depends[static_cast<std::size_t>(input)] = true;
  for (const ir::Node& node : graph.nodes()) {
    const bool any = std::any_of(node.operands.begin(), node.operands.end(),
                                 [&](ir::ValueId operand) { return operand != ir::absent && depends[static_cast<std::size_t>(operand)]; });
    for (const ir::ValueId result : node.results) depends[static_cast<std::size_t>(result)] = any;
  }
  return depends;
}

bool takes_batch_norm(const ir::Node& layer) {
  return layer.op->name == "conv2d" || layer.op->name == "linear";
}

ir::ValueId latent_weight(const ir::Graph& graph, ir::ValueId weight) {
  // A folded weight is the weight times a factor: the weight stands first.
  while (const ir::Node* producer = graph.producer(weight)) weight = producer->operands.front();
  return graph.state(weight) == nullptr ? ir::absent : weight;
}

}  // namespace stair::passes
