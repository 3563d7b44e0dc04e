#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

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
  ir::Attributes settings = {};  // of the format, as far as they are given
  bool report = false, json = false;
};

// Those of all formats, each once.
std::vector<ir::AttributeSpec> all_settings() {
  std::vector<ir::AttributeSpec> all;
  for (const auto& [name, exporter] : frontend::exporters().all()) {
    for (const ir::AttributeSpec& setting : exporter.settings) {
      const auto same = [&](const ir::AttributeSpec& other) { return other.name == setting.name; };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(setting);
    }
  }
  return all;
}

std::string flag_of(const std::string& setting) {
  std::string flag = "--" + setting;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

ir::Attributes settings_of(const frontend::Exporter& exporter, const ir::Attributes& given) {
  const std::vector<std::string> known = ir::names_of(exporter.settings);
  for (const auto& [name, value] : given) {
    if (std::find(known.begin(), known.end(), name) == known.end()) throw Error(flag_of(name) + ": has no effect on --to " + exporter.name);
  }
  return ir::completed(exporter.settings, given, "", "option");
}

int run_export(const ExportOptions& options) {
  const std::vector<std::string> formats = frontend::exporters().names();
  const frontend::Exporter* exporter = frontend::exporters().find(options.to);
  if (exporter == nullptr) throw Error("--to " + options.to + did_you_mean(options.to, formats) + ": expected " + one_of(formats));
  const ir::Attributes settings = settings_of(*exporter, options.settings);
  readers::Trained trained = readers::load_trained(options.checkpoint);
  if (!trained.quantized && !exporter->takes_floats) {
    throw Error(options.checkpoint +
                ": has seen no quantization, expected a checkpoint of a calibrate or qat stage (or of stair calibrate)");
  }
  frontend::Deployment deployment = trained.quantized
                                        ? frontend::deploy(trained.experiment.model, trained.recipe, trained.checkpoint.states)
                                        : frontend::deploy_float(trained.experiment.model, trained.checkpoint.states);
  if (options.report) fmt::print("{}\n", reports::deployment_report(deployment, {}));
  frontend::Quantizations quantizations;
  if (trained.quantized) quantizations = frontend::quantizations_of(trained.experiment.model, trained.recipe, trained.checkpoint.states);
  const frontend::Exported exported{
      {std::move(deployment.graph), std::move(deployment.constants), trained.quantized ? passes::to_json(trained.recipe) : std::string(),
       runtime::input_forms(trained.experiment.normalizations(), trained.checkpoint.inputs, trained.experiment.model.inputs().size())},
      std::move(quantizations)};
  const frontend::Written written = exporter->write(exported, settings, options.output);
  for (const std::string& node : written.inexact) fmt::print(stderr, "computes other bits: {}\n", node);
  if (written.bytes == 0) {
    fmt::print(stderr, "{}: not written; --allow-inexact writes it all the same\n", options.output);
    return 1;
  }
  if (options.json) {
    fmt::print("{}\n", readers::to_text({{"artifact", options.output}, {"bytes", written.bytes}}));
  } else {
    fmt::print("{}: {} bytes\n", options.output, written.bytes);
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
                  for (const ir::AttributeSpec& setting : all_settings()) {
                    if (std::holds_alternative<bool>(setting.fallback)) {
                      app.add_flag_callback(
                          flag_of(setting.name), [options, name = setting.name] { options->settings.set(name, true); }, setting.doc);
                    } else {
                      app.add_option_function<std::string>(
                             flag_of(setting.name),
                             [options, name = setting.name](const std::string& text) { options->settings.set(name, text); }, setting.doc)
                          ->check(CLI::IsMember(setting.choices));
                    }
                  }
                  app.add_flag("--report", options->report, "print constants, accumulator bits and the backend of each node");
                  app.add_flag("--json", options->json, "for scripts");
                  add_plugin_option(app);
                  add_memory_option(app);
                  return [options] { return run_export(*options); };
                }});
}

}  // namespace stair::driver::commands
