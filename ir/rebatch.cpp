#include "ir/rebatch.h"

#include <utility>
#include <vector>

#include "ir/op.h"

namespace stair::ir {

Graph with_batch(const Graph& graph, std::int64_t batch) {
  Graph made = Graph::like(graph);
  std::vector<ValueId> map(graph.values().size(), absent);
  const auto mapped = [&](ValueId old) { return old == absent ? absent : map[static_cast<std::size_t>(old)]; };
  for (const ValueId input : graph.inputs()) {
    Type type = graph.type(input);
    if (!type.shape.empty()) type.shape.front() = batch;
    map[static_cast<std::size_t>(input)] = made.add_input(graph.value(input).name, std::move(type));
  }
  for (const State& state : graph.states()) {
    map[static_cast<std::size_t>(state.value)] = made.add_state(graph.value(state.value).name, graph.type(state.value), state);
  }
  for (const Node& node : graph.nodes()) {
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(mapped(operand));
    const Node& copy = made.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = copy.results[i];
  }
  for (const Output& output : graph.outputs()) made.add_output(output.name, mapped(output.value));
  for (const Update& update : graph.updates()) made.add_update(mapped(update.state), mapped(update.value));
  return made;
}

}  // namespace stair::ir
