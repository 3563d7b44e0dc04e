#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

inline const char* const folds = "folds into the layer before it (N-BN-SCALE, N-BN-WEIGHT)";

inline Type channel_type(const InferContext& c) {
  return {c.operand(0).dtype, {c.shape(0)[1]}};
}

/// x is [N, C] or [N, C, H, W]; operands `first`… are [C], those between them like x.
inline void expect_channels(const InferContext& c, std::size_t first) {
  same_as_first_float(c);
  expect_operand(c, 0, c.shape(0).size() == 2 || c.shape(0).size() == 4, "[N,C] or [N,C,H,W]");
  for (std::size_t i = 1; i < c.operands.size(); ++i) expect_type(c, i, i < first ? c.operand(0) : channel_type(c));
}

}  // namespace stair::ir::ops
