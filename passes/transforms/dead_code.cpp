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

  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  std::vector<std::string> changes;
  rewriter.copy_inputs();
  for (const ir::State& state : graph.states()) {
    if (is_live(state.value)) {
      rewriter.copy_state(state);
    } else {
      changes.push_back("removed the state '" + graph.value(state.value).name + "'");
    }
  }
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const ir::Node& node = graph.nodes()[n];
    if (kept[n]) {
      rewriter.copy(node);
    } else {
      changes.push_back("removed '" + node.name + "'");
    }
  }
  return {rewriter.finish(), std::move(changes)};
}

}  // namespace

void dead_code(PassRegistry& registry) {
  registry.add({.name = "dead_code",
                .summary = "Removes what reaches no output and no update. Inputs stay: they are the graph's interface.",
                .run = [](const ir::Graph& graph, const ir::Attributes&) { return run_dead_code(graph); }});
}

}  // namespace stair::passes
