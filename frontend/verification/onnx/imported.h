#pragma once

#include <cstdint>

#include "frontend/importers/onnx/import.h"
#include "frontend/importers/onnx/model.h"

namespace stair::verification::onnx {

/// What an imported model computes, against the file's operators by their definitions.
struct ImportCheck {
  std::int64_t outputs = 0;  ///< elements that were compared, of random inputs within the range of their quantizers
  std::int64_t differ = 0;   ///< of these
  double largest = 0;        ///< difference, in parts of the largest output
  /// Layers in float behind the last quantizer round as they like.
  bool holds() const { return differ == 0 || largest <= 1e-5; }
};

/// Deploys the imported model, of a quantized file, and runs both. Error for what can't be deployed or evaluated.
ImportCheck check_import(const frontend::onnx::Model& file, frontend::onnx::Made& made);

}  // namespace stair::verification::onnx
