#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What binarize and its simulation share.

inline std::vector<OperandSpec> binarize_operands() {
  return {{"x", "latent weights"}, {"counter", "i64[1], which draw this is (stochastic)", true}};
}
inline std::vector<AttributeSpec> binarize_attributes() {
  return {{"stochastic", "+1 with probability clamp((x + 1) / 2, 0, 1)", false},
          {"seed", "of the draws", std::int64_t{0}},
          {"stream", "tells the draws of one tensor from another's", std::int64_t{0}}};
}

inline void check_binarize(const InferContext& c) {
  expect_type(c, 1, {DType::i64, {1}});
  c.expect(!c.attributes.boolean("stochastic") || c.operands[1] != nullptr, "stochastic needs the operand 'counter'");
}

}  // namespace stair::ir::ops
