#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/evaluation.h"
#include "frontend/stages/start.h"
#include "ir/error.h"

namespace stair::driver::commands {
namespace {

struct EvalOptions {
  std::string target, data;
  bool floating = false, json = false;
  std::shared_ptr<ExecutionOptions> execution;
};

// A column for each class, and a row where there are several. Counts are shown whole.
std::string shown(const std::string& name, const runtime::Score::Table& table) {
  const auto cell = [](double value) { return value == std::floor(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.4f}", value); };
  std::size_t width = 0;
  for (const std::vector<double>& row : table.rows) {
    for (const double value : row) width = std::max(width, cell(value).size());
  }
  std::string text = "\n" + name + "\n";
  for (const std::vector<double>& row : table.rows) {
    for (const double value : row) text += fmt::format("  {:>{}}", cell(value), width);
    text += "\n";
  }
  return text;
}

int run_eval(const EvalOptions& options) {
  const frontend::CompileOptions compile_options = options.execution->compile();
  std::vector<runtime::Score> scores;
  readers::Experiment experiment;
  stages::Data data;
  std::string what;
  if (options.target.ends_with(".stair")) {
    if (options.data.empty()) throw Error(options.target + ": an artifact holds no data, expected --data EXPERIMENT.json");
    if (options.floating) throw Error("--float: an artifact has integers only");
    readers::Deployed artifact = readers::load_deployed(options.target);
    experiment = readers::load_experiment(options.data);
    data.test = stages::load_part(experiment, experiment.data.test, artifact.graph);
    runtime::Normalizations normalizations;
    std::vector<runtime::ExampleForm> forms;
    for (const auto& [normalization, form] : artifact.inputs) {
      normalizations.push_back(normalization);
      forms.push_back(form);
    }
    stages::check_elements(data.test, forms);
    stages::check_same_as_trained(normalizations, artifact.graph, experiment.data, options.data);
    const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
    what = "integers, deployed";
    scores = stages::measure(frontend::executor_for(readers::at_batch(artifact, batch), artifact.constants, compile_options), data.test,
                             batch, normalizations, experiment);
  } else if (options.target.ends_with(".json")) {
    if (!options.data.empty()) throw Error("--data: " + options.target + " is an experiment, which has data");
    if (options.floating) throw Error("--float: what an experiment starts from is in float anyway");
    experiment = readers::load_experiment(options.target);
    if (experiment.start.checkpoint.empty()) {
      throw Error(options.target + ": starts from no weights, expected an ONNX model as 'model', or 'start'");
    }
    runtime::Tensors states;
    const stages::Started started = stages::take_start(experiment, experiment.model, states);
    if (!started.left.empty()) {
      throw Error(fmt::format("{} /start: leaves {} to begin anew, expected all weights", options.target, started.left.front()));
    }
    data.test = stages::load_part(experiment, experiment.data.test, experiment.model);
    const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
    what = "float, from the start";
    scores = stages::measure(frontend::compile(experiment.model, passes::float_evaluation(), batch, states, compile_options), data.test,
                             batch, experiment.normalizations(), experiment);
  } else {
    readers::Trained trained = readers::load_trained(options.target);
    experiment = std::move(trained.experiment);
    if (!options.data.empty()) {
      readers::Experiment given = readers::load_experiment(options.data);
      stages::check_same_as_trained(experiment.normalizations(), experiment.model, given.data, options.data);
      given.data.mean = experiment.data.mean;
      given.data.std = experiment.data.std;
      experiment.data = std::move(given.data);
      experiment.metrics = std::move(given.metrics);
      experiment.objectives = std::move(given.objectives);
    }
    data = stages::load_data(experiment, false);
    stages::check_elements(data.test, trained.checkpoint.inputs);
    const std::int64_t batch = std::min(experiment.eval_batch, data.test.count());
    const bool quantized = trained.quantized && !options.floating;
    what = quantized ? "integers, from the checkpoint" : "float";
    const passes::Pipeline pipeline = quantized ? passes::quantized_evaluation(trained.recipe) : passes::float_evaluation();
    scores = stages::measure(frontend::compile(experiment.model, pipeline, batch, trained.checkpoint.states, compile_options), data.test,
                             batch, experiment.normalizations(), experiment);
  }
  ir::Json json{{"images", data.test.count()}, {"arithmetic", what}};
  std::string text;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const readers::ChosenMetric& metric = experiment.metrics[i];
    json["test_" + metric.name()] = scores[i].value;
    text += fmt::format("test {} {}{}\n", metric.name(), metric.shown(scores[i].value),
                        i == 0 ? fmt::format(" of {} images ({})", data.test.count(), what) : "");
    for (const runtime::Score::Table& table : scores[i].tables) {
      json["tables"][metric.name()][table.name] = table.rows.size() == 1 ? ir::Json(table.rows.front()) : ir::Json(table.rows);
      text += shown(metric.name() + " " + table.name, table);
    }
  }
  fmt::print("{}", options.json ? readers::to_text(json) + "\n" : text);
  return 0;
}

}  // namespace

void eval(CommandRegistry& registry) {
  registry.add({"eval", "Test accuracy, and the experiment's other metrics, of a checkpoint, an artifact or what an experiment starts from",
                [](CLI::App& app) {
                  auto options = std::make_shared<EvalOptions>();
                  app.add_option("target", options->target,
                                 "checkpoint, folder of a run, artifact (.stair), or experiment (.json): what it starts from")
                      ->required();
                  app.add_option("--data", options->data, "experiment JSON whose test data to take (default: the checkpoint's)");
                  app.add_flag("--float", options->floating, "evaluate the latent weights in float");
                  app.add_flag("--json", options->json, "for scripts");
                  options->execution = add_execution_options(app);
                  return [options] { return run_eval(*options); };
                }});
}

}  // namespace stair::driver::commands
