#include "passes/float_nodes.h"

#include <algorithm>

#include "ir/op.h"

namespace stair::passes {
namespace {

using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::ValueId;

// Integer arithmetic that reads or yields floats.
bool is_edge(const Node& node) {
  return node.op->integer.kind == IntegerForm::Kind::integer;
}

bool yields_floats(const Graph& graph, const Node& node) {
  return ir::is_float(graph.type(node.results.front()).dtype);
}

std::string reason_of(const Graph& graph, const Node& node) {
  // A layer's weights are floats only where the recipe leaves it alone.
  const IntegerForm& form = node.op->integer;
  if (form.kind == IntegerForm::Kind::accumulate) {
    const Node* weight = graph.producer(node.operands[form.weight]);
    if (weight == nullptr || !is_edge(*weight)) return "an override of the recipe skips it, or its layer says so";
  }
  for (const ValueId operand : node.operands) {
    const Node* producer = graph.producer(operand);
    if (producer != nullptr && yields_floats(graph, *producer) && !is_edge(*producer))
      return "reads '" + producer->name + "', which is float";
  }
  switch (form.kind) {
    case IntegerForm::Kind::none:
      return form.note;
    case IntegerForm::Kind::normalize:
    case IntegerForm::Kind::affine:
      return "batch-norm behind which no quantizer stands, or that the recipe keeps in float";
    case IntegerForm::Kind::rows:
      return "no quantizer stands behind it, or the recipe keeps it in float";
    case IntegerForm::Kind::accumulate:
      return "its input isn't quantized";
    default:
      return "no quantizer stands behind it, or an override of the recipe skips it";
  }
}

}  // namespace

std::vector<FloatNode> float_nodes(const Graph& deployment) {
  std::vector<bool> behind(deployment.values().size(), false);  // integers
  std::vector<bool> before(deployment.values().size(), false);
  const auto at = [](std::vector<bool>& of, ValueId value) { return of[static_cast<std::size_t>(value)]; };
  for (const Node& node : deployment.nodes()) {
    bool any = !yields_floats(deployment, node) && !node.operands.empty();
    for (const ValueId operand : node.operands)
      any = any || (operand != ir::absent && deployment.state(operand) == nullptr && at(behind, operand));
    for (const ValueId result : node.results) behind[static_cast<std::size_t>(result)] = any;
  }
  for (auto node = deployment.nodes().rbegin(); node != deployment.nodes().rend(); ++node) {
    bool any = !yields_floats(deployment, *node);
    for (const ValueId result : node->results) any = any || at(before, result);
    for (const ValueId operand : node->operands) {
      if (operand != ir::absent && any) before[static_cast<std::size_t>(operand)] = true;
    }
  }
  std::vector<FloatNode> found;
  for (const Node& node : deployment.nodes()) {
    const ValueId result = node.results.front();
    if (!yields_floats(deployment, node) || is_edge(node) || !at(behind, result)) continue;
    found.push_back({node.name, node.op->name, reason_of(deployment, node), at(before, result)});
  }
  return found;
}

std::string describe_float_islands(const Graph& deployment) {
  const auto integers = [&](const Node& node) { return !yields_floats(deployment, node); };
  if (std::none_of(deployment.nodes().begin(), deployment.nodes().end(), integers)) {
    return "float: all activations, which the recipe doesn't quantize\n";
  }
  std::string text;
  for (const FloatNode& node : float_nodes(deployment)) {
    if (node.before_quantizer) text += "float between quantizers: '" + node.node + "' (" + node.op + "): " + node.reason + "\n";
  }
  return text;
}

}  // namespace stair::passes
