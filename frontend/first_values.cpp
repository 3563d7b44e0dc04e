#include "frontend/first_values.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "frontend/compile.h"
#include "ir/json.h"
#include "ir/rebatch.h"
#include "passes/outputs.h"
#include "passes/pipelines.h"

namespace stair::frontend {
namespace {

ir::Json quantizers_of(const std::string& recipe) {
  ir::Json json = ir::Json::parse(passes::to_json(passes::recipe_from_json(recipe)));
  json.erase("name");
  json.erase("schedule");
  return json;
}

}  // namespace

void give_first_values(const ir::Graph& model, const passes::Recipe& recipe, std::span<const ir::TensorView> first_batch,
                       runtime::Tensors& states) {
  const ir::Graph graph = passes::run(passes::first_values(recipe), ir::with_batch(model, first_batch.front().type.shape.front()));
  std::vector<std::pair<std::string, ir::ValueId>> missing;
  std::vector<ir::ValueId> values;
  for (const ir::Update& update : graph.updates()) {
    const std::string& name = graph.value(update.state).name;
    if (states.contains(name)) continue;
    missing.emplace_back(name, update.value);
    values.push_back(update.value);
  }
  if (missing.empty()) return;
  runtime::Executor executor = executor_for(passes::with_outputs(graph, values), states, {});
  executor.run(first_batch);
  for (const auto& [name, value] : missing) {
    const ir::TensorView made = executor.output(graph.value(value).name);
    runtime::Tensor first(made.type);
    std::copy(made.as<char>(), made.as<char>() + first.bytes(), first.as<char>());
    states.emplace(name, std::move(first));
  }
}

void forget_other_quantizers(const ir::Graph& model, const std::string& before, const passes::Recipe& recipe, runtime::Tensors& states) {
  if (!before.empty() && quantizers_of(before) == quantizers_of(passes::to_json(recipe))) return;
  const ir::Graph graph = passes::run(passes::first_values(recipe), ir::with_batch(model, 1));
  for (const ir::Update& update : graph.updates()) states.erase(graph.value(update.state).name);
}

}  // namespace stair::frontend
