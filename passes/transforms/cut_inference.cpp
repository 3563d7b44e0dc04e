#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
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
  const Node* node = graph.producer(value);
  if (node != nullptr && node->op->name == "fit_channels") {
    if (value != node->results.front()) return 0;
    node = graph.producer(node->operands[0]);
  }
  if (node == nullptr) return 0;
  if (node->op->name == "binarize") return 1;
  if (node->op->name != "quantize") return 0;
  const std::int64_t steps = node->attributes.integer("hi") - node->attributes.integer("lo") + 1;
  std::int64_t bits = 1;
  while ((std::int64_t{1} << bits) < steps) ++bits;
  return bits;
}

// What stays in the deployment graph: what depends on the inputs, and the dequantization of packed weights that float layers read, so that
// an artifact holds the integers.
std::vector<bool> deployed_values(const Graph& graph) {
  std::vector<bool> deployed = depends_on_inputs(graph);
  for (const Node& node : graph.nodes()) {
    if (node.op->name == "dequantize" && packed_bits(graph, node.operands[0]) > 0)
      deployed[static_cast<std::size_t>(node.results.front())] = true;
  }
  return deployed;
}

Result cut_deployment(const Graph& graph, const std::vector<bool>& depends) {
  Graph deployed;
  deployed.name = graph.name;
  std::vector<ValueId> map(graph.values().size(), ir::absent);
  const auto mapped = [&](ValueId old) { return old == ir::absent ? ir::absent : map[static_cast<std::size_t>(old)]; };
  for (const ValueId input : graph.inputs()) {
    map[static_cast<std::size_t>(input)] = deployed.add_input(graph.value(input).name, graph.type(input));
  }
  for (const ValueId value : frontier(graph, depends)) {
    ir::State state;
    state.role = ir::StateRole::constant;
    state.initializer.kind = ir::Initializer::Kind::external;
    if (const std::int64_t bits = packed_bits(graph, value); bits > 0) state.attributes.set("bits", bits);
    map[static_cast<std::size_t>(value)] = deployed.add_state(graph.value(value).name, graph.type(value), state);
  }
  for (const Node& node : graph.nodes()) {
    if (!depends[static_cast<std::size_t>(node.results.front())]) continue;
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(mapped(operand));
    const Node& made = deployed.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = made.results[i];
  }
  for (const ir::Output& output : graph.outputs()) deployed.add_output(output.name, mapped(output.value));
  return {std::move(deployed), {"kept what depends on the inputs"}};
}

Result cut_constants(const Graph& graph, const std::vector<bool>& depends) {
  Graph constants;
  constants.name = graph.name + ".constants";
  std::vector<ValueId> map(graph.values().size(), ir::absent);
  for (const ir::State& state : graph.states()) {
    map[static_cast<std::size_t>(state.value)] = constants.add_state(graph.value(state.value).name, graph.type(state.value), state);
  }
  for (const Node& node : graph.nodes()) {
    if (depends[static_cast<std::size_t>(node.results.front())]) continue;
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands)
      operands.push_back(operand == ir::absent ? ir::absent : map[static_cast<std::size_t>(operand)]);
    const Node& made = constants.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = made.results[i];
  }
  for (const ValueId value : frontier(graph, depends)) constants.add_output(graph.value(value).name, map[static_cast<std::size_t>(value)]);
  return {std::move(constants), {"kept what no input reaches"}};
}

}  // namespace

void cut_inference(PassRegistry& registry) {
  registry.add(
      {.name = "cut_inference",
       .summary =
           "Cuts a realized inference graph into the deployment graph (part=deploy) and the graph that computes its constants from the "
           "trained states (part=constants).",
       .options = {{"part", "'deploy' or 'constants'", std::string("deploy")}},
       .run = [](const Graph& graph, const ir::Attributes& options) {
         const std::string& part = options.text("part");
         if (part != "deploy" && part != "constants") {
           throw Error("pass 'cut_inference': part is '" + part + "', expected 'deploy' or 'constants'");
         }
         const std::vector<bool> depends = deployed_values(graph);
         return part == "deploy" ? cut_deployment(graph, depends) : cut_constants(graph, depends);
       }});
}

}  // namespace stair::passes
