#pragma once

#include <functional>
#include <string>

#include "ir/kinds.h"
#include "runtime/artifact.h"

namespace stair::frontend {

/// A format of files in which models are deployed: one file in frontend/exporters.
struct Exporter {
  std::string name;
  std::string summary;
  /// Writes the file; yields its bytes. Error where the format has no place for something in the model.
  std::function<std::size_t(const runtime::Artifact& model, const std::string& path)> write;
};

using ExporterRegistry = ir::Registry<Exporter>;
const ExporterRegistry& exporters();

}  // namespace stair::frontend
