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

/// OpSchema::ChannelsLast::attributes of ops with a layout.
inline void in_nhwc(Attributes& attributes) {
  attributes.set("layout", std::string("nhwc"));
}

/// Where dimension `axis` of [N,C,H,W] lies in [N,H,W,C].
inline std::int64_t moved_dimension(std::int64_t axis) {
  constexpr std::int64_t rank = 4;
  const std::int64_t from = axis < 0 ? axis + rank : axis;
  return from == 0 ? 0 : (from == 1 ? 3 : from - 1);
}

/// OpSchema::ChannelsLast::attributes of ops with an axis, and with several.
inline void moved_axis(Attributes& attributes) {
  attributes.set("axis", moved_dimension(attributes.integer("axis")));
}
inline void moved_axes(Attributes& attributes) {
  std::vector<std::int64_t> axes = attributes.integers("axes");
  for (std::int64_t& axis : axes) axis = moved_dimension(axis);
  attributes.set("axes", std::move(axes));
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
