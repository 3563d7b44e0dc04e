#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What the kinds of requantization (N-REQ) share.

inline const char* const range_doc = "i32[2], narrows [lo, hi]: a fused clamp";
inline const char* const bias_doc = "[C]; i32 is added to the sum, f32 (in steps of the result: b / s_y) after the rescale (N-BIAS)";

inline std::vector<AttributeSpec> requantize_attributes() {
  return {{"lo", "least integer", std::int64_t{0}, true},
          {"hi", "largest integer", std::int64_t{255}, true},
          {"axis", "channel axis", std::int64_t{1}}};
}

/// acc, then `parameters` per-channel operands, zero point, bias, range.
inline std::vector<Type> infer_requantize(const InferContext& c, std::size_t parameters) {
  expect_dtype(c, 0, DType::i32);
  const std::size_t axis = axis_of(c, c.shape(0).size());
  for (std::size_t i = 1; i <= parameters; ++i) expect_per_channel(c, i, axis);
  expect_dtype(c, parameters + 1, DType::i32);
  expect_per_channel(c, parameters + 2, axis);
  if (c.operands[parameters + 3] != nullptr) {
    c.expect(c.operand(parameters + 3) == Type{DType::i32, {2}}, "range is " + to_string(c.operand(parameters + 3)) + ", expected i32[2]");
  }
  return {{quantized_dtype(c), c.shape(0)}};
}

}  // namespace stair::ir::ops
