#include <fmt/format.h>

#include "frontend/stages/calibration.h"
#include "frontend/stages/context.h"
#include "ir/error.h"

namespace stair::stages::kinds {
namespace {

void check_batches(const readers::Experiment& experiment, std::size_t index, std::int64_t available) {
  const std::int64_t asked = experiment.stages[index].options.integer("batches");
  if (asked <= available) return;
  throw Error(fmt::format("{} /stages/{}/batches: found {}, the training data has {} batches of {} images", experiment.source, index, asked,
                          available, experiment.batch));
}

bool run_calibration(StageContext& context) {
  const bool was_done = context.resumes;  // a checkpoint of this stage is that of its end
  const readers::Experiment& experiment = context.experiment;
  const std::int64_t batches = calibration_batches(context.stage->options.integer("batches"), context.steps_per_epoch());
  // Every process watches the same batches: nothing is added up.
  together(context.communicator, [&] {
    context.begin({passes::run(passes::calibration(context.recipe), experiment.model)});
    calibrate_ranges(experiment, context.recipe, context.data.train, batches, context.checkpoint.states, context.options.compile);
  });
  context.evaluate_end();
  StageResult& result = context.result;
  if (context.validating) result.best_validation = context.checkpoint.best = result.validation;
  if (!context.quiet) {
    fmt::print("{} over {} batches of {} images{}  test {}\n", context.stage->name, batches, experiment.batch,
               context.validating ? "  validation " + result.metric.shown(result.validation) : "", result.metric.shown(result.test));
  }
  runtime::Progress progress;
  progress.step = batches;
  if (!was_done) context.log(progress, 0);
  context.save(runtime::TrainingState{batches, 0, 0}, "last.safetensors");
  return true;
}

}  // namespace

void calibrate(StageRegistry& registry) {
  registry.add({.name = "calibrate",
                .summary = "quantization after training (PTQ): observers watch the ranges of activations",
                .attributes = {{.name = "batches",
                                .doc = "training batches that the observers see; 0: 32, or as many as there are",
                                .fallback = std::int64_t{0},
                                .bounds = ir::within(1, 1e9)},
                               recipe_attribute()},
                .experiment_keys = {"export"},
                .quantizes = true,
                .check = check_batches,
                .run = run_calibration});
}

}  // namespace stair::stages::kinds
