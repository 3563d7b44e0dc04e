#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "passes/analysis.h"
#include "passes/pass.h"

// Cuts a realized graph in two along what is known before deployment:
//   part=deploy:    inputs to outputs; every value that no input reaches is a `constant` state that carries the value's name
//   part=constants: no inputs; one output for each of those states, named alike
// Running the second once gives the first its tensors. Nothing is converted: the same nodes compute the same bits (numerics.md, "How
// training runs on it", 4).

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

// The values that no input reaches and a node that some input reaches reads (or an output yields), in order.
std::vector<ValueId> frontier(const Graph& graph, const std::vector<bool>& depends) {
  std::vector<bool> seen(graph.values().size(), false);
  std::vector<ValueId> values;
  const auto visit = [&](ValueId value) {
    const auto i = static_cast<std::size_t>(value);
    if (value == ir::absent || depends[i] || seen[i]) return;
    seen[i] = true;
    values.push_back(value);
  };
  for (const Node& node : graph.nodes()) {
    if (!depends[static_cast<std::size_t>(node.results.front())]) continue;
    for (const ValueId operand : node.operands) visit(operand);
  }
  for (const ir::Output& output : graph.outputs()) visit(output.value);
  return values;
}

// Bits that hold every integer of a quantized weight: an artifact packs it at this width. 0 for what isn't packed.
std::int64_t packed_bits(const Graph& graph, ValueId value) {
  while (const Node* node = graph.producer(value)) {
    const ir::OperandSpec& result = node->op->results[static_cast<std::size_t>(graph.value(value).result)];
    if (result.packed_bits) return result.packed_bits(node->attributes);
    if (!result.fitted_from) return 0;
    value = node->operands[*result.fitted_from];
  }
  return 0;
}

// What stays in the deployment graph: what depends on the inputs, and floats that are made of packed weights (their dequantization, for
// float layers), so that an artifact holds the integers; and what is made of these.
std::vector<bool> deployed_values(const Graph& graph) {
  std::vector<bool> deployed = depends_on_inputs(graph);
  for (const Node& node : graph.nodes()) {
    const bool packed = std::any_of(node.operands.begin(), node.operands.end(), [&](ValueId of) { return packed_bits(graph, of) > 0; });
    const bool stays = std::any_of(node.operands.begin(), node.operands.end(),
                                   [&](ValueId of) { return of != ir::absent && deployed[static_cast<std::size_t>(of)]; });
    if (!stays && !(packed && ir::is_float(graph.type(node.results.front()).dtype))) continue;
    for (const ValueId result : node.results) deployed[static_cast<std::size_t>(result)] = true;
  }
  return deployed;
}

Result cut_deployment(const Graph& graph, const std::vector<bool>& depends) {
  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  rewriter.copy_inputs();
  for (const ValueId value : frontier(graph, depends)) {
    ir::State state;
    state.value = value;
    state.role = ir::StateRole::constant;
    state.initializer.kind = ir::Initializer::Kind::external;
    if (const std::int64_t bits = packed_bits(graph, value); bits > 0) state.attributes.set("bits", bits);
    rewriter.copy_state(state);
  }
  for (const Node& node : graph.nodes()) {
    if (depends[static_cast<std::size_t>(node.results.front())]) rewriter.copy(node);
  }
  return {rewriter.finish(false), {"kept what depends on the inputs"}};
}

Result cut_constants(const Graph& graph, const std::vector<bool>& depends) {
  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  for (const ir::State& state : graph.states()) rewriter.copy_state(state);
  for (const Node& node : graph.nodes()) {
    if (!depends[static_cast<std::size_t>(node.results.front())]) rewriter.copy(node);
  }
  Graph& constants = rewriter.graph();
  constants.name = graph.name + ".constants";
  for (const ValueId value : frontier(graph, depends)) constants.add_output(graph.value(value).name, rewriter(value));
  return {std::move(constants), {"kept what no input reaches"}};
}

}  // namespace

void cut_inference(PassRegistry& registry) {
  registry.add(
      {.name = "cut_inference",
       .summary =
           "Cuts a realized inference graph into the deployment graph (part=deploy) and the graph that computes its constants from the "
           "trained states (part=constants).",
       .options = {ir::choice("part", "of the graph", {"deploy", "constants"})},
       .run = [](const Graph& graph, const ir::Attributes& options) {
         const std::vector<bool> depends = deployed_values(graph);
         return options.text("part") == "deploy" ? cut_deployment(graph, depends) : cut_constants(graph, depends);
       }});
}

}  // namespace stair::passes
