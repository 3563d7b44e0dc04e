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
                .run = [](StageContext& context) {
                  return train(context, [&](const passes::Phase& phase, const ir::Attributes& optimizer, passes::StepPart part) {
                    return passes::quantized_training(context.recipe, phase, context.experiment.loss, optimizer, part);
                  });
                }});
}

}  // namespace stair::stages::kinds
