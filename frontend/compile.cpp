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

void check_calibrated(const ir::Graph& graph, const runtime::Tensors& states) {
  for (const ir::State& state : graph.states()) {
    const auto it = states.find(graph.value(state.value).name);
    if (it != states.end()) runtime::check_finite_state(graph, state, it->second);
  }
  // What a range is, or is made of.
  const auto observed = [&](ir::ValueId value) -> const ir::State* {
    const ir::Node* maker = graph.producer(value);
    const ir::State* state = graph.state(maker == nullptr ? value : maker->operands[0]);
    return state != nullptr && state->role == ir::StateRole::observer ? state : nullptr;
  };
  for (const ir::Node& node : graph.nodes()) {
    if (node.op->name != "affine_parameters") continue;
    const ir::State* low = observed(node.operands[0]);
    const ir::State* high = observed(node.operands[1]);
    if (low == nullptr || high == nullptr) continue;
    const std::string& name = graph.value(low->value).name;
    if (!has_seen(graph, *low, states) || !has_seen(graph, *high, states)) {
      throw Error("the quantizer of '" + name.substr(0, name.rfind('.')) +
                  "' has seen no data, expected a checkpoint of a calibrate or qat stage with this recipe");
    }
  }
}

Deployment deploy(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states) {
  const ir::Graph single = ir::with_batch(model, 1);
  ir::Graph constants = passes::run(passes::deployment_constants(recipe), single);
  check_calibrated(constants, states);
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

}  // namespace stair::frontend
