#pragma once

#include <string>

#include "frontend/exporter.h"
#include "tests/support/quantized_run.h"

namespace stair::tests {

/// What `stair export` has of the run.
frontend::Exported exported(QuantizedRun& run);

/// A path of this process's own, whose file goes with it.
struct ExportFile {
  std::string path;
  ExportFile();
  ExportFile(const ExportFile&) = delete;
  ExportFile& operator=(const ExportFile&) = delete;
  ~ExportFile();
};

ir::Attributes export_settings(const std::string& style, bool preprocess = false, bool inexact = true);
frontend::Written export_onnx(const frontend::Exported& model, const ir::Attributes& settings, const std::string& path);

}  // namespace stair::tests
