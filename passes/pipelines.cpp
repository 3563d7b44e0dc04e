#include "passes/pipelines.h"

#include <utility>

namespace stair::passes {
namespace {

void append(Pipeline& pipeline, Pipeline more) {
  for (Step& step : more) pipeline.push_back(std::move(step));
}

Pipeline clean_up() {
  return {{"simplify"}, {"common_subexpressions"}, {"dead_code"}};
}

// Batch-norm folds into what is quantized behind it; with float activations it stays what it is.
Pipeline fold(const Recipe& recipe) {
  if (!recipe.quantizes_activations()) return {};
  return {{"fold_batch_norm", {{"fold", recipe.fold()}}}};
}

Step insert(const Recipe& recipe, bool weights, bool activations, bool observe, bool training) {
  return {"insert_fake_quantize",
          {{"recipe", ir::Object(recipe.keys())},
           {"weights", weights},
           {"activations", activations},
           {"observe", observe},
           {"training", training}}};
}

Step realize(const Recipe& recipe) {
  return {"realize_integers",
          {{"bias", recipe.keys().at("bias")},
           {"requantization", recipe.keys().at("requantization")},
           {"norms", recipe.keys().object("batch_norm").at("alone")},
           {"normalization", recipe.keys().at("normalization")}}};
}

// From a graph with its loss to one that trains, or to a half of that.
Pipeline train(const ir::Attributes& loss, const ir::Attributes& optimizer, StepPart part, const std::vector<std::string>& frozen) {
  Pipeline pipeline{{"append_loss", loss}, {"autodiff"}};
  if (!frozen.empty()) pipeline.back().options.set("freeze", frozen);
  if (part != StepPart::whole) pipeline.push_back({"cut_step", {{"part", std::string(part == StepPart::shard ? "shard" : "update")}}});
  if (part != StepPart::shard) pipeline.push_back({"append_optimizer", optimizer});
  return pipeline;
}

Pipeline freeze(const std::vector<std::string>& frozen) {
  if (frozen.empty()) return {};
  return {{"freeze_batch_norm", {{"parameters", frozen}}}};
}

}  // namespace

Phase phase_at(const Recipe& recipe, std::int64_t step, std::int64_t steps_per_epoch) {
  const double epoch = static_cast<double>(step) / static_cast<double>(steps_per_epoch);
  const auto frozen = [epoch](double from) { return from >= 0 && epoch >= from; };
  return {step >= recipe.activation_delay_steps(), !frozen(recipe.freeze_observers_epoch()), !frozen(recipe.freeze_batch_norm_epoch())};
}

Pipeline float_training(const ir::Attributes& loss, const ir::Attributes& optimizer, StepPart part,
                        const std::vector<std::string>& frozen) {
  Pipeline pipeline = freeze(frozen);
  append(pipeline, train(loss, optimizer, part, frozen));
  append(pipeline, clean_up());
  return pipeline;
}

Pipeline float_evaluation() {
  Pipeline pipeline{{"inference_mode"}};
  append(pipeline, clean_up());
  return pipeline;
}

Pipeline float_deployment() {
  Pipeline pipeline = float_evaluation();
  pipeline.push_back({"freeze_states"});
  return pipeline;
}

Pipeline first_values(const Recipe& recipe) {
  Pipeline pipeline{{"inference_mode"}};
  append(pipeline, fold(recipe));
  pipeline.push_back(insert(recipe, true, false, false, false));
  pipeline.back().options.set("first_values", true);
  return pipeline;
}

Pipeline calibration(const Recipe& recipe) {
  Pipeline pipeline{{"inference_mode"}, insert(recipe, false, false, true, false)};
  append(pipeline, clean_up());
  return pipeline;
}

Pipeline simulated_training(const Recipe& recipe, const Phase& phase, const std::vector<std::string>& frozen) {
  Pipeline pipeline = phase.batch_statistics ? freeze(frozen) : Pipeline{{"freeze_batch_norm"}};
  append(pipeline, fold(recipe));
  pipeline.push_back(insert(recipe, true, phase.quantize_activations, phase.observe, true));
  return pipeline;
}

Pipeline quantized_training(const Recipe& recipe, const Phase& phase, const ir::Attributes& loss, const ir::Attributes& optimizer,
                            StepPart part, const std::vector<std::string>& frozen) {
  Pipeline pipeline = simulated_training(recipe, phase, frozen);
  append(pipeline, train(loss, optimizer, part, frozen));
  pipeline.push_back(realize(recipe));
  append(pipeline, clean_up());
  pipeline.push_back({"prove_accumulators"});
  return pipeline;
}

Pipeline simulated_evaluation(const Recipe& recipe) {
  Pipeline pipeline{{"inference_mode"}};
  append(pipeline, fold(recipe));
  pipeline.push_back(insert(recipe, true, true, false, false));
  return pipeline;
}

Pipeline quantized_evaluation(const Recipe& recipe) {
  Pipeline pipeline = simulated_evaluation(recipe);
  pipeline.push_back(realize(recipe));
  append(pipeline, clean_up());
  pipeline.push_back({"prove_accumulators"});
  return pipeline;
}

Pipeline deployment(const Recipe& recipe) {
  Pipeline pipeline = quantized_evaluation(recipe);
  append(pipeline, {{"cut_inference", {{"part", std::string("deploy")}}}, {"dead_code"}});
  return pipeline;
}

Pipeline deployment_constants(const Recipe& recipe) {
  Pipeline pipeline = quantized_evaluation(recipe);
  append(pipeline, {{"cut_inference", {{"part", std::string("constants")}}}, {"dead_code"}});
  return pipeline;
}

Pipeline lowering() {
  return {{"channels_last"}, {"dead_code"}};
}

Pipeline scheduling() {
  return {{"clip_masks"}, {"sink"}};
}

}  // namespace stair::passes
