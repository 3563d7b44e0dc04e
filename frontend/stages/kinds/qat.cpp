#include "frontend/stages/training.h"

namespace stair::stages::kinds {

void qat(StageRegistry& registry) {
  std::vector<std::string> keys = training_keys();
  keys.emplace_back("export");
  std::vector<ir::AttributeSpec> attributes = training_attributes();
  attributes.push_back(recipe_attribute());
  registry.add({.name = "qat",
                .summary = "training with quantization",
                .attributes = attributes,
                .experiment_keys = keys,
                .quantizes = true,
                .phase = passes::phase_at,
                .check = check_patterns,
                .run = [](StageContext& context) {
                  return train(context, [&](const passes::Phase& phase, const auto& optimizer, passes::StepPart part, const auto& frozen) {
                    return passes::quantized_training(context.recipe, phase, context.experiment.loss, optimizer, part, frozen);
                  });
                }});
}

}  // namespace stair::stages::kinds
