#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/importers/onnx/operator.h"

namespace stair::frontend::onnx {

/// The window of a convolution or a pool over the sides of an image [N,C,H,W], or of a sequence [N,C,L].
struct Window {
  std::vector<std::int64_t> kernel, stride, dilation;
  std::vector<std::int64_t> begin, end;  ///< padding
  std::vector<std::int64_t> more;        ///< of the padding at the end: what only ceil_mode asks for

  bool pads() const;
  /// The layer's name for images or sequences.
  std::string layer(const std::string& on_images, const std::string& on_sequences) const {
    return kernel.size() == 2 ? on_images : on_sequences;
  }
  /// As a layer's attribute `padding`.
  std::vector<std::int64_t> padding() const;
};

/// Reads strides, dilations, pads and auto_pad (of `same`, the padding that follows from the input's sides), and ceil_mode where `pools`.
/// `kernel`: of the weights; empty: the attribute says it. Error for what isn't on images or sequences.
Window read_window(NodeContext& c, const ir::Shape& x, const std::vector<std::int64_t>& kernel, bool pools);

/// Error unless the node's input has examples along dimension 0 and channels along dimension 1, and one or two sides.
void expect_images(const NodeContext& c, const ir::Shape& x);

}  // namespace stair::frontend::onnx
