#include <string>
#include <utility>
#include <vector>

#include "passes/pass.h"

// %w = state parameter …   ->   %w = state constant …, for every state; without updates

namespace stair::passes {
namespace {

Result freeze(const ir::Graph& graph) {
  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  std::vector<std::string> changes;
  rewriter.copy_inputs();
  for (ir::State state : graph.states()) {
    if (state.role != ir::StateRole::constant) changes.push_back("froze '" + graph.value(state.value).name + "'");
    state.role = ir::StateRole::constant;
    rewriter.copy_state(state);
  }
  for (const ir::Node& node : graph.nodes()) rewriter.copy(node);
  return {rewriter.finish(false), std::move(changes)};
}

}  // namespace

void freeze_states(PassRegistry& registry) {
  registry.add(
      {.name = "freeze_states",
       .summary = "Every state becomes a constant, which kernels may prepare once. On inference graphs that nothing trains any more.",
       .run = [](const ir::Graph& graph, const ir::Attributes&) { return freeze(graph); }});
}

}  // namespace stair::passes
