#include "frontend/exporter.h"

namespace stair::frontend::exporters_ {

void stair(ExporterRegistry& registry) {
  registry.add({"stair", "an artifact (docs/format-artifact.md)", runtime::save_artifact});
}

}  // namespace stair::frontend::exporters_
