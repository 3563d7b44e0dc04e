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

double evaluate(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch, const runtime::Normalization& normalization) {
  runtime::Batches batches(test, batch, normalization, {}, 0);
  return stages::accuracy(executor, batches, test.count());
}

int run_eval(const EvalOptions& options) {
  const frontend::CompileOptions compile_options = options.execution->compile();
  double result = 0;
  std::int64_t images = 0;
  std::string what;
  if (options.target.ends_with(".stair")) {
    if (options.data.empty()) throw Error(options.target + ": an artifact holds no data, expected --data EXPERIMENT.json");
    if (options.floating) throw Error("--float: an artifact has integers only");
    readers::Deployed artifact = readers::load_deployed(options.target);
    const readers::Experiment experiment = readers::load_experiment(options.data);
    const runtime::Dataset test = runtime::load_dataset(experiment.data.format, experiment.data.test);
    stages::check_fits(test, experiment.data.test, artifact.graph);
    stages::check_elements(test, experiment.data.test, artifact.images);
    const std::int64_t batch = std::min(experiment.eval_batch, test.count());
    images = test.count();
    what = "integers, deployed";
    result = evaluate(frontend::executor_for(readers::at_batch(artifact, batch), artifact.constants, compile_options), test, batch,
                      stages::same_as_trained(artifact.normalization, experiment.data, options.data));
  } else {
    readers::Trained trained = readers::load_trained(options.target);
    if (!options.data.empty()) {
      readers::DataFiles given = readers::load_experiment(options.data).data;
      given.normalization = stages::same_as_trained(trained.experiment.data.normalization, given, options.data);
      trained.experiment.data = std::move(given);
    }
    const stages::Data data = stages::load_data(trained.experiment, false);
    stages::check_elements(data.test, trained.experiment.data.test, trained.checkpoint.images);
    const std::int64_t batch = std::min(trained.experiment.eval_batch, data.test.count());
    const bool quantized = trained.quantized && !options.floating;
    images = data.test.count();
    what = quantized ? "integers, from the checkpoint" : "float";
    const passes::Pipeline pipeline = quantized ? passes::quantized_evaluation(trained.recipe) : passes::float_evaluation();
    result = evaluate(frontend::compile(trained.experiment.model, pipeline, batch, trained.checkpoint.states, compile_options), data.test,
                      batch, trained.experiment.data.normalization);
  }
  if (options.json) {
    fmt::print("{}\n", readers::to_text({{"test_accuracy", result}, {"images", images}, {"arithmetic", what}}));
  } else {
    fmt::print("test accuracy {:.2f} % of {} images ({})\n", 100 * result, images, what);
  }
  return 0;
}

}  // namespace

void eval(CommandRegistry& registry) {
  registry.add({"eval", "Test accuracy of a checkpoint or an artifact", [](CLI::App& app) {
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
