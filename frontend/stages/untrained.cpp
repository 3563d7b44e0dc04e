#include "frontend/stages/untrained.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace stair::stages {
namespace {

constexpr std::size_t most_named = 4;

// By ValueId: whether one of the values depends on it.
std::vector<bool> read_by(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
  std::vector<bool> read(graph.values().size(), false);
  for (const ir::ValueId value : values) read[static_cast<std::size_t>(value)] = true;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    if (std::none_of(node->results.begin(), node->results.end(),
                     [&](ir::ValueId result) { return read[static_cast<std::size_t>(result)]; }))
      continue;
    for (const ir::ValueId operand : node->operands) {
      if (operand != ir::absent) read[static_cast<std::size_t>(operand)] = true;
    }
  }
  return read;
}

}  // namespace

std::string untrained_parameters(const readers::Experiment& experiment) {
  const ir::Graph& model = experiment.model;
  std::vector<ir::ValueId> trained;
  for (const readers::Objective& objective : experiment.objectives) trained.push_back(objective.in(model).value);
  const std::vector<bool> read = read_by(model, trained);
  std::vector<ir::ValueId> untrained;
  std::vector<std::string> names;
  for (const ir::State& state : model.states()) {
    if (state.role != ir::StateRole::parameter || read[static_cast<std::size_t>(state.value)]) continue;
    untrained.push_back(state.value);
    names.push_back(model.value(state.value).name);
  }
  if (names.empty()) return "";
  std::vector<std::string> outputs;
  for (const ir::Output& output : model.outputs()) {
    const std::vector<bool> its = read_by(model, {output.value});
    const auto reads = [&](ir::ValueId parameter) { return its[static_cast<std::size_t>(parameter)]; };
    if (std::any_of(untrained.begin(), untrained.end(), reads)) outputs.push_back(output.name);
  }
  const std::size_t more = names.size() - std::min(names.size(), most_named);
  names.resize(names.size() - more);
  return fmt::format("not trained: '{}'{}, which only the output{} without a loss read{} ('{}'), and which stay as they are\n",
                     fmt::join(names, "', '"), more > 0 ? fmt::format(" and {} more", more) : "", outputs.size() > 1 ? "s" : "",
                     outputs.size() > 1 ? "" : "s", fmt::join(outputs, "', '"));
}

}  // namespace stair::stages
