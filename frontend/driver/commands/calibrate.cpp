#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/first_values.h"
#include "frontend/readers/json_file.h"
#include "frontend/readers/recipe_option.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/calibration.h"
#include "frontend/stages/evaluation.h"
#include "ir/arithmetic_version.h"
#include "ir/error.h"

namespace stair::driver::commands {
namespace {

struct CalibrateOptions {
  std::string checkpoint, recipe, output;
  std::int64_t batches = 0;
  bool json = false;
  std::shared_ptr<ExecutionOptions> execution;
};

int run_calibrate(const CalibrateOptions& options) {
  readers::Trained trained = readers::load_trained(options.checkpoint);
  const readers::Experiment& experiment = trained.experiment;
  const passes::Recipe recipe = options.recipe.empty() ? trained.recipe : readers::recipe_for(experiment.model, options.recipe);
  const stages::Data data = stages::load_data(experiment, true);
  stages::check_elements(data.train, trained.checkpoint.inputs);
  trained.checkpoint.inputs = data.train.forms();
  const std::int64_t available = data.train.count() / experiment.batch;
  const std::int64_t count = stages::calibration_batches(options.batches, available);
  if (count > available) {
    throw Error(fmt::format("--batches {}: the training data has {} batches of {} images", options.batches, available, experiment.batch));
  }
  runtime::Tensors& states = trained.checkpoint.states;
  frontend::forget_other_quantizers(experiment.model, trained.checkpoint.recipe, recipe, states);
  stages::calibrate_ranges(experiment, recipe, data.train, count, states, options.execution->compile());
  const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
  runtime::Executor evaluating =
      frontend::compile(experiment.model, passes::quantized_evaluation(recipe), batch, states, options.execution->compile());
  const readers::ChosenMetric& metric = experiment.metrics.front();
  const double score = stages::measure(std::move(evaluating), data.test, batch, experiment.normalizations(), experiment).front().value;
  trained.checkpoint.recipe = passes::to_json(recipe);
  trained.checkpoint.arithmetic = ir::arithmetic_version;
  runtime::save_checkpoint(trained.checkpoint, options.output);
  if (options.json) {
    fmt::print("{}\n",
               readers::to_text({{"test_" + metric.name(), score}, {"images", count * experiment.batch}, {"checkpoint", options.output}}));
  } else {
    fmt::print("calibrated over {} images, test {} {}, {}\n", count * experiment.batch, metric.name(), metric.shown(score), options.output);
  }
  return 0;
}

}  // namespace

void calibrate(CommandRegistry& registry) {
  registry.add({"calibrate", "Quantizes a trained model after training (PTQ): watches the ranges of activations over some batches",
                [](CLI::App& app) {
                  auto options = std::make_shared<CalibrateOptions>();
                  app.add_option("checkpoint", options->checkpoint, "checkpoint, or folder of a run")->required();
                  app.add_option("-o,--output", options->output, "checkpoint to write")->required();
                  app.add_option("--recipe", options->recipe, "a recipe's name, JSON, or a .json file (default: the checkpoint's)");
                  app.add_option("--batches", options->batches, "training batches to watch (default: 32, or what there is)")
                      ->check(CLI::PositiveNumber);
                  app.add_flag("--json", options->json, "for scripts");
                  options->execution = add_execution_options(app);
                  return [options] { return run_calibrate(*options); };
                }});
}

}  // namespace stair::driver::commands
