#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/importer.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/reports/report.h"
#include "frontend/reports/svg.h"
#include "ir/index_inputs.h"
#include "passes/analysis.h"
#include "passes/float_nodes.h"
#include "passes/outputs.h"
#include "passes/plan_memory.h"
#include "runtime/file.h"

namespace stair::driver::commands {
namespace {

struct InspectOptions {
  std::string target, dot, svg;
  bool plan = false;
};

// Signal to quantization noise of the weights, a line a layer: 10 log10(sum w^2 / sum (w - Q(w))^2).
std::string weight_errors(readers::Trained& trained) {
  const ir::Graph simulated = passes::run(passes::simulated_evaluation(trained.recipe), trained.experiment.model);
  const std::vector<bool> depends = passes::depends_on_inputs(simulated);
  std::vector<ir::ValueId> watched;
  std::vector<std::pair<std::string, std::string>> rows;  // weight, its quantized value
  for (const ir::Node& node : simulated.nodes()) {
    if (node.op->integer.kind != ir::IntegerForm::Kind::quantizer || depends[static_cast<std::size_t>(node.results.front())]) continue;
    watched.push_back(node.operands.front());
    watched.push_back(node.results.front());
    rows.emplace_back(simulated.value(node.operands.front()).name, node.name);
  }
  if (rows.empty()) return "";
  // What is known before deployment needs no input.
  ir::Graph graph = passes::run(passes::Pipeline{{"dead_code"}}, passes::with_outputs(simulated, watched));
  runtime::initialize_states(graph, 0, trained.checkpoint.states);
  std::vector<runtime::Tensor> inputs;
  std::vector<ir::TensorView> views;
  for (const ir::ValueId input : graph.inputs()) {
    inputs.emplace_back(graph.type(input));
    views.push_back(inputs.back().view());
  }
  runtime::Executor executor = frontend::executor_for(graph, trained.checkpoint.states, {});
  executor.run(views);
  std::string text = fmt::format("{:<36} {:>12} {:>14} {:>14}\n", "weights", "elements", "SQNR (dB)", "largest error");
  for (const auto& [weight, quantized] : rows) {
    const ir::TensorView w = executor.output(weight);
    const ir::TensorView q = executor.output(quantized);
    double signal = 0;
    double noise = 0;
    double largest = 0;
    for (std::int64_t i = 0; i < w.count(); ++i) {
      const double error = static_cast<double>(w.as<float>()[i]) - static_cast<double>(q.as<float>()[i]);
      signal += std::pow(static_cast<double>(w.as<float>()[i]), 2);
      noise += error * error;
      largest = std::max(largest, std::abs(error));
    }
    text += fmt::format("{:<36} {:>12} {:>14.2f} {:>14.3g}\n", weight, w.count(), 10 * std::log10(signal / noise), largest);
  }
  return text;
}

// How a picture becomes the graph's input; of several inputs a line each.
std::string describe_inputs(const runtime::Artifact& artifact) {
  const auto list = [](const std::vector<double>& values, const char* otherwise) {
    return values.empty() ? otherwise : fmt::format("[{}]", fmt::join(values, ", "));
  };
  std::string text;
  for (std::size_t i = 0; i < artifact.inputs.size(); ++i) {
    const auto& [normalization, images] = artifact.inputs[i];
    if (artifact.inputs.size() > 1) text += "input " + artifact.graph.value(artifact.graph.inputs()[i]).name + ": ";
    if (artifact.graph.type(artifact.graph.inputs()[i]).dtype == ir::DType::i32) {
      text += fmt::format("indices, 0 to {}\n", ir::rows_of(artifact.graph, artifact.graph.inputs()[i]) - 1);
      continue;
    }
    const std::string scaled = images.shorter_side ? fmt::format(" of pictures with a shorter side of {}", *images.shorter_side) : "";
    text += fmt::format("images {}{}, mean {}, std {}\n", images.element.empty() ? "u8 or f32 (the file doesn't say)" : images.element,
                        scaled, list(normalization.mean, "0"), list(normalization.std, "1"));
  }
  return text;
}

void finish(const InspectOptions& options, const ir::Graph& graph) {
  if (options.plan) fmt::print("\n{}", passes::describe(graph, ir::one_by_one(graph), passes::plan_memory(graph)));
  if (!options.dot.empty()) runtime::write_file(options.dot, reports::to_dot(graph));
  if (!options.svg.empty()) runtime::write_file(options.svg, reports::to_svg(graph));
}

int run_inspect(const InspectOptions& options) {
  if (options.target.ends_with(".stair")) {
    readers::Deployed artifact = readers::load_deployed(options.target);
    const std::string inputs = describe_inputs(artifact);
    frontend::Deployment deployment{std::move(artifact.graph), std::move(artifact.constants), std::move(artifact.bounds)};
    fmt::print("arithmetic version {}\n{}recipe {}\n\n{}", artifact.arithmetic, inputs, artifact.recipe,
               reports::deployment_report(deployment, {}));
    finish(options, deployment.graph);
  } else if (frontend::is_model_file(options.target)) {
    const ir::Graph model = frontend::import_model(options.target, 1).model;
    fmt::print("{}", reports::model_report(model));
    finish(options, model);
  } else {
    readers::Trained trained = readers::load_trained(options.target);
    const double best = trained.checkpoint.best;  // negative: not evaluated yet, or no validation data
    const readers::ChosenMetric& metric = trained.experiment.metrics.front();
    fmt::print("{}: stage '{}', step {}, arithmetic version {}{}\n\n{}", trained.experiment.name, trained.checkpoint.stage_name,
               trained.checkpoint.step, trained.checkpoint.arithmetic,
               best < 0 ? "" : fmt::format(", best validation {} {}", metric.name(), metric.shown(best)),
               reports::model_report(trained.experiment.model));
    if (trained.quantized) {
      const std::string islands = passes::describe_float_islands(passes::run(passes::deployment(trained.recipe), trained.experiment.model));
      fmt::print("\nrecipe {}\n\n{}{}", trained.checkpoint.recipe, weight_errors(trained), islands.empty() ? "" : "\n" + islands);
    }
    finish(options, trained.experiment.model);
  }
  return 0;
}

}  // namespace

void inspect(CommandRegistry& registry) {
  registry.add({"inspect", "What is in a model, a graph, a checkpoint or an artifact", [](CLI::App& app) {
                  auto options = std::make_shared<InspectOptions>();
                  app.add_option("target", options->target,
                                 frontend::model_formats() + ", an artifact (.stair), a checkpoint or the folder of a run")
                      ->required();
                  app.add_option("--dot", options->dot, "write the graph for Graphviz");
                  app.add_option("--svg", options->svg, "write a picture of the graph");
                  app.add_flag("--plan", options->plan, "print the memory plan");
                  add_plugin_option(app);
                  add_memory_option(app);
                  return [options] { return run_inspect(*options); };
                }});
}

}  // namespace stair::driver::commands
