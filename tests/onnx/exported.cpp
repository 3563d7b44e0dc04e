#include "tests/onnx/exported.h"

#include <unistd.h>

#include <filesystem>

namespace stair::tests {

frontend::Exported exported(QuantizedRun& run) {
  frontend::Exported made;
  made.artifact.graph = run.deployment.graph;
  for (const auto& [name, tensor] : run.deployment.constants) made.artifact.constants.emplace(name, tensor.clone());
  made.artifact.recipe = passes::to_json(run.recipe);
  made.artifact.inputs = {{{{0.5}, {0.25}}, {"u8", {}}}};
  made.quantizations = frontend::quantizations_of(run.model, run.recipe, run.states);
  return made;
}

ExportFile::ExportFile()
    : path((std::filesystem::temp_directory_path() / ("stair_export_" + std::to_string(getpid()) + ".onnx")).string()) {}

ExportFile::~ExportFile() {
  std::filesystem::remove(path);
}

ir::Attributes export_settings(const std::string& style, bool preprocess, bool inexact) {
  return {{"style", style}, {"preprocess", preprocess}, {"allow_inexact", inexact}};
}

frontend::Written export_onnx(const frontend::Exported& model, const ir::Attributes& settings, const std::string& path) {
  return frontend::exporters().find("onnx")->write(model, settings, path);
}

}  // namespace stair::tests
