#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/pass.h"

// %w = state parameter …   ->   %w = state constant …, for every state; without updates

namespace stair::passes {
namespace {

using ir::Graph;
using ir::ValueId;

Result freeze(const Graph& graph) {
  Result result{Graph::like(graph), {}};
  Graph& frozen = result.graph;
  std::vector<ValueId> map(graph.values().size(), ir::absent);
  const auto mapped = [&](ValueId old) { return old == ir::absent ? ir::absent : map[static_cast<std::size_t>(old)]; };
  for (const ValueId input : graph.inputs()) {
    map[static_cast<std::size_t>(input)] = frozen.add_input(graph.value(input).name, graph.type(input));
  }
  for (ir::State state : graph.states()) {
    const ir::Value& value = graph.value(state.value);
    if (state.role != ir::StateRole::constant) result.changes.push_back("froze '" + value.name + "'");
    state.role = ir::StateRole::constant;
    map[static_cast<std::size_t>(graph.find(value.name))] = frozen.add_state(value.name, value.type, state);
  }
  for (const ir::Node& node : graph.nodes()) {
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(mapped(operand));
    const ir::Node& copy = frozen.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = copy.results[i];
  }
  for (const ir::Output& output : graph.outputs()) frozen.add_output(output.name, mapped(output.value));
  return result;
}

}  // namespace

void freeze_states(PassRegistry& registry) {
  registry.add(
      {.name = "freeze_states",
       .summary = "Every state becomes a constant, which kernels may prepare once. On inference graphs that nothing trains any more.",
       .options = {},
       .run = [](const Graph& graph, const ir::Attributes&) { return freeze(graph); }});
}

}  // namespace stair::passes
