#include "frontend/compile.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "ir/error.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/plan_memory.h"
#include "runtime/finite.h"

namespace stair::frontend {
namespace {

bool prefer_channels_last(const std::vector<const backends::Backend*>& backends) {
  const auto decides = [](const backends::Backend* backend) { return !backend->any_layout(); };
  const auto first = std::find_if(backends.begin(), backends.end(), decides);
  return first != backends.end() && (*first)->channels_last();
}

runtime::Executor planned(ir::Graph graph, runtime::Tensors& states, const CompileOptions& options) {
  const auto planner = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
  return runtime::Executor(std::move(graph), planner, states, {options.backends, options.threads});
}

}  // namespace

runtime::Executor training_executor(ir::Graph graph, runtime::Tensors& states, const CompileOptions& options) {
  return planned(passes::run(passes::scheduling(), std::move(graph)), states, options);
}

runtime::Executor executor_for(ir::Graph graph, runtime::Tensors& states, const CompileOptions& options) {
  if (!graph.updates().empty()) return training_executor(std::move(graph), states, options);
  if (prefer_channels_last(options.backends)) graph = passes::run(passes::lowering(), std::move(graph));
  return planned(std::move(graph), states, options);
}

runtime::Executor compile(const ir::Graph& model, const passes::Pipeline& pipeline, std::int64_t batch, runtime::Tensors& states,
                          const CompileOptions& options) {
  ir::Graph graph = passes::run(pipeline, ir::with_batch(model, batch));
  runtime::initialize_states(graph, options.seed, states);
  return executor_for(std::move(graph), states, options);
}

bool has_seen(const ir::Graph& graph, const ir::State& state, const runtime::Tensors& states) {
  const auto it = states.find(graph.value(state.value).name);
  if (it == states.end()) return false;
  const auto* values = it->second.as<float>();
  const auto nothing = static_cast<float>(state.initializer.a);
  return std::any_of(values, values + it->second.count(), [&](float value) { return value != nothing; });
}

void check_calibrated(const ir::Graph& model, const passes::Recipe& recipe, const runtime::Tensors& states) {
  const ir::Graph graph = passes::run(passes::simulated_evaluation(recipe), model);
  std::vector<bool> unseen(graph.values().size(), false);
  for (const ir::State& state : graph.states()) {
    const auto it = states.find(graph.value(state.value).name);
    if (it != states.end()) runtime::check_finite_state(graph, state, it->second);
    unseen[static_cast<std::size_t>(state.value)] =
        state.role == ir::StateRole::observer && ir::is_float(graph.type(state.value).dtype) && !has_seen(graph, state, states);
  }
  const auto is_unseen = [&](ir::ValueId value) { return value != ir::absent && unseen[static_cast<std::size_t>(value)]; };
  for (const ir::Node& node : graph.nodes()) {
    if (std::none_of(node.operands.begin(), node.operands.end(), is_unseen)) continue;
    if (node.op->integer.kind == ir::IntegerForm::Kind::quantizer) {
      throw Error("the quantizer of '" + graph.value(node.operands.front()).name +
                  "' has seen no data, expected a checkpoint of a calibrate or qat stage with this recipe");
    }
    for (const ir::ValueId result : node.results) unseen[static_cast<std::size_t>(result)] = true;
  }
}

Deployment deploy(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states) {
  const ir::Graph single = ir::with_batch(model, 1);
  ir::Graph constants = passes::run(passes::deployment_constants(recipe), single);
  check_calibrated(single, recipe, states);
  Deployment made;
  made.graph = passes::run(passes::deployment(recipe), single);
  runtime::Executor executor = executor_for(std::move(constants), states, {});
  // Quantizers make integers of NaN: what they are made of is looked at, too (N-FINITE).
  executor.set_hook([&](std::span<const ir::ValueId> values, std::span<const ir::TensorView> results) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const ir::Node& node = *executor.graph().producer(values[i]);
      runtime::check_finite(results[i],
                            "export: '" + executor.graph().value(values[i]).name + "' (" + node.op->name + " '" + node.name + "')");
    }
  });
  executor.run({});
  for (const ir::State& state : made.graph.states()) {
    const ir::Value& value = made.graph.value(state.value);
    runtime::Tensor tensor(value.type);
    std::memcpy(tensor.view().data, executor.output(value.name).data, tensor.bytes());
    runtime::check_finite(tensor.view(), "export: the constant '" + value.name + "'");
    made.constants.emplace(value.name, std::move(tensor));
  }
  made.bounds = passes::prove_accumulators(made.graph, [&](const std::string& name) { return runtime::view_of(made.constants, name); });
  return made;
}

Deployment deploy_float(const ir::Graph& model, const runtime::Tensors& states) {
  Deployment made;
  made.graph = passes::run(passes::float_deployment(), ir::with_batch(model, 1));
  for (const ir::State& state : made.graph.states()) {
    const std::string& name = made.graph.value(state.value).name;
    const runtime::Tensor& tensor = states.find(name)->second;
    runtime::check_finite(tensor.view(), "export: the constant '" + name + "'");
    made.constants.emplace(name, tensor.clone());
  }
  return made;
}

}  // namespace stair::frontend
