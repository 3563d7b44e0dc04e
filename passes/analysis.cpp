#include "passes/analysis.h"

#include <algorithm>

#include "ir/op.h"

namespace stair::passes {

std::vector<bool> depends_on(const ir::Graph& graph, std::vector<bool> depends) {
  for (const ir::Node& node : graph.nodes()) {
    const bool any = std::any_of(node.operands.begin(), node.operands.end(),
                                 [&](ir::ValueId operand) { return operand != ir::absent && depends[static_cast<std::size_t>(operand)]; });
    for (const ir::ValueId result : node.results) depends[static_cast<std::size_t>(result)] = any;
  }
  return depends;
}

std::vector<bool> depends_on_inputs(const ir::Graph& graph) {
  std::vector<bool> inputs(graph.values().size(), false);
  for (const ir::ValueId input : graph.inputs()) inputs[static_cast<std::size_t>(input)] = true;
  return depends_on(graph, std::move(inputs));
}

bool has_channels(const ir::Node& node) {
  const ir::IntegerForm& form = node.op->integer;
  return form.kind == ir::IntegerForm::Kind::accumulate && !ir::op(form.integer_op).integer.factors.at(1).zero_point;
}

bool takes_batch_norm(const ir::Graph& graph, const ir::Node& node) {
  if (!has_channels(node)) return false;
  const auto rank = static_cast<std::int64_t>(graph.type(node.results.front()).shape.size());
  return (node.op->integer.channel_axis + rank) % rank == 1;
}

ir::ValueId latent_weight(const ir::Graph& graph, ir::ValueId weight) {
  // A folded weight is the weight times a factor: the weight stands first.
  while (const ir::Node* producer = graph.producer(weight)) weight = producer->operands.front();
  return graph.state(weight) == nullptr ? ir::absent : weight;
}

}  // namespace stair::passes
