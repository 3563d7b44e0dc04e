#include "tests/support/pipeline_graphs.h"

#include <vector>

#include "passes/pipelines.h"
#include "tests/support/model_builder.h"

namespace stair::tests {
namespace {

// Optimizers with different slots, so that the plans and texts have different updates in them.
std::vector<ir::Attributes> optimizers() {
  return {{},
          {{"optimizer", ir::Object({{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 1e-4}})}},
          {{"optimizer", ir::Object({{"kind", std::string("adamw")}, {"weight_decay", 0.01}, {"max_norm", 1.0}})}}};
}

}  // namespace

void for_each_pipeline_graph(std::uint64_t nets, const GraphVisitor& visit) {
  const std::vector<std::string> recipes = ir::kind_names(passes::recipe_spec());
  std::size_t turn = 0;
  const auto visit_model = [&](const ir::Graph& model, const std::string& name, const std::vector<std::string>& under) {
    visit(model, name);
    visit(passes::run(passes::float_training({}, optimizers()[turn % 3]), model), name + ", float_training");
    visit(passes::run(passes::float_evaluation(), model), name + ", float_evaluation");
    for (const std::string& recipe_name : under) {
      const passes::Recipe recipe = passes::recipe_from_json("\"" + recipe_name + "\"");
      const std::string of = " of '" + recipe_name + "'";
      const auto made = [&](const passes::Pipeline& pipeline, const std::string& pipeline_name) {
        visit(passes::run(pipeline, model), name + ", " + pipeline_name + of);
      };
      const ir::Attributes optimizer = optimizers()[++turn % 3];
      made(passes::calibration(recipe), "calibration");
      made(passes::quantized_training(recipe, {}, {}, optimizer), "quantized_training");
      made(passes::quantized_training(recipe, {false, true, true}, {}, optimizer), "delayed quantized_training");
      made(passes::quantized_training(recipe, {true, false, false}, {}, optimizer), "frozen quantized_training");
      made(passes::simulated_evaluation(recipe), "simulated_evaluation");
      made(passes::quantized_evaluation(recipe), "quantized_evaluation");
      made(passes::deployment(recipe), "deployment");
      made(passes::deployment_constants(recipe), "deployment_constants");
    }
  };
  visit_model(small_lenet(2), "small_lenet", recipes);
  visit_model(small_mixed_net(2), "small_mixed_net", recipes);
  for (std::uint64_t seed = 0; seed < nets; ++seed) {
    visit_model(random_net(seed, 2), "random_net(" + std::to_string(seed) + ")", {recipes[seed % recipes.size()]});
  }
}

}  // namespace stair::tests
