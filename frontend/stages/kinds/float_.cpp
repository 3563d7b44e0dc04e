#include "frontend/stages/training.h"

namespace stair::stages::kinds {

// `float` is a word of the language; the file carries the kind's name all the same.
void float_(StageRegistry& registry) {
  registry.add({.name = "float",
                .summary = "training in float",
                .attributes = training_attributes(),
                .experiment_keys = training_keys(),
                .phase = [](const passes::Recipe&, std::int64_t, std::int64_t) { return passes::Phase{}; },
                .check = check_patterns,
                .run =
                    [](StageContext& context) {
                      return train(context, [&](const passes::Phase&, const auto& optimizer, passes::StepPart part, const auto& frozen) {
                        return passes::float_training(context.experiment.loss, optimizer, part, frozen);
                      });
                    }});
}

}  // namespace stair::stages::kinds
