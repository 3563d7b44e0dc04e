#pragma once

#include <string>
#include <vector>

#include "passes/pass.h"
#include "passes/recipe.h"

// The named pipelines: what is done to a model, in which order. Each takes the model graph as the frontend reads it (training form, output
// "logits").

namespace stair::passes {

/// What is on at a step of a qat stage; a recipe's schedule moves through the phases.
struct Phase {
  bool quantize_activations = true;  ///< off during the activation delay
  bool observe = true;               ///< ranges follow the activations until observers are frozen
  bool batch_statistics = true;      ///< batch-norm by the batch's statistics until it is frozen
  auto operator<=>(const Phase&) const = default;
};

/// The phase of a recipe at a step of its stage.
Phase phase_at(const Recipe& recipe, std::int64_t step, std::int64_t steps_per_epoch);

/// What of a training step: all of it, or one of the halves that `cut_step` makes of a step whose batch is cut into shards.
enum class StepPart : std::uint8_t { whole, shard, update };

/// Loss, backward graph and update of every parameter, in float. `loss` and `optimizer` are the options of append_loss and
/// append_optimizer; `frozen` are patterns of parameters that don't train, and batch-norms whose parameters all are such go by their
/// running statistics.
Pipeline float_training(const ir::Attributes& loss, const ir::Attributes& optimizer, StepPart part = StepPart::whole,
                        const std::vector<std::string>& frozen = {});
/// Inference in float.
Pipeline float_evaluation();
/// The same of weights that nothing trains any more.
Pipeline float_deployment();
/// What gives the states of quantizers that are trained their first values, as updates: from the weights, and from float inference.
Pipeline first_values(const Recipe& recipe);
/// Float inference that only watches the ranges of the activations that the recipe quantizes.
Pipeline calibration(const Recipe& recipe);
/// The forward half of a quantized training step with simulated quantization, before its loss.
Pipeline simulated_training(const Recipe& recipe, const Phase& phase, const std::vector<std::string>& frozen = {});
/// A quantized training step: forward on integers, backward by the straight-through estimator onto the latent weights.
Pipeline quantized_training(const Recipe& recipe, const Phase& phase, const ir::Attributes& loss, const ir::Attributes& optimizer,
                            StepPart part = StepPart::whole, const std::vector<std::string>& frozen = {});
/// Inference with simulated quantization, before realization: what realized graphs are held against.
Pipeline simulated_evaluation(const Recipe& recipe);
/// Inference on integers, from the latent weights: what training evaluates.
Pipeline quantized_evaluation(const Recipe& recipe);
/// The deployment graph, and the graph that computes its constants.
Pipeline deployment(const Recipe& recipe);
Pipeline deployment_constants(const Recipe& recipe);

/// What a deployment graph goes through before a backend that asks for it runs it: the layout of its images. Values keep their integers.
Pipeline lowering();
/// What a training step goes through before it runs: the order of its nodes.
Pipeline scheduling();

}  // namespace stair::passes
