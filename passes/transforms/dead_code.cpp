#include <string>
#include <utility>
#include <vector>

#include "passes/pass.h"

// A node whose results reach no output and no update goes; so does a state that nobody reads or updates.

namespace stair::passes {
namespace {

Result run_dead_code(const ir::Graph& graph) {
  std::vector<bool> live(graph.values().size(), false);
  const auto mark = [&](ir::ValueId value) {
    if (value != ir::absent) live[static_cast<std::size_t>(value)] = true;
  };
  const auto is_live = [&](ir::ValueId value) { return live[static_cast<std::size_t>(value)]; };
  for (const ir::Output& output : graph.outputs()) mark(output.value);
  for (const ir::Update& update : graph.updates()) {
    mark(update.state);
    mark(update.value);
  }
  std::vector<bool> kept(graph.nodes().size(), false);
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const ir::Node& node = graph.nodes()[n];
    for (const ir::ValueId result : node.results) kept[n] = kept[n] || is_live(result);
    if (!kept[n]) continue;
    for (const ir::ValueId operand : node.operands) mark(operand);
  }

  Result result{ir::Graph::like(graph), {}};
  ir::Graph& target = result.graph;
  std::vector<ir::ValueId> map(graph.values().size(), ir::absent);
  const auto mapped = [&](ir::ValueId old) { return old == ir::absent ? ir::absent : map[static_cast<std::size_t>(old)]; };
  for (const ir::ValueId input : graph.inputs()) {
    map[static_cast<std::size_t>(input)] = target.add_input(graph.value(input).name, graph.type(input));
  }
  for (const ir::State& state : graph.states()) {
    const std::string& name = graph.value(state.value).name;
    if (is_live(state.value)) {
      map[static_cast<std::size_t>(state.value)] = target.add_state(name, graph.type(state.value), state);
    } else {
      result.changes.push_back("removed the state '" + name + "'");
    }
  }
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const ir::Node& node = graph.nodes()[n];
    if (!kept[n]) {
      result.changes.push_back("removed '" + node.name + "'");
      continue;
    }
    std::vector<ir::ValueId> operands;
    for (const ir::ValueId operand : node.operands) operands.push_back(mapped(operand));
    const ir::Node& made = target.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = made.results[i];
  }
  for (const ir::Output& output : graph.outputs()) target.add_output(output.name, mapped(output.value));
  for (const ir::Update& update : graph.updates()) target.add_update(mapped(update.state), mapped(update.value));
  return result;
}

}  // namespace

void dead_code(PassRegistry& registry) {
  registry.add({.name = "dead_code",
                .summary = "Removes what reaches no output and no update. Inputs stay: they are the graph's interface.",
                .options = {},
                .run = [](const ir::Graph& graph, const ir::Attributes&) { return run_dead_code(graph); }});
}

}  // namespace stair::passes
