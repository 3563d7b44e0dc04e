#include "frontend/readers/deployed.h"

#include <fmt/format.h>

#include <utility>

#include "ir/check_data.h"
#include "ir/error.h"
#include "ir/index_inputs.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/analysis.h"

namespace stair::readers {
namespace {

void check_ops(const ir::Graph& graph, const std::string& where) {
  for (const ir::State& state : graph.states()) {
    if (state.role == ir::StateRole::constant) continue;
    throw Error(fmt::format("{}: '{}' is a {}, expected constants only", where, graph.value(state.value).name, name_of(state.role)));
  }
  for (const ir::Node& node : graph.nodes()) {
    if (!node.op->deployed) throw Error(fmt::format("{}: {} '{}': is no op of a deployed graph", where, node.op->name, node.name));
  }
}

void check_ends(const ir::Graph& graph, const std::string& where) {
  if (graph.inputs().empty() || graph.outputs().empty())
    throw Error(fmt::format("{}: has {} inputs and {} outputs, expected at least one of each", where, graph.inputs().size(),
                            graph.outputs().size()));
  for (const ir::ValueId id : graph.inputs()) {
    const ir::Value& input = graph.value(id);
    if (ir::expected_input(graph, id).empty() && input.type.shape.front() == 1) continue;
    throw Error(fmt::format("{}: its input '{}' is {}, expected f32[1,...], or i32[1,...] that an embedding reads", where, input.name,
                            to_string(input.type)));
  }
  const std::vector<bool> depends = passes::depends_on_inputs(graph);
  for (const ir::Output& end : graph.outputs()) {
    const ir::Value& output = graph.value(end.value);
    const ir::DType dtype = output.type.dtype;
    const bool position = ir::is_position(graph, end.value);
    const bool readable = dtype == ir::DType::f32 || dtype == ir::DType::s8 || dtype == ir::DType::u8 || position;
    if (!readable || output.type.shape.size() < (position ? 1 : 2) || output.type.shape.front() != 1) {
      throw Error(fmt::format("{}: its output '{}' is {}, expected f32, s8 or u8 [1,...], or what argmax yields", where, output.name,
                              to_string(output.type)));
    }
    if (depends[static_cast<std::size_t>(end.value)]) continue;
    throw Error(fmt::format("{}: its output '{}' doesn't depend on an input", where, output.name));
  }
}

}  // namespace

Deployed load_deployed(const std::string& path) {
  Deployed deployed{runtime::load_artifact(path), path, {}};
  const std::string where = path + " (graph)";
  check_ops(deployed.graph, where);
  check_ends(deployed.graph, where);
  const auto constant = [&](const std::string& name) {
    const auto it = deployed.constants.find(name);
    return it == deployed.constants.end() ? ir::TensorView{} : it->second.view();
  };
  try {
    ir::check_data(deployed.graph, [&](const ir::State& state) { return constant(deployed.graph.value(state.value).name); });
    deployed.bounds = passes::prove_accumulators(deployed.graph, constant);
  } catch (const Error& error) {
    throw Error(where + ": " + error.what());
  }
  return deployed;
}

ir::Graph at_batch(const Deployed& deployed, std::int64_t batch) {
  const std::string where = deployed.path + " (graph)";
  ir::Graph graph = [&] {
    try {
      return ir::with_batch(deployed.graph, batch);
    } catch (const Error& error) {
      throw Error(fmt::format("{}: can't be run at a batch of {}: {}", where, batch, error.what()));
    }
  }();
  for (const ir::Output& end : graph.outputs()) {
    const ir::Value& output = graph.value(end.value);
    if (output.type.shape.front() == batch) continue;
    throw Error(fmt::format("{}: its output '{}' is {} at a batch of {}, expected a row for each", where, output.name,
                            to_string(output.type), batch));
  }
  return graph;
}

}  // namespace stair::readers
