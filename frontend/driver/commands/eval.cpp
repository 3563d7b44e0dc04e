#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/evaluation.h"
#include "ir/error.h"

namespace stair::driver::commands {
namespace {

struct EvalOptions {
  std::string target, data;
  bool floating = false, json = false;
  std::shared_ptr<ExecutionOptions> execution;
};

int run_eval(const EvalOptions& options) {
  const frontend::CompileOptions compile_options = options.execution->compile();
  std::vector<double> results;
  readers::Experiment experiment;
  stages::Data data;
  std::string what;
  if (options.target.ends_with(".stair")) {
    if (options.data.empty()) throw Error(options.target + ": an artifact holds no data, expected --data EXPERIMENT.json");
    if (options.floating) throw Error("--float: an artifact has integers only");
    readers::Deployed artifact = readers::load_deployed(options.target);
    readers::expect_one_input_and_output(artifact);
    experiment = readers::load_experiment(options.data);
    data.test = stages::load_part(experiment.data, experiment.data.test, artifact.graph);
    stages::check_elements(data.test, experiment.data.test.files, artifact.inputs.front().images);
    const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
    what = "integers, deployed";
    results =
        stages::measure(frontend::executor_for(readers::at_batch(artifact, batch), artifact.constants, compile_options), data.test, batch,
                        stages::same_as_trained(artifact.inputs.front().normalization, experiment.data, options.data), experiment.metrics);
  } else {
    readers::Trained trained = readers::load_trained(options.target);
    experiment = std::move(trained.experiment);
    if (!options.data.empty()) {
      readers::Experiment given = readers::load_experiment(options.data);
      given.data.normalization = stages::same_as_trained(experiment.data.normalization, given.data, options.data);
      experiment.data = std::move(given.data);
      experiment.metrics = std::move(given.metrics);
    }
    data = stages::load_data(experiment, false);
    stages::check_elements(data.test, experiment.data.test.files, trained.checkpoint.images);
    const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
    const bool quantized = trained.quantized && !options.floating;
    what = quantized ? "integers, from the checkpoint" : "float";
    const passes::Pipeline pipeline = quantized ? passes::quantized_evaluation(trained.recipe) : passes::float_evaluation();
    results = stages::measure(frontend::compile(experiment.model, pipeline, batch, trained.checkpoint.states, compile_options), data.test,
                              batch, experiment.data.normalization, experiment.metrics);
  }
  ir::Json json{{"test_accuracy", results.front()}, {"images", data.test.count()}, {"arithmetic", what}};
  std::string text = fmt::format("test accuracy {:.2f} % of {} images ({})\n", 100 * results.front(), data.test.count(), what);
  for (std::size_t i = 1; i < results.size(); ++i) {
    json["test_" + experiment.metrics[i]->name] = results[i];
    text += fmt::format("test {} {:.4f}\n", experiment.metrics[i]->name, results[i]);
  }
  fmt::print("{}", options.json ? readers::to_text(json) + "\n" : text);
  return 0;
}

}  // namespace

void eval(CommandRegistry& registry) {
  registry.add({"eval", "Test accuracy, and the experiment's other metrics, of a checkpoint or an artifact", [](CLI::App& app) {
                  auto options = std::make_shared<EvalOptions>();
                  app.add_option("target", options->target, "checkpoint, folder of a run, or artifact (.stair)")->required();
                  app.add_option("--data", options->data, "experiment JSON whose test data to take (default: the checkpoint's)");
                  app.add_flag("--float", options->floating, "evaluate the latent weights in float");
                  app.add_flag("--json", options->json, "for scripts");
                  options->execution = add_execution_options(app);
                  return [options] { return run_eval(*options); };
                }});
}

}  // namespace stair::driver::commands
