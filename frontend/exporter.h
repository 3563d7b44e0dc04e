#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "frontend/quantization.h"
#include "ir/attribute_spec.h"
#include "ir/kinds.h"
#include "runtime/artifact.h"

namespace stair::frontend {

/// What is deployed: the integer graph with its constants, and what its integers stand for.
struct Exported {
  runtime::Artifact artifact;
  Quantizations quantizations;
};

struct Written {
  std::size_t bytes = 0;             ///< of the file; 0: it wasn't written
  std::vector<std::string> inexact;  ///< nodes whose bits are others where the file is run, and why
};

/// A format of files in which models are deployed: one file in frontend/exporters.
struct Exporter {
  std::string name;
  std::string summary;
  /// Writes the file, unless it would be inexact and the settings don't allow that. `settings` are complete. Error where the format has no
  /// place for something in the model.
  std::function<Written(const Exported& model, const ir::Attributes& settings, const std::string& path)> write;
  bool takes_floats = false;                     ///< it also has a place for models that nobody has quantized
  std::vector<ir::AttributeSpec> settings = {};  ///< options of `stair export`, of one name with one meaning in all formats
};

using ExporterRegistry = ir::Registry<Exporter>;
const ExporterRegistry& exporters();

}  // namespace stair::frontend
