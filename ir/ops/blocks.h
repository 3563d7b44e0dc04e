#pragma once

#include "ir/ops/move.h"

namespace stair::ir::ops {

// What depth_to_space and space_to_depth share: blocks of pixels that are channels of one.

inline std::vector<AttributeSpec> block_attributes() {
  return {{"block", "pixels along either side", std::int64_t{1}, true, within(1, 0x1p15)},
          {"order",
           "of the channels of a block: 'dcr' pixels first (ONNX, TensorFlow), 'crd' channels first (PixelShuffle)",
           std::string("dcr"),
           false,
           {},
           {"dcr", "crd"}}};
}

/// Adds the op, whose gradient is the other one.
inline void add_blocks(OpRegistry& registry, const char* name, const char* other, const char* summary,
                       Shape (*infer)(const InferContext&, const Shape& x, std::int64_t block)) {
  add_move(
      registry, name, summary, block_attributes(),
      [infer](const InferContext& c) -> std::vector<Type> {
        const Shape& x = c.shape(0);
        c.expect(x.size() == 4, "x is " + to_string(x) + ", expected [N,C,H,W]");
        return {{c.operand(0).dtype, infer(c, x, c.attributes.integer("block"))}};
      },
      [other](GradientContext& g) -> std::vector<ValueId> { return {g.emit(other, {g.gradient()}, g.attributes())}; }, each_image);
}

}  // namespace stair::ir::ops
