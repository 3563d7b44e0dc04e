#pragma once

#include <cstdint>
#include <memory>

#include "frontend/verification/onnx/operator.h"

namespace stair::verification::onnx {

/// A node that is evaluated as the layers that the importer makes of it, in float; what it makes of constants alone is folded.
class NodeLayers {
 public:
  NodeLayers();
  ~NodeLayers();
  NodeLayers(NodeLayers&&) noexcept;
  NodeLayers& operator=(NodeLayers&&) noexcept;

  /// Yields the node's outputs. The layers are made at the first run, and are for inputs of these shapes from there on. Error for a node
  /// that the importer refuses, and for integers that float32 doesn't hold.
  void run(NodeRun& run);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stair::verification::onnx
