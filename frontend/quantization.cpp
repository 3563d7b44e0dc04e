#include "frontend/quantization.h"

#include <cstddef>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "frontend/compile.h"
#include "ir/rebatch.h"
#include "passes/analysis.h"
#include "passes/pipelines.h"

namespace stair::frontend {
namespace {

using ir::ValueId;

passes::Result realized(const ir::Graph& model, const passes::Recipe& recipe) {
  std::optional<passes::Result> found;
  passes::run(passes::quantized_evaluation(recipe), ir::with_batch(model, 1), [&](const passes::Step& step, const passes::Result& result) {
    if (step.pass == "realize_integers") found = result;
  });
  return *std::move(found);
}

// What no input reaches, with those of the values as outputs.
ir::Graph constants_of(const ir::Graph& graph, const std::set<ValueId>& wanted) {
  const std::vector<bool> depends = passes::depends_on_inputs(graph);
  ir::Rewriter rewriter(graph, ir::Rewriter::Empty{});
  for (const ir::State& state : graph.states()) rewriter.copy_state(state);
  for (const ir::Node& node : graph.nodes()) {
    if (!depends[static_cast<std::size_t>(node.results.front())]) rewriter.copy(node);
  }
  for (const ValueId value : wanted) {
    if (!depends[static_cast<std::size_t>(value)]) rewriter.graph().add_output(graph.value(value).name, rewriter(value));
  }
  return std::move(rewriter.graph());
}

}  // namespace

Quantizations quantizations_of(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states) {
  const passes::Result made = realized(model, recipe);
  std::set<ValueId> wanted;
  for (const passes::Integers& its : made.integers) wanted.insert({its.scale, its.zero_point});
  for (const passes::IntegerSum& its : made.sums) wanted.insert(its.weight_scale);
  wanted.erase(ir::absent);
  runtime::Executor executor = executor_for(constants_of(made.graph, wanted), states, {});
  executor.run({});
  std::set<std::string, std::less<>> computed;
  for (const ir::Output& output : executor.graph().outputs()) computed.insert(output.name);
  const auto view = [&](ValueId value) -> ir::TensorView {
    const std::string& name = made.graph.value(value).name;
    return computed.contains(name) ? executor.output(name) : ir::TensorView{};
  };

  Quantizations all;
  for (const passes::Integers& its : made.integers) {
    const ir::TensorView scale = view(its.scale);
    if (scale.data == nullptr || ir::element_count(scale.type.shape) != 1) continue;
    const std::int32_t zero_point = its.zero_point == ir::absent ? 0 : *view(its.zero_point).as<std::int32_t>();
    for (const ValueId q : {its.q, its.rounded}) {
      if (q != ir::absent) all.activations[made.graph.value(q).name] = {*scale.as<float>(), zero_point};
    }
    for (const ValueId part : its.parts) all.activations[made.graph.value(part).name] = {*scale.as<float>(), zero_point};
  }
  for (const passes::IntegerSum& its : made.sums) {
    const ir::TensorView scale = its.weight_scale == ir::absent ? ir::TensorView{} : view(its.weight_scale);
    if (scale.data == nullptr) continue;
    runtime::Tensor copy(scale.type);
    std::memcpy(copy.view().data, scale.data, copy.bytes());
    all.weights.emplace(made.graph.value(its.sum).name, std::move(copy));
  }
  return all;
}

}  // namespace stair::frontend
