#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/evaluation.h"
#include "frontend/verification/verification.h"
#include "frontend/verification/verification_report.h"
#include "ir/arithmetic_version.h"
#include "ir/error.h"
#include "runtime/file.h"

namespace stair::driver::commands {
namespace {

struct VerifyArguments {
  std::string checkpoint, artifact, backends;
  std::vector<int> threads;
  std::int64_t images = 0;
  bool json = false, no_simulation = false;
  std::shared_ptr<std::vector<std::string>> plugins;
};

// What `stair run` makes of a picture is what training made of it.
void check_inputs(const readers::Trained& trained, const runtime::Artifact& artifact, const VerifyArguments& options) {
  const ir::Graph& model = trained.experiment.model;
  const std::string files = options.artifact + " and " + options.checkpoint;
  const auto names = [](const ir::Graph& graph) {
    std::vector<std::string> all;
    for (const ir::ValueId input : graph.inputs()) all.push_back(graph.value(input).name);
    return all;
  };
  if (names(model) != names(artifact.graph)) {
    throw Error(fmt::format("{}: are of models with other inputs: '{}', and '{}'", files, fmt::join(names(artifact.graph), "', '"),
                            fmt::join(names(model), "', '")));
  }
  const std::vector<runtime::InputForm> of_training =
      runtime::input_forms(trained.experiment.normalizations(), trained.checkpoint.inputs, model.inputs().size());
  for (std::size_t i = 0; i < of_training.size(); ++i) {
    const runtime::ExampleForm& trained_on = of_training[i].images;
    const auto& [normalization, images] = artifact.inputs[i];
    const bool elements_known = !trained_on.element.empty() && !images.element.empty();
    const bool sides_known = trained_on.shorter_side && images.shorter_side;
    if (runtime::same_normalization(of_training[i].normalization, normalization) &&
        (!elements_known || trained_on.element == images.element) && (!sides_known || trained_on.shorter_side == images.shorter_side))
      continue;
    throw Error(files + ": make other inputs of the same picture (its element, 'shorter_side', 'mean' and 'std')");
  }
}

struct Deployed {
  std::optional<readers::Deployed> artifact;
  std::optional<frontend::onnx::Model> onnx;
  verification::VerifyOptions options = {};  ///< of an artifact
};

Deployed load(const VerifyArguments& options) {
  if (options.artifact.ends_with(".onnx")) {
    if (!options.backends.empty()) throw Error("--backend: has no effect on an ONNX file, which its operators' definitions evaluate");
    if (!options.threads.empty()) throw Error("--threads: has no effect on an ONNX file, which its operators' definitions evaluate");
    return {{}, frontend::onnx::read_model(runtime::read_file(options.artifact), options.artifact), {}};
  }
  Deployed deployed{readers::load_deployed(options.artifact), {}, {}};
  if (deployed.artifact->arithmetic != ir::arithmetic_version) {
    throw Error(fmt::format(
        "{}: is of arithmetic version {}, and this program trains in version {}: its integers can't be held against those of {}, expected "
        "an artifact that this program exports of it",
        options.artifact, deployed.artifact->arithmetic, ir::arithmetic_version, options.checkpoint));
  }
  return deployed;
}

verification::Verification compare(readers::Trained& trained, Deployed& deployed, const VerifyArguments& options,
                                   const runtime::Dataset& test) {
  if (deployed.onnx) return verification::verify(trained, *deployed.onnx, test, options.images, !options.no_simulation);
  return verification::verify(trained, *deployed.artifact, test, options.images, deployed.options);
}

int run_verify(const VerifyArguments& options) {
  readers::Trained trained = readers::load_trained(options.checkpoint);
  if (!trained.quantized) throw Error(options.checkpoint + ": has seen no quantization, expected a checkpoint of a calibrate or qat stage");
  Deployed deployed = load(options);
  const stages::Data data = stages::load_data(trained.experiment, false);
  stages::check_elements(data.test, trained.checkpoint.inputs);
  if (deployed.artifact) check_inputs(trained, *deployed.artifact, options);
  if (options.images > data.test.count())
    throw Error(fmt::format("--images {}: the test data has {} images", options.images, data.test.count()));
  if (!options.backends.empty()) deployed.options.backends = backends_named(options.backends, *options.plugins);
  if (!options.threads.empty()) deployed.options.threads = options.threads;
  deployed.options.simulate = !options.no_simulation;
  const verification::Verification report = [&] {
    try {
      return compare(trained, deployed, options, data.test);
    } catch (const Error& error) {
      throw Error(options.artifact + " and " + options.checkpoint + ": " + error.what());
    }
  }();
  if (options.json) {
    fmt::print("{}\n", readers::to_text(to_json(report), 2));
  } else {
    if (trained.checkpoint.arithmetic != ir::arithmetic_version) {
      fmt::print("{} was trained in arithmetic version {}; compared in version {}, in which it is exported\n", options.checkpoint,
                 trained.checkpoint.arithmetic, ir::arithmetic_version);
    }
    fmt::print("{}", describe(report));
  }
  return report.holds() ? 0 : 1;
}

}  // namespace

void verify(CommandRegistry& registry) {
  registry.add({"verify", "Compares a deployed artifact, or an ONNX file, with training, integer by integer; exit code 1 if any differs",
                [](CLI::App& app) {
                  auto options = std::make_shared<VerifyArguments>();
                  app.add_option("checkpoint", options->checkpoint, "checkpoint, or folder of a run")->required();
                  app.add_option("artifact", options->artifact, "artifact (.stair), or an exported file (.onnx)")->required();
                  app.add_option("--backend", options->backends,
                                 "backends to compare, separated by commas (default: all, on each instruction set)");
                  app.add_option("--threads", options->threads, "numbers of threads to compare (default: 1,2)")
                      ->delimiter(',')
                      ->check(CLI::Range(1, 1024));
                  app.add_option("--images", options->images, "test images (default: all)")->check(CLI::PositiveNumber);
                  app.add_flag("--no-simulation", options->no_simulation, "leave out the floats in double precision");
                  app.add_flag("--json", options->json, "for scripts");
                  options->plugins = add_plugin_option(app);
                  add_memory_option(app);
                  return [options] { return run_verify(*options); };
                }});
}

}  // namespace stair::driver::commands
