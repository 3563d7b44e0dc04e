#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

inline const char* const folds = "folds into the layer before it (N-BN-SCALE, N-BN-WEIGHT)";

/// x is [N, C] or [N, C, H, W]; operands `first`… are [C].
inline void expect_channels(const InferContext& c, std::size_t first) {
  same_as_first_float(c);
  const Shape& x = c.shape(0);
  c.expect(x.size() == 2 || x.size() == 4, "x is " + to_string(x) + ", expected [N,C] or [N,C,H,W]");
  for (std::size_t i = first; i < c.operands.size(); ++i) {
    if (c.operands[i] == nullptr) continue;
    c.expect(c.shape(i) == Shape{x[1]}, "operand '" + c.op.operands[i].name + "' is " + to_string(c.shape(i)) + ", expected " +
                                            to_string(Shape{x[1]}) + " for x " + to_string(x));
  }
}

inline Type channel_type(const InferContext& c) {
  return {c.operand(0).dtype, {c.shape(0)[1]}};
}

}  // namespace stair::ir::ops
