#include "frontend/exporter.h"

namespace stair::frontend::exporters_ {
namespace {

Written write_artifact(const Exported& model, const ir::Attributes& /*settings*/, const std::string& path) {
  return {runtime::save_artifact(model.artifact, path), {}};
}

}  // namespace

void stair(ExporterRegistry& registry) {
  registry.add({"stair", "an artifact (docs/format-artifact.md)", write_artifact});
}

}  // namespace stair::frontend::exporters_
