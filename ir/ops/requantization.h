#pragma once

#include "ir/ops/layout.h"

namespace stair::ir::ops {

// What the kinds of requantization (N-REQ) share.

inline const char* const range_doc = "i32[2], narrows [lo, hi]: a fused clamp";
inline const char* const bias_doc = "[C]; i32 is added to the sum, f32 (in steps of the result: b / s_y) after the rescale (N-BIAS)";

inline std::vector<AttributeSpec> requantize_attributes() {
  return range_attributes({{"axis", "channel axis", std::int64_t{1}}});
}

/// Operand i, where it is there, is a bias of the channels.
inline void expect_bias(const InferContext& c, std::size_t i, std::size_t axis) {
  if (i < c.operands.size() && c.operands[i] != nullptr) {
    expect_per_channel(c, i, axis, c.operand(i).dtype == DType::i32 ? DType::i32 : DType::f32);
  }
}

/// acc, then `parameters` per-channel operands of the element type, zero point, bias, range.
inline std::vector<Type> infer_requantize(const InferContext& c, std::size_t parameters, DType dtype) {
  expect_dtype(c, 0, DType::i32);
  const std::size_t axis = axis_of(c, c.shape(0).size());
  for (std::size_t i = 1; i <= parameters; ++i) expect_per_channel(c, i, axis, dtype);
  expect_zero_point(c, parameters + 1);
  expect_bias(c, parameters + 2, axis);
  expect_type(c, parameters + 3, {DType::i32, {2}});
  return {{quantized_dtype(c), c.shape(0)}};
}

}  // namespace stair::ir::ops
