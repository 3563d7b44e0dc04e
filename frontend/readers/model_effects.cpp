#include "frontend/readers/model_effects.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "ir/examples.h"
#include "ir/index_inputs.h"
#include "ir/op.h"

namespace stair::readers {

std::string place_of(const ir::Graph& graph, ir::ValueId value, const Places& places) {
  const auto it = places.find(graph.value(value).name);
  return it == places.end() ? "/layers" : it->second;
}

void check_examples_apart(const ir::Graph& graph, const Json& model, const Places& places, const ModelFaults& faults) {
  const std::optional<ir::Meeting> meeting = ir::where_examples_meet(graph);
  if (!meeting) return;
  if (meeting->node != ir::absent) faults.fail(places.at(graph.node(meeting->node).name), meeting->message);
  for (const char* key : {"output", "outputs"}) {
    if (model.contains(key)) faults.fail(std::string("/") + key, meeting->message);
  }
  faults.fail(place_of(graph, graph.outputs().front().value, places), meeting->message);
}

void check_effects(const ir::Graph& graph, const Json& model, ir::ValueId last, const Places& places, const ModelFaults& faults) {
  std::vector<bool> read(graph.values().size(), false);  // by anyone
  std::vector<bool> used(graph.values().size(), false);  // by what leads to an output
  for (const ir::Output& output : graph.outputs())
    read[static_cast<std::size_t>(output.value)] = used[static_cast<std::size_t>(output.value)] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    for (const ir::ValueId operand : node->operands) {
      if (operand == ir::absent) continue;
      read[static_cast<std::size_t>(operand)] = true;
      if (used[static_cast<std::size_t>(node->results.front())]) used[static_cast<std::size_t>(operand)] = true;
    }
  }
  std::vector<std::string> outputs;
  for (const ir::Output& output : graph.outputs()) outputs.push_back(graph.value(output.value).name);
  const std::string but = fmt::format("the output{} '{}'", outputs.size() == 1 ? " is" : "s are", fmt::join(outputs, "', '"));
  for (const ir::ValueId input : graph.inputs()) {
    const std::string& name = graph.value(input).name;
    if (const std::string expected = ir::expected_input(graph, input); used[static_cast<std::size_t>(input)] && !expected.empty())
      faults.fail(places.at(name), fmt::format("the input '{}' is {}, expected {}", name, to_string(graph.type(input)), expected));
    if (!used[static_cast<std::size_t>(input)] && graph.inputs().size() > 1)
      faults.has_no_effect(places.at(name),
                           fmt::format("the input '{}' has no effect: nothing that leads to an output reads it; {}", name, but));
  }
  for (const ir::Node& node : graph.nodes()) {
    if (read[static_cast<std::size_t>(node.results.front())]) continue;
    // Who names an output has cut off what stands below it.
    if ((model.contains("output") || model.contains("outputs")) && node.results.front() > last) break;
    faults.has_no_effect(places.at(node.name),
                         fmt::format("{} '{}' has no effect: no layer reads it, and {}", node.op->name, node.name, but));
  }
}

}  // namespace stair::readers
