#pragma once

#include <string>

#include "ir/ops/common.h"

namespace stair::ir::ops {

// The layout of images in integer ops that have a window: [N,C,H,W], or [N,H,W,C] where passes/channels_last chose that. Weights stay
// [O,C/groups,KH,KW].

inline AttributeSpec layout_attribute() {
  return {"layout", "'nchw' or 'nhwc': of x and the result", std::string("nchw"), false, {}, {"nchw", "nhwc"}};
}

/// Whether the node's images are [N,H,W,C].
inline bool channels_last(const InferContext& c) {
  return c.attributes.has("layout") && c.attributes.text("layout") == "nhwc";
}

/// The shape of x, which is in the node's layout, as [N,C,H,W].
inline Shape image_shape(const InferContext& c, const Shape& shape) {
  c.expect(shape.size() == 4, "x is " + to_string(shape) + ", expected [N,C,H,W]");
  if (!channels_last(c)) return shape;
  return {shape[0], shape[3], shape[1], shape[2]};
}

/// The shape [N,C,H,W] in the node's layout.
inline Shape laid_out(const InferContext& c, const Shape& shape) {
  if (!channels_last(c)) return shape;
  return {shape[0], shape[2], shape[3], shape[1]};
}

}  // namespace stair::ir::ops
