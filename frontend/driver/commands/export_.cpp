#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "frontend/compile.h"
#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/exporter.h"
#include "frontend/readers/trained.h"
#include "frontend/reports/report.h"
#include "ir/error.h"
#include "runtime/artifact.h"

namespace stair::driver::commands {
namespace {

struct ExportOptions {
  std::string checkpoint, to = "stair", output;
  bool report = false, json = false;
};

int run_export(const ExportOptions& options) {
  const std::vector<std::string> formats = frontend::exporters().names();
  const frontend::Exporter* exporter = frontend::exporters().find(options.to);
  if (exporter == nullptr) throw Error("--to " + options.to + did_you_mean(options.to, formats) + ": expected " + one_of(formats));
  readers::Trained trained = readers::load_trained(options.checkpoint);
  if (!trained.quantized) {
    throw Error(options.checkpoint +
                ": has seen no quantization, expected a checkpoint of a calibrate or qat stage (or of stair calibrate)");
  }
  frontend::Deployment deployment = frontend::deploy(trained.experiment.model, trained.recipe, trained.checkpoint.states);
  if (options.report) fmt::print("{}\n", reports::deployment_report(deployment, {}));
  const std::size_t bytes = exporter->write(
      {std::move(deployment.graph), std::move(deployment.constants), passes::to_json(trained.recipe),
       runtime::input_forms(trained.experiment.normalizations(), trained.checkpoint.inputs, trained.experiment.model.inputs().size())},
      options.output);
  if (options.json) {
    fmt::print("{}\n", readers::to_text({{"artifact", options.output}, {"bytes", bytes}}));
  } else {
    fmt::print("{}: {} bytes\n", options.output, bytes);
  }
  return 0;
}

}  // namespace

// `export` is a word of the language; the file carries the command's name all the same.
void export_(CommandRegistry& registry) {
  registry.add({"export", "Cuts the integer inference graph out of a quantized checkpoint and writes it as an artifact", [](CLI::App& app) {
                  auto options = std::make_shared<ExportOptions>();
                  app.add_option("checkpoint", options->checkpoint, "checkpoint, or folder of a run")->required();
                  app.add_option("-o,--output", options->output, "file to write")->required();
                  app.add_option("--to", options->to, "format: " + fmt::format("{}", fmt::join(frontend::exporters().names(), ", ")))
                      ->capture_default_str();
                  app.add_flag("--report", options->report, "print constants, accumulator bits and the backend of each node");
                  app.add_flag("--json", options->json, "for scripts");
                  add_plugin_option(app);
                  add_memory_option(app);
                  return [options] { return run_export(*options); };
                }});
}

}  // namespace stair::driver::commands
